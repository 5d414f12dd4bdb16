"""What may be traded, at which cost and in which size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.analytics.var.legs import Leg, legs_of
from plimsoll.errors import InputError
from plimsoll.mirror.linear import linear_unit
from plimsoll.mirror.unit_risk import mark_of
from plimsoll.model import Kind, Market, Mode, Portfolio, Position

#: Strikes offered at every expiry, in units of the forward.
LADDER: Final = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.6)
MIN_EXPIRY_SEC: Final = 3_600


@dataclass(frozen=True, slots=True)
class TradingCosts:
    """Half spreads and sizes.

    Attributes
    ----------
    option_spread : float
        Half spread of an option, of its premium.
    option_floor : float
        The least half spread of an option, of spot.
    linear_spread : float
        Half spread of futures and perpetuals, of the price.
    liquidity : float
        Largest trade in one instrument, cash of notional.
    lot : float
        Trades are multiples of it, rounded towards zero.
    """

    option_spread: float = 0.02
    option_floor: float = 0.0002
    linear_spread: float = 0.0003
    liquidity: float = 250_000.0
    lot: float = 0.01

    def __post_init__(self) -> None:
        """Check every number against its range."""
        ranges = {
            "option-spread": (self.option_spread, 0.0, 1.0),
            "option-floor": (self.option_floor, 0.0, 1.0),
            "linear-spread": (self.linear_spread, 0.0, 1.0),
            "liquidity": (self.liquidity, 1e-6, 1e15),
            "lot": (self.lot, 1e-12, 1e9),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"--{name}", f"{value:g} is outside [{low:g}, {high:g}]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One instrument: per unit its price and half spread, cash, and the largest trade in units.

    ``held`` is the signed quantity that the account has of it.
    """

    position: Position
    label: str
    price: float
    half_spread: float
    limit: float
    held: float

    def limit_price(self, buy: bool) -> float:
        """Price an order states: the far side of the spread, never below zero."""
        return self.price + self.half_spread if buy else max(0.0, self.price - self.half_spread)


def nice_strike(value: float) -> float:
    """Round to a multiple of half a unit of the second figure, as listed strikes are."""
    step = 10.0 ** (np.floor(np.log10(value)) - 2) * 5.0
    return float(f"{max(round(value / step), 1) * step:.8g}")


def _candidate(market: Market, position: Position, held: float, costs: TradingCosts) -> Candidate:
    round_ = market.rounds[position.underlying]
    limit = costs.liquidity / round_.spot
    label = legs_of(market, Portfolio(Mode.SINGLE, 0.0, {}, (position,)))[0][0].label
    if position.kind.is_linear:
        price = float(linear_unit(round_, position.kind, position.expiry_ts).price)
        return Candidate(position, label, price, costs.linear_spread * price, limit, held)
    mark = mark_of(round_, position.instrument)
    half = max(costs.option_spread * mark, costs.option_floor * round_.spot)
    return Candidate(position, label, mark, half, limit, held)


def universe_of(market: Market, portfolio: Portfolio, costs: TradingCosts) -> tuple[Candidate, ...]:
    """List what may be traded: what is held, and of every underlying the perpetual, futures and a strike ladder.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    costs : TradingCosts

    Returns
    -------
    tuple of Candidate
        What is held first. An expiry less than an hour away is offered only to close.
    """
    legs: tuple[Leg, ...] = legs_of(market, portfolio)[0]
    wanted = {p.identity: (p, p.quantity) for p in portfolio.positions}
    for name in dict.fromkeys(leg.underlying for leg in legs):
        round_ = market.rounds[name]
        linear, options = [k for k in Kind if k.is_linear], [k for k in Kind if k.is_option]
        listed = [Position(name, kind, 0, 0.0, 0.0) for kind in linear if not kind.has_expiry]
        for surface in round_.surfaces:
            if surface.expiry_ts - round_.ts < MIN_EXPIRY_SEC:
                continue
            listed += [Position(name, kind, surface.expiry_ts, 0.0, 0.0) for kind in linear if kind.has_expiry]
            strikes = sorted({nice_strike(step * surface.forward) for step in LADDER})
            listed += [Position(name, kind, surface.expiry_ts, k, 0.0) for kind in options for k in strikes]
        for position in listed:
            wanted.setdefault(position.identity, (position, 0.0))
    return tuple(_candidate(market, position, held, costs) for position, held in wanted.values())
