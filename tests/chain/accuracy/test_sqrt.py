"""Sqrt: bit-exact, within two units of the floor, over every uint256."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from tests.chain.accuracy.points import UINT_MAX, WAD, sized, unsigned
from tests.chain.helpers.errors import reverts_with
from tests.python.oracle import fixed

WAD_LIMIT = 2**196


def arguments() -> list[int]:
    rng = random.Random(14)
    window = [2**110 + d for d in (-1, 0, 1)] + [416 * 10**34 + d for d in (-1, 0, 1)]
    squares = [root**2 + d for root in (1, 2, WAD, 2**64, 2**127, 2**128 - 1) for d in (-1, 0, 1)]
    inside = [sized(rng, 110, 121.6) for _ in range(400)]
    return [*window, *squares, *inside, *unsigned(15, 256), UINT_MAX]


def test_equals_the_integer_reference(probe):
    x = arguments()
    assert list(probe.sqrt(x)) == [fixed.sqrt(v) for v in x]
    wads = [v for v in unsigned(16, 196)]
    assert list(probe.sqrtWad(wads)) == [fixed.sqrt_wad(v) for v in wads]


def test_stays_within_its_bound(probe):
    x = arguments()
    for v, got in zip(x, probe.sqrt(x), strict=True):
        floor = math.isqrt(v)
        low = 2 if 2**110 <= v < 416 * 10**34 else 0
        assert floor - low <= got <= floor + 1, v


def test_agrees_with_floats(probe):
    x = [v for v in unsigned(17, 196) if v > 10**6]
    for v, got in zip(x, probe.sqrtWad(x), strict=True):
        assert got / WAD == pytest.approx(math.sqrt(v / WAD), rel=1e-14, abs=2e-18)


def test_shape(probe):
    x = [int(1.05**k) for k in range(0, 3600, 3)]
    y = probe.sqrt(x)
    assert all(a <= b for a, b in itertools.pairwise(y))
    assert list(probe.sqrt([0, 1, 4, UINT_MAX])) == [0, 1, 2, 2**128 - 1]
    assert list(probe.sqrtWad([0, 4 * WAD])) == [0, 2 * WAD]


@pytest.mark.parametrize("x", [WAD_LIMIT, UINT_MAX])
def test_too_large_is_named(probe, x):
    with reverts_with("Sqrt__TooLarge", x, WAD_LIMIT - 1):
        probe.sqrtWad([x])
