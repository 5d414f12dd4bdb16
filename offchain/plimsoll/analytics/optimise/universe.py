"""What may be traded, at which cost and in which size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.analytics.optimise.listed import Listed, Quote
from plimsoll.analytics.var.legs import label_of, legs_of, underlyings_of
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.mirror.linear import linear_unit
from plimsoll.mirror.unit_risk import mark_of
from plimsoll.model import MAX_POSITIONS, Kind, Market, Portfolio, Position, Round

#: Strikes offered at every expiry where no chain of quotes is given, in units of the forward.
LADDER: Final = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.6)


@dataclass(frozen=True, slots=True)
class TradingCosts:
    """Half spreads, sizes, and how long what is bought or sold must live.

    Attributes
    ----------
    option_spread : float
        Half spread of an option that no chain quotes, of its premium.
    option_floor : float
        The least half spread of such an option, of spot.
    linear_spread : float
        Half spread of futures and perpetuals, of the price.
    liquidity : float
        Largest trade in one instrument whose size nobody states, cash of notional.
    lot : float
        Trades are multiples of it, rounded towards zero.
    min_days : float
        An expiry nearer than this is offered only to close: a hedge that is gone tomorrow is none.
    """

    option_spread: float = 0.02
    option_floor: float = 0.0002
    linear_spread: float = 0.0003
    liquidity: float = 250_000.0
    lot: float = 0.01
    min_days: float = 2.0

    def __post_init__(self) -> None:
        """Check every number against its range."""
        ranges = {
            "option-spread": (self.option_spread, 0.0, 1.0),
            "option-floor": (self.option_floor, 0.0, 1.0),
            "linear-spread": (self.linear_spread, 0.0, 1.0),
            "liquidity": (self.liquidity, 1e-6, 1e15),
            "lot": (self.lot, 1e-12, 1e9),
            "min-days": (self.min_days, 0.0, 3_650.0),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"--{name}", f"{value:g} is outside [{low:g}, {high:g}]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One instrument and what trading it costs.

    Attributes
    ----------
    position : Position
        Identity, and the entry of a linear one that is held.
    label : str
    spot : float
        Of its underlying, cash: the notional of a unit.
    price : float
        The mirror's mark, cash per unit.
    ask, bid : float
        What a unit is bought and sold at, cash. Where a chain is given they are its quotes, and the mark may lie
        outside them.
    most_bought, most_sold : float
        Largest trade either way, units; 0 where nobody asks or bids.
    held : float
        Signed quantity that the account has.
    """

    position: Position
    label: str
    spot: float
    price: float
    ask: float
    bid: float
    most_bought: float
    most_sold: float
    held: float

    @property
    def buy_cost(self) -> float:
        """Equity that buying a unit costs; below 0 where the ask is below the mark."""
        return self.ask - self.price

    @property
    def sell_cost(self) -> float:
        """Equity that selling a unit costs; below 0 where the bid is above the mark."""
        return self.price - self.bid

    def limit_price(self, buy: bool) -> float:
        """Price an order states."""
        return self.ask if buy else self.bid

    def most(self, buy: bool) -> float:
        """Largest trade, units."""
        return self.most_bought if buy else self.most_sold


def nice_strike(value: float) -> float:
    """Round to a multiple of half a unit of the second figure, as listed strikes are."""
    step = 10.0 ** (np.floor(np.log10(value)) - 2) * 5.0
    return float(f"{max(round(value / step), 1) * step:.8g}")


