"""Risk factors: joint log moves of prices and volatilities, from history."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.series.history import History
from plimsoll.errors import InputError

Vector = npt.NDArray[np.float64]

#: Where a history has no volatilities, they move by this share of the log move of the price's own EWMA volatility.
#: Measured on Deribit's DVOL (BTC, 1,164 days to January 2026) and 30-day at-the-money volatility (BTC and ETH, 173
#: days to June 2026): their largest daily rises are 0.54, 0.85 and 0.62 of it, their 99 % rises 0.50, 0.52 and 0.39,
#: and the correlations of the two moves 0.36, 0.44 and 0.40.
VOL_SHARE: Final = 0.5
#: Decay of that volatility.
VOL_DECAY: Final = 0.94
#: Moves that it starts from.
VOL_START: Final = 30


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


def log_moves(history: History, steps: int = 1, vol_share: float = 0.0) -> Moves:
    """Overlapping log moves over ``steps`` steps.

    Parameters
    ----------
    history : History
    steps : int
        At least 1.
    vol_share : float
        Where the history has no volatilities, they move by this share of the log move of each price's EWMA volatility;
        0 holds them.

    Returns
    -------
    Moves
        ``n - steps`` rows.

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
    if history.iv is not None:
        log_vol = np.log(history.iv)
    elif vol_share == 0.0:
        log_vol = np.zeros_like(log_price)
    else:
        log_vol = vol_share * np.log(_own_volatility(np.diff(log_price, axis=0)))
    return Moves(price, log_vol[steps:] - log_vol[:-steps])


def _own_volatility(moves: Vector) -> Vector:
    """EWMA volatility at every price, started from the first month alone so that it never looks ahead."""
    start = (moves[:VOL_START] ** 2).mean(axis=0)
    return ewma_volatility(moves, VOL_DECAY, np.where(start > 0.0, start, (moves**2).mean(axis=0)))


def volatility_note(history: History, vol_share: float) -> tuple[str, ...]:
    """Say what volatilities do where the history does not know; nothing where it does."""
    if history.iv is not None:
        return ()
    if vol_share == 0.0:
        return ("no volatility history: volatilities are held",)
    return (f"no volatility history: volatilities move by {vol_share:g} of each price's own EWMA volatility",)


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
    news = (1.0 - decay) * moves**2
    # A filter of scipy.signal does the same, and takes longer to import than all else that is computed here.
    columns = [
        list(accumulate(column, lambda before, new: decay * before + new, initial=start))
        for column, start in zip(news.T.tolist(), first.tolist(), strict=True)
    ]
    return np.sqrt(np.array(columns).T)
