"""Full revaluation of every leg under joint moves, with the formulas of the mirror.

A scenario moves spot, perpetual and all forwards of an underlying by one factor and every volatility at its
strike by one factor (sticky strike, as the scenario rows do); time passes at constant volatility per strike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.series.moves import Moves
from plimsoll.analytics.var.legs import Leg
from plimsoll.errors import DomainError
from plimsoll.mirror import black76
from plimsoll.mirror.linear import linear_unit
from plimsoll.mirror.liquidity import values
from plimsoll.mirror.settlement_window import Moment, moment_of
from plimsoll.mirror.unit_risk import open_volatility
from plimsoll.model import Market, Position, Round

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def _option_values(call: Flags, moment: Moment, forward: Vector, strike: Vector, sigma: Vector) -> Vector:
    """Value of one unit of each option: the open share at its open strike, or what is settled."""
    if moment.open == 0.0:
        return np.maximum((moment.known - strike) * np.where(call, 1.0, -1.0), 0.0)
    open_strike = (strike - moment.known) / moment.open
    curved, discount = open_strike > 0.0, np.array(moment.discount)
    positive = np.where(curved, open_strike, 1.0)
    value, _ = black76.price_and_delta(call, forward, positive, sigma * moment.root, discount)
    if curved.all():
        return np.asarray(moment.open * value)
    straight = np.where(call, moment.discount * (forward - open_strike), 0.0)
    return np.asarray(moment.open * np.where(curved, value, straight))


def _linear(round_: Round, position: Position, growth: Vector, elapsed_sec: int) -> Vector:
    """Per-unit P&L of a linear instrument."""
    before = linear_unit(round_, position.kind, position.expiry_ts)
    after = linear_unit(round_, position.kind, position.expiry_ts, growth, elapsed_sec)
    return np.asarray(after.value(position.price) - before.value(position.price))


def _options(
    round_: Round, positions: Sequence[Position], growth: Vector, vol_factor: Vector, elapsed_sec: int
) -> Vector:
    """Per-unit P&L of options of one expiry, a column each."""
    surface = round_.surface(positions[0].expiry_ts)
    forward = surface.forward * growth[:, None]
    now, later = moment_of(round_, surface, surface.forward), moment_of(round_, surface, forward, elapsed_sec)
    call = np.array([position.kind.is_call for position in positions])
    strike = np.array([position.price for position in positions])
    sigma = np.array([open_volatility(round_, position.instrument) for position in positions])
    before = _option_values(call, now, np.array(surface.forward), strike, sigma)
    return _option_values(call, later, forward, strike, sigma * vol_factor[:, None]) - before


def _collateral(round_: Round, leg: Leg, growth: Vector) -> Vector:
    if leg.span is None:
        return leg.unit_price * (growth - 1.0)
    return values(leg.span, round_.spot * growth) - leg.unit_price


def _strips(legs: Sequence[Leg]) -> dict[tuple[str, int], list[int]]:
    """Places of the options of each underlying and expiry: a strip is priced at once."""
    found: dict[tuple[str, int], list[int]] = {}
    for place, leg in enumerate(legs):
        if leg.position is not None and leg.position.kind.is_option:
            found.setdefault((leg.underlying, leg.position.expiry_ts), []).append(place)
    return found


def revalue(
    market: Market, legs: Sequence[Leg], underlyings: Sequence[str], moves: Moves, elapsed_sec: int = 0
) -> Vector:
    """P&L of every leg under every scenario.

    Parameters
    ----------
    market : Market
    legs : sequence of Leg, length m
    underlyings : sequence of str, length k
        Columns of ``moves``.
    moves : Moves, n rows
    elapsed_sec : int
        Time that passes; an option that expires meanwhile is worth its intrinsic value at the moved price.

    Returns
    -------
    ndarray, shape (n, m)
        Cash; a loss is negative. Without haircuts.

    Raises
    ------
    DomainError
        If a result is not a finite number.
    """
    out = np.empty((moves.price.shape[0], len(legs)))
    with np.errstate(all="ignore"):
        growth, vol_factor = np.exp(moves.price), np.exp(moves.vol)
        for j, leg in enumerate(legs):
            u = underlyings.index(leg.underlying)
            round_ = market.rounds[leg.underlying]
            if leg.position is None:
                unit = _collateral(round_, leg, growth[:, u])
            elif leg.position.kind.is_linear:
                unit = _linear(round_, leg.position, growth[:, u], elapsed_sec)
            else:
                continue
            out[:, j] = leg.quantity * unit
        for (name, _), places in _strips(legs).items():
            u = underlyings.index(name)
            positions = [position for place in places if (position := legs[place].position) is not None]
            units = _options(market.rounds[name], positions, growth[:, u], vol_factor[:, u], elapsed_sec)
            out[:, places] = units * np.array([legs[place].quantity for place in places])
    if not np.isfinite(out).all():
        j = int((~np.isfinite(out)).any(axis=0).argmax())
        raise DomainError(legs[j].label, "its value under a scenario is too large for a float")
    return out
