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
from plimsoll.mirror.settlement_window import Moment, moment_of
from plimsoll.mirror.unit_risk import open_volatility
from plimsoll.model import Kind, Market, Position, Round

Vector = npt.NDArray[np.float64]


def _option_value(call: bool, moment: Moment, forward: Vector, strike: float, sigma: Vector) -> Vector:
    """Value of one unit: the open share at its open strike, or what is settled."""
    if moment.open == 0.0:
        return np.maximum((moment.known - strike) * (1.0 if call else -1.0), 0.0)
    open_strike = (strike - moment.known) / moment.open
    positive = np.where(open_strike > 0.0, open_strike, 1.0)
    value, _ = black76.price_and_delta(
        np.array(call), forward, positive, sigma * moment.root, np.array(moment.discount)
    )
    straight = moment.discount * (forward - open_strike) if call else 0.0
    return np.asarray(moment.open * np.where(open_strike > 0.0, value, straight))


def _linear(round_: Round, position: Position, growth: Vector, elapsed_sec: int) -> Vector:
    """Per-unit P&L of a linear instrument."""
    before = linear_unit(round_, position.kind, position.expiry_ts)
    after = linear_unit(round_, position.kind, position.expiry_ts, growth, elapsed_sec)
    return np.asarray(after.value(position.price) - before.value(position.price))


def _option(round_: Round, position: Position, growth: Vector, vol_factor: Vector, elapsed_sec: int) -> Vector:
    """Per-unit P&L of an option."""
    surface = round_.surface(position.expiry_ts)
    forward = surface.forward * growth
    now, later = moment_of(round_, surface, surface.forward), moment_of(round_, surface, forward, elapsed_sec)
    call = position.kind == Kind.CALL
    sigma = np.array(open_volatility(round_, position.instrument))
    before = _option_value(call, now, np.array(surface.forward), position.price, sigma)
    return _option_value(call, later, forward, position.price, sigma * vol_factor) - before


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
                unit = leg.unit_price * (growth[:, u] - 1.0)
            elif leg.position.kind.is_linear:
                unit = _linear(round_, leg.position, growth[:, u], elapsed_sec)
            else:
                unit = _option(round_, leg.position, growth[:, u], vol_factor[:, u], elapsed_sec)
            out[:, j] = leg.quantity * unit
    if not np.isfinite(out).all():
        j = int((~np.isfinite(out)).any(axis=0).argmax())
        raise DomainError(legs[j].label, "its value under a scenario is too large for a float")
    return out
