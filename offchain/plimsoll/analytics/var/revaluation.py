"""Full revaluation of every leg under joint moves, with the formulas of the mirror.

A scenario moves spot, perpetual and all forwards of an underlying by one factor and every volatility at its
strike by one factor (sticky strike, as the scenario rows do); time passes at constant volatility per strike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.series.moves import Moves
from plimsoll.analytics.var.legs import Leg
from plimsoll.constants import YEAR_SEC
from plimsoll.errors import DomainError
from plimsoll.mirror import black76
from plimsoll.mirror.settlement_window import WINDOW_SEC, variance_time, window_of
from plimsoll.mirror.unit_risk import open_volatility, surface_of
from plimsoll.model import Kind, Market, Position, Round, Surface

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Moment:
    """One expiry at a time: what of its settlement price is known, cash per unit, and what is open."""

    discount: float
    open: float
    known: Vector
    root: float


def _moments(round_: Round, surface: Surface, forward: Vector, elapsed_sec: int) -> tuple[_Moment, _Moment]:
    """Return now and later; what settles meanwhile settles at the moved ``forward``."""
    left = max(surface.expiry_ts - round_.ts, 0)
    window = window_of(round_, surface.expiry_ts)
    rest = max(left - elapsed_sec, 0)
    known = max(WINDOW_SEC - rest, 0) / WINDOW_SEC
    before = np.array(window.known * window.mean)
    now = _Moment(math.exp(-surface.rate * window.time), window.open, before, math.sqrt(window.variance_time))
    later = _Moment(
        math.exp(-surface.rate * rest / YEAR_SEC),
        1.0 - known,
        before + (known - window.known) * forward,
        math.sqrt(variance_time(rest)),
    )
    return now, later


def _option_value(call: bool, moment: _Moment, forward: Vector, strike: float, sigma: Vector) -> Vector:
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


def _dated(round_: Round, position: Position, growth: Vector, vol_factor: Vector, elapsed_sec: int) -> Vector:
    """Per-unit P&L of an option or a future."""
    surface = surface_of(round_, position.expiry_ts)
    forward = surface.forward * growth
    now, later = _moments(round_, surface, forward, elapsed_sec)
    if position.kind == Kind.FUTURE:
        before = now.discount * (now.open * surface.forward + now.known - position.price)
        return np.asarray(later.discount * (later.open * forward + later.known - position.price) - before)
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
            elif leg.position.kind == Kind.PERP:
                unit = round_.perp * (growth[:, u] - 1.0)
            else:
                unit = _dated(round_, leg.position, growth[:, u], vol_factor[:, u], elapsed_sec)
            out[:, j] = leg.quantity * unit
    if not np.isfinite(out).all():
        j = int((~np.isfinite(out)).any(axis=0).argmax())
        raise DomainError(legs[j].label, "its value under a scenario is too large for a float")
    return out
