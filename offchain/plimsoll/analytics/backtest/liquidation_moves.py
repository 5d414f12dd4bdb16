"""Price moves over the liquidation horizon, in the terms of the scan range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.series.history import History
from plimsoll.errors import InputError

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BlockMoves:
    """Moves of one asset over blocks that do not overlap.

    Attributes
    ----------
    end : ndarray of int64, shape (n,)
        Row of the history at which the block ends.
    close : ndarray, shape (n,)
        Relative move from close to close, signed.
    worst : ndarray, shape (n,)
        Relative move of the high or low that lies furthest from the close before the block, signed.
    """

    end: Integers
    close: Vector
    worst: Vector


def block_moves(history: History, asset: str, steps: int) -> BlockMoves:
    """Cut the history into blocks of ``steps`` and measure each from the close before it.

    Parameters
    ----------
    history : History
    asset : str
    steps : int
        Liquidation horizon in steps of the history.

    Returns
    -------
    BlockMoves

    Raises
    ------
    InputError
        If there is no whole block, or all moves are equal.
    """
    column = history.assets.index(asset)
    close = history.close[:, column]
    n = (close.size - 1) // steps
    if steps < 1 or n < 1:
        raise InputError(history.source, f"{close.size} rows hold no block of {steps} step(s)")
    start = close[: n * steps : steps]
    end = np.arange(1, n + 1) * steps
    high = history.high[1 : n * steps + 1, column].reshape(n, steps).max(axis=1) / start - 1.0
    low = history.low[1 : n * steps + 1, column].reshape(n, steps).min(axis=1) / start - 1.0
    moves = close[end] / start - 1.0
    if n > 1 and np.ptp(moves) == 0.0:
        raise InputError(history.source, f"{asset}: every move is the same: constant series")
    return BlockMoves(end, moves, np.where(high > -low, high, low))
