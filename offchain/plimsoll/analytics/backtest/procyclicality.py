"""How a margin rule moves through the cycle, and the rule that calibration proposes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.series.moves import ewma_volatility

Vector = npt.NDArray[np.float64]

#: Share of the stressed level in the buffered rule (EMIR RTS 153/2013, article 28(1)(b)).
STRESS_WEIGHT = 0.25
WINDOW = 250


@dataclass(frozen=True, slots=True)
class Procyclicality:
    """Peak over trough of a rule, and its largest rise within 1, 5 and 20 steps, as ratios."""

    peak_to_trough: float
    rise_1: float
    rise_5: float
    rise_20: float

    def to_json(self) -> dict[str, float]:
        """Return the four ratios."""
        return {
            "peakToTrough": self.peak_to_trough,
            "rise1": self.rise_1,
            "rise5": self.rise_5,
            "rise20": self.rise_20,
        }


def procyclicality(path: Vector) -> Procyclicality:
    """Measure a path of a margin parameter.

    Parameters
    ----------
    path : ndarray, shape (n,)
        Positive.

    Returns
    -------
    Procyclicality
        All 1 for a constant rule.

    References
    ----------
    .. [1] D. Murphy, M. Vasios, N. Vause, An investigation into the procyclicality of risk-based initial margin
       models, Bank of England, 2014.
    """
    rises = [float((path[n:] / path[:-n]).max()) if path.size > n else 1.0 for n in (1, 5, 20)]
    return Procyclicality(float(path.max() / path.min()), *(max(rise, 1.0) for rise in rises))


def rolling_rules(moves: Vector, coverage: float, decay: float, floor: float) -> tuple[Vector, Vector]:
    """Price range that two rules would have set before every move, from earlier moves only.

    Parameters
    ----------
    moves : ndarray, shape (n,)
        Signed moves, n above ``WINDOW``.
    coverage, decay, floor : float

    Returns
    -------
    raw, buffered : ndarray, shape (n + 1 - WINDOW,)
        The last entry is the rule for the move after the history.
        ``raw`` is the quantile of past absolute moves in units of their EWMA forecast, times today's forecast.
        ``buffered`` is ``max(floor, (1-w)*raw + w*stressed, long-run quantile)``; ``stressed`` is the largest ``raw``
        so far.
    """
    # The start value must not see the future: the first window, before any rule is set, gives it.
    start = (moves[:WINDOW, None] ** 2).mean(axis=0)
    forecast = ewma_volatility(moves[:, None], decay, start)[:, 0]
    ratio, size = np.abs(moves) / np.maximum(forecast[:-1], 1e-12), np.abs(moves)
    raw = np.empty(moves.size + 1 - WINDOW)
    long_run = np.empty_like(raw)
    for i in range(raw.size):
        raw[i] = np.quantile(ratio[: WINDOW + i], coverage) * forecast[WINDOW + i]
        long_run[i] = np.quantile(size[: WINDOW + i], coverage)
    stressed = np.maximum.accumulate(raw)
    buffered = np.maximum(np.maximum((1.0 - STRESS_WEIGHT) * raw + STRESS_WEIGHT * stressed, long_run), floor)
    return raw, buffered
