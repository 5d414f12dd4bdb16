"""Tests of exceedance counts: Kupiec, Christoffersen, the traffic light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy
from scipy.stats import binom, chi2

from plimsoll.errors import InputError

Flags = npt.NDArray[np.bool_]

#: p-value below which a test fails.
SIGNIFICANCE: Final = 0.05


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """Statistic, its degrees of freedom and the p-value under the chi-squared law."""

    statistic: float
    degrees: int
    p_value: float

    def to_json(self) -> dict[str, float]:
        """Return statistic, degrees of freedom and p-value."""
        return {"statistic": self.statistic, "degrees": self.degrees, "pValue": self.p_value}


def _ratio(statistic: float, degrees: int) -> LikelihoodRatio:
    value = max(statistic, 0.0)
    return LikelihoodRatio(value, degrees, float(chi2.sf(value, degrees)))


def kupiec(exceedances: int, observations: int, probability: float) -> LikelihoodRatio:
    """Proportion-of-failures test: the exceedance rate is ``probability``.

    Parameters
    ----------
    exceedances, observations : int
    probability : float
        In (0, 1).

    Returns
    -------
    LikelihoodRatio
        One degree of freedom.

    Raises
    ------
    InputError
        For counts or a probability outside their range.

    References
    ----------
    .. [1] P. Kupiec, Techniques for verifying the accuracy of risk measurement models, 1995.
    """
    if observations < 1 or not 0 <= exceedances <= observations or not 0.0 < probability < 1.0:
        raise InputError("kupiec", f"{exceedances} of {observations} at probability {probability:g} is no valid count")
    x, n = exceedances, observations
    rate = x / n
    free = xlogy(n - x, 1.0 - rate) + xlogy(x, rate)
    bound = (n - x) * np.log1p(-probability) + x * np.log(probability)
    return _ratio(float(2.0 * (free - bound)), 1)


def transitions(hits: Flags) -> tuple[int, int, int, int]:
    """Count ``n00, n01, n10, n11``: state yesterday, state today; True is an exceedance."""
    before, after = hits[:-1], hits[1:]
    return (
        int((~before & ~after).sum()),
        int((~before & after).sum()),
        int((before & ~after).sum()),
        int((before & after).sum()),
    )


def christoffersen(n00: int, n01: int, n10: int, n11: int) -> LikelihoodRatio:
    """Independence test: does an exceedance make another one on the next day more likely.

    Parameters
    ----------
    n00, n01, n10, n11 : int
        As ``transitions`` counts them.

    Returns
    -------
    LikelihoodRatio
        One degree of freedom; 0 when there are no exceedances to cluster.

    References
    ----------
    .. [1] P. Christoffersen, Evaluating interval forecasts, International Economic Review 39, 1998.
    """
    total = n00 + n01 + n10 + n11
    if total < 1 or min(n00, n01, n10, n11) < 0:
        raise InputError("christoffersen", f"{n00}, {n01}, {n10}, {n11} are no valid counts")
    calm, after_hit = n00 + n01, n10 + n11
    rate = (n01 + n11) / total
    p01 = n01 / calm if calm else 0.0
    p11 = n11 / after_hit if after_hit else 0.0
    free = xlogy(n00, 1.0 - p01) + xlogy(n01, p01) + xlogy(n10, 1.0 - p11) + xlogy(n11, p11)
    bound = xlogy(n00 + n10, 1.0 - rate) + xlogy(n01 + n11, rate)
    return _ratio(float(2.0 * (free - bound)), 1)


def conditional_coverage(hits: Flags, probability: float) -> tuple[LikelihoodRatio, LikelihoodRatio, LikelihoodRatio]:
    """Kupiec, independence, and their sum with two degrees of freedom.

    Parameters
    ----------
    hits : ndarray of bool, shape (n,), n at least 2
    probability : float

    Returns
    -------
    three LikelihoodRatio
    """
    if hits.size < 2:
        raise InputError("coverage", f"{hits.size} observation(s), at least 2 are needed")
    pof = kupiec(int(hits.sum()), hits.size, probability)
    independence = christoffersen(*transitions(hits))
    return pof, independence, _ratio(pof.statistic + independence.statistic, 2)


def too_many(count: int, expected: float, p_value: float) -> bool:
    """Return whether a count of exceedances rejects its coverage; too few of them is no failure.

    Parameters
    ----------
    count : int
        Exceedances.
    expected : float
        How many the claimed coverage allows.
    p_value : float
        Of Kupiec's test.

    Returns
    -------
    bool
    """
    return p_value < SIGNIFICANCE and count > expected


def traffic_light(exceedances: int, observations: int, probability: float) -> str:
    """Zone of the Basel committee, for any number of observations.

    Returns
    -------
    str
        ``green`` while the chance of at most that many is below 95 %, ``yellow`` below 99.99 %, else ``red``.

    References
    ----------
    .. [1] Basel Committee, Supervisory framework for the use of backtesting, 1996 (250 days at 99 %: 5 and 10).
    """
    cumulative = float(binom.cdf(exceedances, observations, probability))
    if cumulative < 0.95:
        return "green"
    return "yellow" if cumulative < 0.9999 else "red"
