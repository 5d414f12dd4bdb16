"""Deribit portfolio margin: risk matrix, extended rows, roll charge.

Verified on published figures: price ranges, inverse P&L, gains times ``pnlOffset``, the roll charge at its minimum
move, and maintenance at 0.8 of the matrix. The extended rows and the annualised branch of the roll charge rest on
third-party statements. Delta shock, correlation and open orders are not modelled: their formulas are not public or
their inputs are not in a portfolio file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.models.account import ModelAccount, ModelMargin
from plimsoll.analytics.models.holdings import Holdings
from plimsoll.analytics.models.parameters import ModelParams, choice, number, numbers
from plimsoll.analytics.models.shocks import vol_states

NAME: Final = "deribit"
EVIDENCE: Final = "matrix, roll and factor verified; extended rows third-party"
Vector = npt.NDArray[np.float64]
_STEPS: Final = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class DeribitParams:
    """Parameters of one index; ``settlement`` is ``linear`` (USDC) or ``inverse`` (coin)."""

    settlement: str = choice("linear", "inverse")
    price_range: float = number(0.001, 0.9)
    vol_up: float = number(0.0, 5.0)
    vol_down: float = number(0.0, 1.0)
    vol_floor: float = number(0.0, 5.0)
    pnl_offset: float = number(0.0, 1.0)
    extended_moves: tuple[float, ...] = numbers(-0.99, 10.0, zero=False)
    extended_factor: float = number(0.0, 2.0)
    dampener: float = number(0.0, 1e9)
    min_move: float = number(0.0, 1.0)
    annual_move: float = number(0.0, 5.0)
    maintenance_factor: float = number(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of one underlying: moves, P&L of standard and extended rows, worst loss and roll charge, cash."""

    moves: tuple[float, ...]
    standard: Vector
    extended: Vector
    worst: float
    roll: float


def _row(held: Holdings, move: float, sigma: Vector, params: DeribitParams) -> float:
    """P&L of all positions, cash at today's index."""
    if params.settlement == "linear":
        return held.pnl(move, sigma)
    linear = held.spot * move / (1.0 + move)
    value = held.option_values(held.forward * (1.0 + move), sigma) / (1.0 + move)
    return float(held.quantity @ np.where(held.is_option, value - held.unit_mark, linear))


def _extended(held: Holdings, move: float, sigma: Vector, params: DeribitParams) -> float:
    """Row beyond the range: scaled back to the range, its loss reduced by the dampener."""
    reach = params.price_range
    pnl = _row(held, move, sigma, params) * params.extended_factor * reach / abs(move)
    if params.settlement == "inverse":
        pnl *= (1.0 + move) / (1.0 + np.sign(move) * reach)
    if pnl < 0.0:
        pnl += min((abs(move) / reach - 1.0) * params.dampener, -pnl)
    return pnl


def matrix_of(held: Holdings, params: DeribitParams) -> Matrix:
    """Risk matrix of one underlying.

    Parameters
    ----------
    held : Holdings
    params : DeribitParams

    Returns
    -------
    Matrix
        Gains of a row are multiplied by ``pnl_offset``.
    """
    states = vol_states(held.sigma, held.time, params.vol_up, params.vol_down, params.vol_floor)
    moves = tuple(step * params.price_range for step in _STEPS)
    standard = np.array([[_row(held, move, states[s], params) for s in ("down", "flat", "up")] for move in moves])
    extended = np.array([_extended(held, move, states["up"], params) for move in params.extended_moves])
    standard = np.where(standard > 0.0, standard * params.pnl_offset, standard)
    extended = np.where(extended > 0.0, extended * params.pnl_offset, extended)
    worst = max(0.0, -float(min(standard.min(), extended.min())))
    deltas = np.abs(held.by_expiry(held.quantity * held.delta)) * held.spot
    roll = float(deltas @ np.maximum(params.min_move, np.expm1(params.annual_move * held.bucket_times())))
    return Matrix(moves, standard, extended, worst, roll)


def margin(account: ModelAccount, params: ModelParams[DeribitParams]) -> ModelMargin:
    """Deribit portfolio margin of an account.

    Parameters
    ----------
    account : ModelAccount
    params : ModelParams of DeribitParams

    Returns
    -------
    ModelMargin
        Indices add up; collateral counts after its full haircut and takes no part in the rows.
    """
    parts = [matrix_of(h, params.of(h.name)) for h in account.holdings if h.quantity.size]
    worst, roll = sum(p.worst for p in parts), sum(p.roll for p in parts)
    haircuts = account.haircuts()
    return ModelMargin(
        NAME,
        initial=worst + roll + haircuts,
        maintenance=params.default.maintenance_factor * (worst + roll) + haircuts,
        components={"worstRow": worst, "roll": roll, "haircuts": haircuts},
        notes=("no delta shock, correlation or open-order charge",),
    )
