"""One account in many markets: what it is worth and needs in each, for stress work.

The same numbers as :func:`plimsoll.mirror.margin_engine.evaluate` for every market alone, without rows and greeks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.errors import DomainError
from plimsoll.mirror.cross import cross_requirement
from plimsoll.mirror.cutoffs import cutoffs_of, scales_at
from plimsoll.mirror.exposure import Exposure, expiries_of, expiry_exposure, joined_exposure
from plimsoll.mirror.liquidity import account_bends, values
from plimsoll.mirror.margin_engine import check_held, conf_rate, haircut_of, peg_factor, state_of
from plimsoll.mirror.requirement import components
from plimsoll.mirror.risk_engine import largest_over_cutoffs
from plimsoll.mirror.round_sheaf import RoundSheaf, sheaf_of
from plimsoll.mirror.scenario_book import Book, scenario_book
from plimsoll.mirror.sheaf_sums import SheafUnits, no_sums, sheaf_units
from plimsoll.model import Instrument, Market, Mode, Portfolio, Token
from plimsoll.params import Params, UnderlyingParams

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MarketSheaf:
    """``n`` markets of one moment; ``first`` is any of them, for all that is no number of a round."""

    first: Market
    rounds: Mapping[str, RoundSheaf]

    def __len__(self) -> int:
        return len(next(iter(self.rounds.values()))) if self.rounds else 1


def market_sheaf(markets: Sequence[Market]) -> MarketSheaf:
    """Put markets side by side.

    Parameters
    ----------
    markets : sequence of Market
        At least one; they have the same tokens, and rounds that are alike (see :func:`sheaf_of`).

    Returns
    -------
    MarketSheaf

    Raises
    ------
    DomainError
        When they are not alike.
    """
    first = markets[0]
    for market in markets:
        if market.tokens != first.tokens or list(market.rounds) != list(first.rounds):
            raise DomainError("market", "markets side by side must have the same tokens and underlyings")
    return MarketSheaf(first, {name: sheaf_of([market.rounds[name] for market in markets]) for name in first.rounds})


@dataclass(frozen=True, slots=True)
class SheafMargins:
    """Margins of one account in ``n`` markets, cash; every array has the shape (n,)."""

    equity: Vector
    market_equity: Vector
    initial_margin: Vector
    maintenance_margin: Vector

    def __len__(self) -> int:
        return len(self.equity)

    def state(self, i: int) -> str:
        """State of the account in one market."""
        own = (self.equity, self.market_equity, self.initial_margin, self.maintenance_margin)
        return state_of(*(float(numbers[i]) for numbers in own))


@dataclass(frozen=True, slots=True)
class _Leg:
    """What is held of one expiry: units in every round, quantities and entries, shape (k,)."""

    units: SheafUnits
    quantity: Vector
    entry: Vector

    @property
    def worth(self) -> Vector:
        """Value of each position, shape (n, k)."""
        return self.quantity * self.units.value(self.entry)


@dataclass(frozen=True, slots=True)
class _Held:
    """What an account holds in one underlying, by expiry; 0 is always there, for linked collateral."""

    sheaf: RoundSheaf
    params: UnderlyingParams
    book: Book
    expiries: tuple[int, ...]
    legs: Mapping[int, _Leg]
    linked: Vector
    bends: Vector

    def exposure(self, quantities: Mapping[int, Vector], *, with_linked: bool = True) -> Exposure:
        """Exposure of ``m`` portfolios of other quantities, shape (m, k) by expiry, in every round: n*m rows."""
        first, parts = self.sheaf.first, []
        m = max((len(quantity) for quantity in quantities.values()), default=1)
        linked_cash = np.repeat(self.linked * self.sheaf.spot * with_linked, m)
        linked = linked_cash, np.repeat(self.bends[:, : self.book.nodes] * with_linked, m, axis=0)
        kept = [ts for ts in self.expiries if ts == 0 or ts in quantities]
        for ts in kept:
            if ts in quantities:
                sums = self.legs[ts].units.sums(quantities[ts], self.legs[ts].entry)
            else:
                sums = no_sums(m * len(self.sheaf), self.book)
            parts.append(expiry_exposure(sums, ts, (0.0, 0.0) if ts else linked, first, self.params, self.book))
        return joined_exposure(parts, kept, first.ts, np.repeat(self.sheaf.spot, m), self.params, self.book)

    @property
    def whole(self) -> Exposure:
        """Everything that is held, in every round."""
        return self.exposure({ts: leg.quantity[None, :] for ts, leg in self.legs.items()})

    @property
    def units_held(self) -> float:
        """Units of either sign."""
        return float(sum(np.abs(leg.quantity).sum() for leg in self.legs.values()))

    @property
    def touched(self) -> bool:
        """Whether anything is held at all."""
        return bool(self.units_held != 0.0 or self.linked.any() or self.bends.any())

    def standard(self) -> Vector:
        """Add up what positions need one by one, and size once (risk-model section 7)."""
        needy = {
            ts: np.where(leg.units.is_option, np.minimum(leg.quantity, 0.0), leg.quantity)
            for ts, leg in self.legs.items()
        }
        total = np.zeros(len(self.sheaf))
        for ts, quantity in needy.items():
            alone = np.diag(quantity)[quantity != 0.0]
            if len(alone):
                exposure = self.exposure({ts: alone}, with_linked=False)
                needed = components(exposure, np.ones(len(exposure.expiries))).without_size
                total += needed.reshape(len(self.sheaf), len(alone)).sum(axis=1)
        exposure = self.exposure({ts: quantity[None, :] for ts, quantity in needy.items()})
        size = np.zeros(len(self.sheaf))
        for cutoff in cutoffs_of(exposure.expiries, exposure.ts):
            scales = scales_at(cutoff, exposure.expiries, exposure.ts)
            size = np.maximum(size, components(exposure, scales).concentration)
        return total + size


def _leg(
    sheaf: RoundSheaf, own: Sequence[tuple[Instrument, float, float]], params: UnderlyingParams, book: Book
) -> _Leg:
    quantity, price = np.array([item[1] for item in own]), np.array([item[2] for item in own])
    units = sheaf_units(sheaf, [instrument for instrument, _, _ in own], quantity, params, book)
    return _Leg(units, quantity, np.where(units.is_option, 0.0, price))


def _linked(sheaf: MarketSheaf, portfolio: Portfolio, name: str) -> Vector:
    """Units of an underlying that the collateral is, in every market."""
    spots = sheaf.rounds[name].spot
    units = np.zeros(len(sheaf))
    for symbol, amount in portfolio.collateral.items():
        token = sheaf.first.tokens[symbol]
        if token.linked == name:
            units += amount * np.vectorize(token.units_at, otypes=[np.float64])(spots)
    return units


def _held(sheaf: MarketSheaf, portfolio: Portfolio, params: Params, name: str) -> _Held | None:
    """Look at one underlying; None where nothing of it is held."""
    own = sorted((p.instrument, p.quantity, p.price) for p in portfolio.positions if p.underlying == name)
    linked = _linked(sheaf, portfolio, name)
    chosen = params.for_underlying(name)
    book = scenario_book(params.book_of(name), chosen.price_range)
    bends = account_bends(sheaf.first, [portfolio], name, sheaf.rounds[name].spot, book)
    if not own and not linked.any() and not bends.any():
        return None
    expiries = tuple(expiries_of([instrument for instrument, _, _ in own]))
    rounds = sheaf.rounds[name]
    by_expiry = {ts: [item for item in own if item[0].expiry_ts == ts] for ts in expiries}
    legs = {ts: _leg(rounds, items, chosen, book) for ts, items in by_expiry.items() if items}
    return _Held(rounds, chosen, book, expiries, legs, linked, bends)


def _required(parts: Mapping[str, _Held], mode: Mode, stress_share: float, count: int) -> Vector:
    """Return the requirement in the account's mode, before the debt charge."""
    if mode == Mode.STANDARD:
        return sum((part.standard() for part in parts.values()), np.zeros(count))
    exposures = [part.whole for part in parts.values()]
    if mode == Mode.CROSS and exposures:
        touched = np.repeat(np.array([part.touched for part in parts.values()])[:, None], count, axis=1)
        return cross_requirement(exposures, touched, stress_share)
    total = np.zeros(count)
    for exposure in exposures:
        total += largest_over_cutoffs(exposure, components(exposure, np.ones(len(exposure.expiries))))[0]
    return total


