"""What an account earned between two markets, and why: delta, gamma, vega, theta, carry, and what these leave.

Every part but theta is a term of the Taylor series about the first market; theta is the value of the same option after
the time has passed, nothing else having moved. What the terms leave, of third order in the moves, is the residual, and
the parts of a leg add up to what its two marks say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from plimsoll.analytics.var.legs import label_of
from plimsoll.errors import InputError
from plimsoll.mirror import black76
from plimsoll.mirror.linear import linear_unit, settled_value
from plimsoll.mirror.settlement_window import WINDOW_SEC, time_to_expiry, window_of
from plimsoll.mirror.unit_risk import mark_of, open_volatility
from plimsoll.model import Instrument, Market, Portfolio, Position, Round

#: Prices at which what has expired was settled, cash, by underlying and expiry.
Settled = Mapping[tuple[str, int], float]
#: Step of the volatility in the cross derivatives, per year.
VOL_STEP: Final = 1e-4


@dataclass(frozen=True, slots=True)
class PnlParts:
    """P&L of a leg, cash.

    Attributes
    ----------
    delta, gamma : float
        Of the move of the spot; the forward and the perpetual are taken to move by the same factor.
    vega : float
        Of the move of the volatility at the strike.
    cross : float
        Vanna and volga: what spot and volatility did together, and volatility twice.
    theta : float
        Of the time that passed.
    carry : float
        Of the rate and the basis: the discount, and what the forward or the perpetual moved beyond the spot.
    residual : float
        What the parts leave of the difference of the marks.
    """

    delta: float = 0.0
    gamma: float = 0.0
    vega: float = 0.0
    cross: float = 0.0
    theta: float = 0.0
    carry: float = 0.0
    residual: float = 0.0

    @property
    def total(self) -> float:
        """The whole P&L, cash."""
        return self.delta + self.gamma + self.vega + self.cross + self.theta + self.carry + self.residual

    def times(self, quantity: float) -> PnlParts:
        """Return the parts of so many units."""
        return PnlParts(*(quantity * getattr(self, item.name) for item in fields(self)))

    def plus(self, other: PnlParts) -> PnlParts:
        """Add two of them."""
        return PnlParts(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))


@dataclass(frozen=True, slots=True)
class LegPnl:
    """One leg and what it earned."""

    label: str
    underlying: str
    parts: PnlParts


@dataclass(frozen=True, slots=True)
class Explained:
    """P&L of every leg between two times, unix seconds."""

    from_ts: int
    to_ts: int
    legs: tuple[LegPnl, ...]

    @property
    def total(self) -> PnlParts:
        """Parts of all legs together."""
        return self.of(None)

    def of(self, underlying: str | None) -> PnlParts:
        """Parts of one underlying, or of all."""
        found = PnlParts()
        for leg in self.legs:
            if underlying in (None, leg.underlying):
                found = found.plus(leg.parts)
        return found

    def to_json(self) -> dict[str, object]:
        """Build the plimsoll.pnl/1 document."""

        def numbers(parts: PnlParts) -> dict[str, float]:
            return {item.name: getattr(parts, item.name) for item in fields(parts)} | {"total": parts.total}

        names = dict.fromkeys(leg.underlying for leg in self.legs)
        return {
            "schema": "plimsoll.pnl/1",
            "from": self.from_ts,
            "to": self.to_ts,
            "total": numbers(self.total),
            "underlyings": {name: numbers(self.of(name)) for name in names},
            "legs": [{"leg": leg.label, "underlying": leg.underlying, **numbers(leg.parts)} for leg in self.legs],
        }


def _linear(before: Round, after: Round, position: Position, settled: float | None) -> PnlParts:
    """Parts of a unit of a future or perpetual."""
    old = linear_unit(before, position.kind, position.expiry_ts)
    value = float(old.value(position.price))
    if settled is not None:
        new_value, new_price, new_discount = settled_value(position.kind, settled, position.price), settled, 1.0
    else:
        new = linear_unit(after, position.kind, position.expiry_ts)
        new_value, new_price, new_discount = float(new.value(position.price)), float(new.price), new.discount
    moved = after.spot / before.spot - 1.0
    slope = old.delta
    delta = slope * float(old.price) * moved
    undiscounted = value / old.discount
    carry = slope * (new_price - float(old.price) * (1.0 + moved)) + (new_discount - old.discount) * undiscounted
    return PnlParts(delta=delta, carry=carry, residual=new_value - value - delta - carry)


@dataclass(frozen=True, slots=True)
class _State:
    """What an option is valued from."""

    forward: float
    sigma: float
    variance_time: float
    discount: float

    def value(self, instrument: Instrument) -> float:
        """Value of a unit before its settlement window."""
        std = self.sigma * np.sqrt(self.variance_time)
        is_call = np.array(instrument.kind.is_call)
        numbers = (np.array(x) for x in (self.forward, instrument.strike, std, self.discount))
        return float(black76.price_and_delta(is_call, *numbers)[0])


def _state(round_: Round, instrument: Instrument) -> _State:
    surface = round_.surface(instrument.expiry_ts)
    years = time_to_expiry(instrument.expiry_ts, round_.ts)
    window = window_of(round_, instrument.expiry_ts)
    discount = float(np.exp(-surface.rate * years))
    return _State(surface.forward, open_volatility(round_, instrument), window.variance_time, discount)


def _option(before: Round, after: Round, instrument: Instrument, settled: float | None) -> PnlParts:
    """Parts of a unit of an option."""
    value = mark_of(before, instrument)
    if settled is not None:
        sign = 1.0 if instrument.kind.is_call else -1.0
        new_value = max(0.0, sign * (settled - instrument.strike))
        new = None
    else:
        new_value, new = mark_of(after, instrument), _state(after, instrument)
    if instrument.expiry_ts - before.ts < WINDOW_SEC:
        # Part of the price is settled already: what is left is too short to be told apart.
        return PnlParts(residual=new_value - value)
    old = _state(before, instrument)
    left = 0.0 if new is None else new.variance_time
    spot_move = old.forward * (after.spot / before.spot - 1.0)
    forward_move = (settled if settled is not None else after.surface(instrument.expiry_ts).forward) - old.forward
    vol_move = 0.0 if new is None or new.sigma == 0.0 else new.sigma - old.sigma
    first, second, vega, vanna, volga = _derivatives(old, instrument)
    delta, gamma = first * spot_move, 0.5 * second * spot_move**2
    theta = _State(old.forward, old.sigma, left, old.discount).value(instrument) - value
    discount = 1.0 if new is None else new.discount
    carry = first * (forward_move - spot_move) + value * (discount / old.discount - 1.0)
    cross = vanna * spot_move * vol_move + 0.5 * volga * vol_move**2
    named = PnlParts(delta, gamma, vega * vol_move, cross, theta, carry)
    return PnlParts(delta, gamma, vega * vol_move, cross, theta, carry, new_value - value - named.total)


def _derivatives(old: _State, instrument: Instrument) -> tuple[float, float, float, float, float]:
    """Delta and gamma by the forward, vega, and vega by the forward and by the volatility."""

    def greeks(sigma: float) -> black76.Greeks:
        is_call = np.array(instrument.kind.is_call)
        forward, strike, time = (np.array(x) for x in (old.forward, instrument.strike, old.variance_time))
        return black76.greeks(is_call, forward, strike, np.array(sigma), time, np.array(0.0))

    step = min(VOL_STEP, 0.5 * old.sigma)
    here, low, high = greeks(old.sigma), greeks(old.sigma - step), greeks(old.sigma + step)
    vanna = (float(high.delta) - float(low.delta)) / (2.0 * step) if step > 0.0 else 0.0
    volga = (float(high.vega) - float(low.vega)) / (2.0 * step) if step > 0.0 else 0.0
    found = (float(here.delta), float(here.gamma), float(here.vega), vanna, volga)
    first, second, vega, vanna, volga = (old.discount * x for x in found)
    return first, second, vega, vanna, volga


def _settled_at(position: Position, after: Market, settled: Settled) -> float | None:
    """Price at which a position has settled by the second market; None while it lives."""
    if not position.kind.has_expiry or position.expiry_ts > after.ts:
        return None
    price = settled.get((position.underlying, position.expiry_ts))
    if price is None:
        told = f"{label_of(position)} has expired by then: say at which price it settled (--settled)"
        raise InputError("the second market", told)
    return price


def explain_pnl(before: Market, after: Market, portfolio: Portfolio, settled: Settled | None = None) -> Explained:
    """Divide what an account earned between two markets by what caused it.

    Parameters
    ----------
    before, after : Market
        The second is not earlier than the first and knows every underlying and token that is held.
    portfolio : Portfolio
        The same at both times.
    settled : mapping of (str, int) to float, optional
        Settlement prices of what has expired in between, cash.

    Returns
    -------
    Explained
        Positions, then collateral. Cash earns nothing here: interest and funding are the chain's to state.

    Raises
    ------
    InputError
        When the second market is earlier, or lacks something that is held.
    """
    if after.ts < before.ts:
        raise InputError("the second market", f"its time {after.ts} is before that of the first, {before.ts}")
    legs = []
    for position in portfolio.positions:
        if position.underlying not in after.rounds:
            raise InputError("the second market", f"{position.underlying!r} is not among its underlyings")
        rounds = before.rounds[position.underlying], after.rounds[position.underlying]
        price = _settled_at(position, after, settled or {})
        if position.kind.is_linear:
            unit = _linear(*rounds, position, price)
        else:
            unit = _option(*rounds, position.instrument, price)
        legs.append(LegPnl(label_of(position), position.underlying, unit.times(position.quantity)))
    for symbol, amount in portfolio.collateral.items():
        if symbol not in after.tokens:
            raise InputError("the second market", f"{symbol!r} is not among its tokens")
        gain = amount * (after.price_of(symbol) - before.price_of(symbol))
        linked = before.tokens[symbol].linked
        if amount > 0.0 and gain != 0.0:
            legs.append(LegPnl(f"{symbol} collateral", linked or symbol, PnlParts(delta=gain)))
    return Explained(before.ts, after.ts, tuple(legs))
