"""Intervals of VaR and ES where scenarios are no independent observations: by drawing the observations again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.var.tail import Interval, tail_figures

Vector = npt.NDArray[np.float64]

#: Draws of the sample behind one interval; the ends of a 95 % one are its fifth and its last but four.
REPLICATES: Final = 200
#: Blocks hold this many horizons, so that the dependence of overlapping moves is inside them.
HORIZONS_A_BLOCK: Final = 2


def coherent(var: float, es: float, var_interval: Interval, es_interval: Interval) -> tuple[Interval, Interval]:
    """Make two intervals say nothing that cannot be.

    Parameters
    ----------
    var, es : float
        The estimates.
    var_interval, es_interval : (float, float)

    Returns
    -------
    (float, float), (float, float)
        Each holds its own estimate. An expected shortfall is never below its VaR, so neither end of its interval is
        below the same end of the other.
    """
    low, high = min(var_interval[0], var), max(var_interval[1], var)
    return (low, high), (max(min(es_interval[0], es), low), max(es_interval[1], es, high))


def percentile_intervals(
    var: float, es: float, replicates: Iterable[tuple[float, float]], confidence: float
) -> tuple[Interval, Interval]:
    """Percentile intervals of VaR and ES from figures of samples that were drawn again.

    Parameters
    ----------
    var, es : float
        The estimates.
    replicates : iterable of (float, float)
        VaR and ES of each sample drawn.
    confidence : float

    Returns
    -------
    (float, float), (float, float)
        A sample that was drawn from a sample lacks some of its extremes, so its figures are too low by about as much as
        those of the sample itself: the upper ends are raised by that.

    References
    ----------
    .. [1] B. Efron, R. Tibshirani, An introduction to the bootstrap, 1993, chapter 13.
    """
    drawn = np.array(list(replicates))
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(drawn, [tail, 1.0 - tail], axis=0)
    high += np.maximum(np.array([var, es]) - drawn.mean(axis=0), 0.0)
    return coherent(var, es, (float(low[0]), float(high[0])), (float(low[1]), float(high[1])))


def block_intervals(pnl: Vector, level: float, steps: int, confidence: float, seed: int) -> tuple[Interval, Interval]:
    """Intervals of VaR and ES of overlapping moves: circular blocks of the sample are drawn again.

    Parameters
    ----------
    pnl : ndarray, shape (n,)
        P&L of overlapping moves, oldest first.
    level : float
    steps : int
        Moves that overlap each one.
    confidence : float
    seed : int

    Returns
    -------
    (float, float), (float, float)

    References
    ----------
    .. [1] D. Politis, J. Romano, A circular block-resampling procedure for stationary data, 1992.
    """
    rng = np.random.default_rng([seed, steps])
    block = min(HORIZONS_A_BLOCK * steps, pnl.size)
    starts = -(-pnl.size // block)
    offset = np.arange(block)

    def draws() -> Iterable[tuple[float, float]]:
        for _ in range(REPLICATES):
            first = rng.integers(pnl.size, size=starts)
            rows = (first[:, None] + offset).ravel()[: pnl.size] % pnl.size
            yield tail_figures(pnl[rows], level)

    return percentile_intervals(*tail_figures(pnl, level), draws(), confidence)