def _collateral(sheaf: MarketSheaf, portfolio: Portfolio, params: Params) -> tuple[Vector, Vector]:
    """Value of the collateral after haircuts, and before, in every market."""
    counted, whole = np.zeros(len(sheaf)), np.zeros(len(sheaf))
    for symbol, amount in portfolio.collateral.items():
        token = sheaf.first.tokens[symbol]
        if token.linked is None:
            worth = np.full(len(sheaf), amount * sheaf.first.price_of(symbol))
        else:
            spots = sheaf.rounds[token.linked].spot
            worth = amount * (token.ratio * spots if token.span is None else values(token.span, spots))
        whole += worth
        counted += worth * (1.0 - _haircuts(sheaf, token, portfolio.mode, params))
    return counted, whole


def _haircuts(sheaf: MarketSheaf, token: Token, mode: Mode, params: Params) -> float | Vector:
    """Haircut of a token; of liquidity that is not netted it is another in every market."""
    if token.span is None or mode != Mode.STANDARD:
        return haircut_of(token, mode, params, sheaf.first.spot_of(token))
    spots = sheaf.rounds[str(token.linked)].spot
    return np.array([haircut_of(token, mode, params, float(spot)) for spot in spots])


def sheaf_margins(sheaf: MarketSheaf, portfolio: Portfolio, params: Params) -> SheafMargins:
    """Margin of one account in every market of a sheaf.

    Parameters
    ----------
    sheaf : MarketSheaf
    portfolio : Portfolio
    params : Params

    Returns
    -------
    SheafMargins
        Within 1e-12 of gross notional of :func:`plimsoll.mirror.margin_engine.evaluate` in each market.

    Raises
    ------
    DomainError
        When the account names what the markets do not have, or a result is not finite.
    """
    check_held(sheaf.first, [portfolio])
    count, account = len(sheaf), params.account
    with np.errstate(all="ignore"):
        found = {name: _held(sheaf, portfolio, params, name) for name in sheaf.rounds}
        parts = {name: part for name, part in found.items() if part is not None}
        mark, counted, doubt = np.zeros(count), np.zeros(count), np.zeros(count)
        for part in parts.values():
            rate = conf_rate(part.sheaf.first.confidence, account)
            doubt += rate * part.sheaf.spot * part.units_held
            for leg in part.legs.values():
                worth = leg.worth
                mark += worth.sum(axis=1)
                counted += np.where(leg.units.is_option, np.minimum(worth, 0.0), worth).sum(axis=1)
        charged = _required(parts, portfolio.mode, account.stress_share, count)
        charged = charged + max(0.0, -portfolio.cash) * account.debt_rate
        cut, whole = _collateral(sheaf, portfolio, params)
        margins = SheafMargins(
            equity=portfolio.cash + (counted if portfolio.mode == Mode.STANDARD else mark) + cut,
            market_equity=portfolio.cash + mark + whole,
            initial_margin=account.im_factor * charged * peg_factor(sheaf.first, account) + doubt,
            maintenance_margin=account.mm_factor * charged,
        )
    if not np.isfinite(np.stack((margins.equity, margins.initial_margin, margins.maintenance_margin))).all():
        raise DomainError("portfolio 0", "the margin is too large for a float")
    return margins