class _Offers:
    """Prices what is offered in one market."""

    def __init__(self, market: Market, costs: TradingCosts, listed: Listed | None) -> None:
        self.market, self.costs, self.listed = market, costs, listed

    def expiries(self, round_: Round) -> list[int]:
        """Expiries of a round that are far enough away to be traded into."""
        least = round_.ts + self.costs.min_days * DAY_SEC
        return [s.expiry_ts for s in round_.surfaces if s.expiry_ts >= least]

    def positions(self, name: str) -> Iterator[Position]:
        """Yield what may be opened of one underlying."""
        round_ = self.market.rounds[name]
        far = self.expiries(round_)
        linear = [kind for kind in Kind if kind.is_linear]
        yield from (Position(name, kind, 0, 0.0, 0.0) for kind in linear if not kind.has_expiry)
        for expiry in far:
            if self.listed is None or (name, expiry) in self.listed.futures:
                yield from (Position(name, kind, expiry, 0.0, 0.0) for kind in linear if kind.has_expiry)
        if self.listed is not None:
            for (underlying, i), quote in self.listed.quotes.items():
                if underlying == name and i.expiry_ts in far and (quote.bid, quote.ask) != (None, None):
                    yield Position(name, i.kind, i.expiry_ts, i.strike, 0.0)
            return
        for surface in round_.surfaces:
            if surface.expiry_ts in far:
                strikes = sorted({nice_strike(step * surface.forward) for step in LADDER})
                for kind in (kind for kind in Kind if kind.is_option):
                    yield from (Position(name, kind, surface.expiry_ts, strike, 0.0) for strike in strikes)

    def candidate(self, position: Position, held: float) -> Candidate:
        """Price one of them."""
        round_ = self.market.rounds[position.underlying]
        most = self.costs.liquidity / round_.spot
        if position.kind.is_linear:
            price = float(linear_unit(round_, position.kind, position.expiry_ts).fair)
            half = self.costs.linear_spread * price
        else:
            price = mark_of(round_, position.instrument)
            half = max(self.costs.option_spread * price, self.costs.option_floor * round_.spot)
        if position.kind.is_option and self.listed is not None:
            # What is not listed, or has no quote on a side, cannot be traded there.
            quote = self.listed.quotes.get(position.identity, Quote(None, None))
        else:
            quote = Quote(max(0.0, price - half), price + half)
        ask, bid = (price if side is None else side for side in (quote.ask, quote.bid))
        bought, sold = self._sizes(position, held, quote, most)
        return Candidate(position, label_of(position), round_.spot, price, ask, bid, bought, sold, held)

    def _sizes(self, position: Position, held: float, quote: Quote, most: float) -> tuple[float, float]:
        """Return the largest buy and sale: what is quoted, and near an expiry only what closes."""
        bought, sold = (
            0.0 if price is None else most if size is None else size
            for price, size in ((quote.ask, quote.ask_size), (quote.bid, quote.bid_size))
        )
        least = self.market.rounds[position.underlying].ts + self.costs.min_days * DAY_SEC
        if position.kind.has_expiry and position.expiry_ts < least:
            return min(bought, max(0.0, -held)), min(sold, max(0.0, held))
        return bought, sold


def universe_of(
    market: Market, portfolio: Portfolio, costs: TradingCosts, listed: Listed | None = None
) -> tuple[Candidate, ...]:
    """List what may be traded: what is held, and of every underlying the perpetual, futures and options.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    costs : TradingCosts
    listed : Listed, optional
        Options and their prices are those of this chain, futures those that it lists. Without it they are a ladder of
        strikes at the mark and the spreads of ``costs``, and futures those of every expiry.

    Returns
    -------
    tuple of Candidate
        What is held first. An expiry nearer than ``costs.min_days`` is offered only to close.

    Raises
    ------
    InputError
        When nothing is held that a price can move.
    """
    offers = _Offers(market, costs, listed)
    wanted = {p.identity: (p, p.quantity) for p in portfolio.positions}
    for name in underlyings_of(legs_of(market, portfolio)[0]):
        for position in offers.positions(name):
            wanted.setdefault(position.identity, (position, 0.0))
    return tuple(offers.candidate(position, held) for position, held in wanted.values())


def offered(
    market: Market, portfolio: Portfolio, costs: TradingCosts, listed: Listed | None, count: int
) -> tuple[Candidate, ...]:
    """List what ``count`` trades may choose from: all, or what is held and perpetuals where new positions do not fit.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    costs : TradingCosts
    listed : Listed or None
        As for ``universe_of``.
    count : int
        Largest number of trades.

    Returns
    -------
    tuple of Candidate
        Perpetuals only where at least one position more fits.
    """
    candidates = universe_of(market, portfolio, costs, listed)
    room = MAX_POSITIONS - len(portfolio.positions)
    if count <= room:
        return candidates
    return tuple(c for c in candidates if c.held != 0.0 or (room > 0 and not c.position.kind.has_expiry))
