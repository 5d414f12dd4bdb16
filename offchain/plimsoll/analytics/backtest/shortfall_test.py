"""Back-test of expected shortfall: Acerbi and Szekely's second test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t

Vector = npt.NDArray[np.float64]

SIMULATIONS = 4_000


@dataclass(frozen=True, slots=True)
class ShortfallTest:
    """``z`` is 0 in expectation under the law, negative when losses beyond the limit are too many or too large.

    ``p_value`` is the share of simulated statistics at or below ``z``; ``shortfall`` the ES the law implies.
    """

    z: float
    p_value: float
    shortfall: float

    def to_json(self) -> dict[str, float]:
        """Return statistic, p-value and implied shortfall."""
        return {"statistic": self.z, "pValue": self.p_value, "impliedShortfall": self.shortfall}


def shortfall_ratio(coverage: float, degrees: float) -> float:
    """ES over quantile of the absolute value of a Student-t variable, at ``coverage``."""
    tail = 0.5 * (1.0 - coverage)
    q = float(t.isf(tail, degrees))
    mean = float(t.pdf(q, degrees)) / tail * (degrees + q * q) / (degrees - 1.0)
    return mean / q


def shortfall_test(moves: Vector, limit: float, coverage: float, degrees: float, seed: int) -> ShortfallTest:
    """Test whether moves beyond ``limit`` are as many and as large as a Student-t law says.

    Parameters
    ----------
    moves : ndarray, shape (n,)
        Absolute moves, independent.
    limit : float
        Claimed quantile of the absolute move at ``coverage``.
    coverage : float
    degrees : float
        Degrees of freedom of the law, above 1.
    seed : int

    Returns
    -------
    ShortfallTest
        ``z = 1 - sum(m*[m > limit])/(n*(1-coverage)*ES)``.

    References
    ----------
    .. [1] C. Acerbi, B. Szekely, Back-testing expected shortfall, Risk, December 2014, test 2.
    """
    shortfall = limit * shortfall_ratio(coverage, degrees)
    scale = moves.size * (1.0 - coverage) * shortfall
    z = 1.0 - float(moves[moves > limit].sum()) / scale
    # Under the law only exceedances count: their number is binomial, their size the tail of the law.
    rng = np.random.default_rng(seed)
    counts = rng.binomial(moves.size, 1.0 - coverage, size=SIMULATIONS)
    unit = limit / float(t.isf(0.5 * (1.0 - coverage), degrees))
    sizes = unit * t.isf(0.5 * (1.0 - coverage) * (1.0 - rng.random(int(counts.sum()))), degrees)
    sums = np.zeros(SIMULATIONS)
    np.add.at(sums, np.repeat(np.arange(SIMULATIONS), counts), sizes)
    p_value = float((1.0 - sums / scale <= z).mean())
    return ShortfallTest(z, p_value, shortfall)
