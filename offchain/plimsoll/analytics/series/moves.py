"""Risk factors: joint log moves of prices and volatilities, from history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from plimsoll.analytics.series.history import History
from plimsoll.errors import InputError

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moves:
    """Joint scenarios of ``k`` underlyings.

    Attributes
    ----------
    price, vol : ndarray, shape (n, k)
        Log move of every price of the underlying; log move of every volatility (0: unchanged).
    """

    price: Vector
    vol: Vector


def log_moves(history: History, steps: int = 1) -> Moves:
    """Overlapping log moves over ``steps`` steps.

    Parameters
    ----------
    history : History
    steps : int
        At least 1.

    Returns
    -------
    Moves
        ``n - steps`` rows; ``vol`` is zero where the history has no volatilities.

    Raises
    ------
    InputError
        If no row is left, or a price does not move at all.
    """
    if steps < 1 or history.ts.size <= steps:
        raise InputError(history.source, f"{history.ts.size} rows give no move over {steps} step(s)")
    log_price = np.log(history.close)
    price = log_price[steps:] - log_price[:-steps]
    constant = np.ptp(price, axis=0) == 0.0
    if price.shape[0] > 1 and constant.any():
        name = history.assets[int(constant.argmax())]
        raise InputError(history.source, f"{name}: every move over {steps} step(s) is the same: constant series")
    if history.iv is None:
        return Moves(price, np.zeros_like(price))
    log_iv = np.log(history.iv)
    return Moves(price, log_iv[steps:] - log_iv[:-steps])


def ewma_volatility(moves: Vector, decay: float, start: Vector | None = None) -> Vector:
    """Volatility forecast of every step and of the one after the last.

    Parameters
    ----------
    moves : ndarray, shape (n, k)
        Zero-mean moves, oldest first.
    decay : float
        Weight of yesterday's variance, in (0, 1).
    start : ndarray, shape (k,), optional
        Variance before the first move; the mean square of the whole series when left out.

    Returns
    -------
    ndarray, shape (n + 1, k)
        Row ``t`` uses moves before ``t`` only: ``v_t = decay*v_{t-1} + (1-decay)*m_{t-1}^2``.
    """
    first = (moves**2).mean(axis=0) if start is None else start
    squares = moves**2
    filtered, _ = lfilter([1.0 - decay], [1.0, -decay], squares, axis=0, zi=(decay * first)[None, :])
    forecast: Vector = np.sqrt(np.vstack((first, filtered)))
    return forecast
