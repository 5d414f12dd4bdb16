"""Kupiec, Christoffersen, traffic light and ES test against published figures."""

import numpy as np
import pytest
from scipy.stats import t

from plimsoll.analytics.backtest.coverage import (
    christoffersen,
    conditional_coverage,
    kupiec,
    traffic_light,
    transitions,
)
from plimsoll.analytics.backtest.shortfall_test import shortfall_ratio, shortfall_test
from plimsoll.errors import InputError

CRITICAL = 3.841


def test_matlab_example():
    """MathWorks, Risk Management Toolbox, ``varbacktest`` examples ``cc`` and ``cci`` (EquityIndex, Normal95)."""
    pof, independence = kupiec(57, 1043, 0.05), christoffersen(932, 53, 53, 4)
    assert pof.statistic == pytest.approx(0.46147, abs=5e-6)
    assert pof.p_value == pytest.approx(0.49694, abs=5e-6)
    assert independence.statistic == pytest.approx(0.25866, abs=5e-6)
    assert independence.p_value == pytest.approx(0.61104, abs=5e-6)
    assert pof.statistic + independence.statistic == pytest.approx(0.72013, abs=1e-5)


def test_jp_morgan_1998():
    """P. Jorion, Value at Risk, 3rd edition, chapter 6: 20 exceptions in 252 days at 95 %, LR 3.91, rejected."""
    got = kupiec(20, 252, 0.05)
    assert got.statistic == pytest.approx(3.91, abs=0.005)
    assert got.p_value < 0.05


@pytest.mark.parametrize(
    ("probability", "days", "low", "high"),
    [
        (0.01, 510, 1, 11), (0.01, 1000, 4, 17),
        (0.025, 255, 2, 12), (0.025, 510, 6, 21), (0.025, 1000, 15, 36),
        (0.05, 255, 6, 21), (0.05, 510, 16, 36), (0.05, 1000, 37, 65),
        (0.10, 255, 16, 36), (0.10, 510, 38, 65), (0.10, 1000, 81, 120),
    ],
)  # fmt: skip
def test_kupiec_non_rejection_regions(probability, days, low, high):
    """P. Kupiec 1995, table of non-rejection regions ``low < N < high`` at 95 % (also Jorion, table 6-2)."""
    accepted = [n for n in range(days // 4) if kupiec(n, days, probability).statistic < CRITICAL]
    assert accepted[0] == low + 1
    assert accepted[-1] == high - 1


def test_basel_zones():
    """Basel Committee 1996, table 1: 250 days at 99 %, green to 4, yellow 5 to 9, red from 10."""
    zones = [traffic_light(n, 250, 0.01) for n in range(12)]
    assert zones == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 2


def test_clusters_are_rejected_and_the_count_alone_is_not():
    hits = np.zeros(250, dtype=bool)
    hits[[39, 40, 41, 99, 100, 199, 200, 201, 202, 203]] = True
    pof, independence, joint = conditional_coverage(hits, 0.04)
    assert transitions(hits) == (236, 3, 3, 7)
    assert pof.statistic == pytest.approx(0.0, abs=1e-12)
    assert independence.p_value < 1e-6
    assert joint.degrees == 2


@pytest.mark.parametrize("count", [0, 100])
def test_no_or_only_exceedances_give_finite_figures(count):
    assert all(np.isfinite(r.statistic) for r in conditional_coverage(np.full(100, count == 100), 0.01))


def test_bad_counts_are_refused():
    with pytest.raises(InputError, match="no valid count"):
        kupiec(3, 2, 0.01)


def test_shortfall_ratio_is_that_of_the_law():
    draws = np.abs(t.rvs(4, size=2_000_000, random_state=np.random.default_rng(3)))
    q = np.quantile(draws, 0.99)
    assert shortfall_ratio(0.99, 4) == pytest.approx(draws[draws > q].mean() / q, rel=0.01)


def test_shortfall_test_holds_its_size_and_sees_larger_losses():
    rng = np.random.default_rng(4)
    limit = t.isf(0.005, 4)
    p = [shortfall_test(np.abs(t.rvs(4, size=2_000, random_state=rng)), limit, 0.99, 4, 1).p_value for _ in range(200)]
    assert 0.01 <= np.mean(np.array(p) < 0.05) <= 0.10
    worse = np.abs(t.rvs(4, size=2_000, random_state=rng)) * 1.5
    assert shortfall_test(worse, limit, 0.99, 4, 1).p_value < 0.01
