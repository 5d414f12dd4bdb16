"""Full revaluation of every leg under joint moves, with the formulas of the mirror.

A scenario moves spot, perpetual and all forwards of an underlying by one factor and every volatility at its
strike by one factor (sticky strike, as the scenario rows do); time passes at constant volatility per strike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from offchain.analytics.legs import Leg
from offchain.analytics.moves import Moves
from offchain.errors import DomainError
from offchain.mirror import black76, svi
from offchain.mirror.risk_engine import surface_of, time_to_expiry
from offchain.model import Kind, Market, Position, Round

Vector = npt.NDArray[np.float64]


def _dated(round_: Round, position: Position, growth: Vector, vol_factor: Vector, elapsed_sec: int) -> Vector:
    """Per-unit P&L of an option or a future."""
    surface = surface_of(round_, position.expiry_ts)
    time = time_to_expiry(surface.expiry_ts, round_.ts)
    left = time_to_expiry(surface.expiry_ts, round_.ts + elapsed_sec)
    before, after = np.exp(-surface.rate * time), np.exp(-surface.rate * left)
    forward = surface.forward * growth
    if position.kind == Kind.FUTURE:
        return np.asarray(after * (forward - position.price) - before * (surface.forward - position.price))
    strike = np.array(position.price)
    sigma = svi.volatility(surface.svi, np.log(strike / surface.forward), time)
    is_call = np.array(position.kind == Kind.CALL)
    now, _ = black76.price_and_delta(
        is_call, np.array(surface.forward), strike, sigma * np.sqrt(time), np.array(before)
    )
    then, _ = black76.price_and_delta(is_call, forward, strike, sigma * vol_factor * np.sqrt(left), np.array(after))
    return then - now


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
            elif leg.position.kind == Kind.PERP:
                unit = round_.perp * (growth[:, u] - 1.0)
            else:
                unit = _dated(round_, leg.position, growth[:, u], vol_factor[:, u], elapsed_sec)
            out[:, j] = leg.quantity * unit
    if not np.isfinite(out).all():
        j = int((~np.isfinite(out)).any(axis=0).argmax())
        raise DomainError(legs[j].label, "its value under a scenario is too large for a float")
    return out
