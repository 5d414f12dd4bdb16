"""P&L of an account as a function of moves, on a grid: thousands of scenarios for the price of a few hundred."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.series.moves import Moves
from plimsoll.analytics.var.legs import Leg
from plimsoll.analytics.var.revaluation import revalue
from plimsoll.model import Market

Vector = npt.NDArray[np.float64]

#: Log moves at the points of the grid: dense where moves are usual, and far beyond any that was seen.
PRICE_REACH: Final = 4.0
PRICE_POINTS: Final = 401
VOL_REACH: Final = 3.0
VOL_POINTS: Final = 31


def _axis(reach: float, points: int) -> Vector:
    """Points from ``-reach`` to ``reach``, closer to each other near zero."""
    even = np.linspace(-1.0, 1.0, points)
    return np.asarray(reach * np.sign(even) * np.abs(even) ** 1.5)


def _place(axis: Vector, value: Vector) -> tuple[npt.NDArray[np.int64], Vector]:
    """Cell of every value, and how far into it; the first and last cells go on beyond the ends."""
    cell = np.clip(np.searchsorted(axis, value) - 1, 0, axis.size - 2)
    return cell, (value - axis[cell]) / (axis[cell + 1] - axis[cell])


def pnl_profile(
    market: Market, legs: Sequence[Leg], underlyings: Sequence[str], elapsed_sec: int
) -> Callable[[Moves], Vector]:
    """Tabulate the P&L of the legs of each underlying over its price and its volatility.

    Parameters
    ----------
    market : Market
    legs : sequence of Leg
    underlyings : sequence of str, length k
        Columns of the moves.
    elapsed_sec : int
        As in ``revalue``.

    Returns
    -------
    callable
        From ``Moves`` of n rows to the P&L of the account, shape (n,), cash; bilinear between the points.

    Notes
    -----
    No leg depends on two underlyings, so the account is a sum of one table each.
    """
    price, vol = _axis(PRICE_REACH, PRICE_POINTS), _axis(VOL_REACH, VOL_POINTS)
    tables = []
    for name in underlyings:
        own = [leg for leg in legs if leg.underlying == name]
        grid = np.stack(np.meshgrid(price, vol, indexing="ij"), axis=-1).reshape(-1, 2)
        moves = Moves(grid[:, :1], grid[:, 1:])
        tables.append(revalue(market, own, (name,), moves, elapsed_sec).sum(axis=1).reshape(price.size, vol.size))

    def profile(moves: Moves) -> Vector:
        total = np.zeros(moves.price.shape[0])
        for u, table in enumerate(tables):
            i, x = _place(price, moves.price[:, u])
            j, y = _place(vol, moves.vol[:, u])
            low = table[i, j] * (1.0 - y) + table[i, j + 1] * y
            high = table[i + 1, j] * (1.0 - y) + table[i + 1, j + 1] * y
            total += low * (1.0 - x) + high * x
        return total

    return profile
