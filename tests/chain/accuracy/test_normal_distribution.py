"""NormalDistribution: bit-exact, within its bound, symmetric, never falling, right on the whole int256 range."""

from __future__ import annotations

import itertools
import random

import mpmath as mp
import pytest
from scipy.special import ndtr

from tests.chain.accuracy.points import INT_MAX, INT_MIN, WAD, signed
from tests.python.oracle import fixed

LIMIT = 64 * 10**17


def arguments() -> list[int]:
    clip = [sign * LIMIT + d for sign in (-1, 1) for d in (-1, 0, 1)]
    steps = [k * 2**26 + d for k in (1, 2, 3, 10**9) for d in (-1, 0, 1)]
    return [*clip, *steps, *signed(18, 7)]


def test_equals_the_integer_reference(probe):
    x = arguments()
    assert list(probe.cdf(x)) == [fixed.cdf(v) for v in x]


def test_stays_within_its_bound(probe):
    """Absolute, and where a strike of 20 forwards may stand: the error falls with the tail."""
    x = arguments()
    for v, got in zip(x, probe.cdf(x), strict=True):
        real = mp.mpf(v) / WAD
        error = abs(mp.mpf(got) / WAD - mp.ncdf(real))
        assert error <= mp.mpf("3e-10"), v
        if abs(v) < LIMIT:
            assert error * min(mp.exp(real * real / 2), 20) <= mp.mpf("3e-10"), v


def test_agrees_with_scipy(probe):
    x = arguments()
    for v, got in zip(x, probe.cdf(x), strict=True):
        assert got / WAD == pytest.approx(ndtr(v / WAD), abs=3e-10)


def test_shape(probe):
    rng = random.Random(19)
    x = sorted([rng.randrange(-7 * WAD, 7 * WAD) for _ in range(1_500)] + [-LIMIT - 1, -LIMIT, LIMIT, LIMIT + 1])
    y = list(probe.cdf(x))
    assert all(a <= b for a, b in itertools.pairwise(y))
    assert [a + b for a, b in zip(y, probe.cdf([-v for v in x]), strict=True)] == [WAD] * len(x)
    assert list(probe.cdf([0, INT_MIN, INT_MIN + 1, INT_MAX])) == [WAD // 2, 0, 0, WAD]
    powers = [2**k for k in range(63, 255)]
    assert set(probe.cdf(powers)) == {WAD}
    assert set(probe.cdf([-v for v in powers])) == {0}
