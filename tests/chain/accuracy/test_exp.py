"""Exp: bit-exact, within its bound of floats and of 50 digits, monotone over steps wider than its error, total."""

from __future__ import annotations

import itertools
import math
import random

import mpmath as mp
import pytest

from tests.chain.accuracy.points import INT_MAX, INT_MIN, WAD
from tests.chain.helpers.errors import reverts_with
from tests.python.oracle import fixed

LOWEST, HIGHEST = -41446531673892822312, 135305999368893231000


def arguments() -> list[int]:
    rng = random.Random(11)
    edges = [LOWEST - 1, LOWEST, LOWEST + 1, -WAD, -1, 0, 1, WAD, HIGHEST - 1, HIGHEST, INT_MIN]
    # Where the power of two changes: odd multiples of ln(2)/2.
    halves = [int(mp.log(2) * WAD * (2 * k + 1) / 2) + d for k in range(-40, 190, 7) for d in (-1, 0, 1)]
    return [*edges, *halves, *(rng.randrange(LOWEST, HIGHEST) for _ in range(600))]


def test_equals_the_integer_reference(probe):
    x = arguments()
    assert list(probe.exp(x)) == [fixed.exp_wad(v) for v in x]


def test_stays_within_its_bound(probe):
    x = arguments()
    for v, got in zip(x, probe.exp(x), strict=True):
        exact = mp.exp(mp.mpf(v) / WAD) * WAD
        assert abs(got - exact) <= 1 + exact * mp.mpf("2e-16"), v


def test_agrees_with_floats(probe):
    x = [v for v in arguments() if v > LOWEST]
    for v, got in zip(x, probe.exp(x), strict=True):
        assert abs(got / WAD - math.exp(v / WAD)) <= 1e-18 + 2e-14 * math.exp(v / WAD)


def test_shape(probe):
    x = list(range(-41 * WAD, 135 * WAD, WAD // 7))
    y = probe.exp(x)
    assert all(a < b or a < 10 for a, b in itertools.pairwise(y))
    assert all(a <= b for a, b in itertools.pairwise(y))
    assert list(probe.exp([0, INT_MIN, LOWEST - 1])) == [WAD, 0, 0]


@pytest.mark.parametrize("x", [HIGHEST + 1, 136 * WAD, 2**128, INT_MAX])
def test_too_large_is_named(probe, x):
    with reverts_with("Exp__Overflow", x, HIGHEST):
        probe.exp([x])
