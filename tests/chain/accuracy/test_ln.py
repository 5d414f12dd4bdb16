"""Ln: bit-exact, within its bound, exactly 0 at 1, odd under inversion of a quotient, total above 0."""

from __future__ import annotations

import itertools
import math
import random

import mpmath as mp
import pytest

from tests.chain.accuracy.points import UINT_MAX, WAD, sized, unsigned
from tests.chain.helpers.errors import reverts_with
from tests.python.oracle import fixed

BOUND = mp.mpf("7e-15")
#: First and last argument of the fast path.
NEAR = (5522977267577711, 180976919103986403398)


def arguments() -> list[int]:
    near = [edge + d for edge in NEAR for d in (-1, 0, 1)]
    return [*near, *(x for x in unsigned(12, 256) if x), UINT_MAX]


def ratios() -> list[tuple[int, int]]:
    rng = random.Random(13)
    pairs = [(1, 2**112 - 1), (2**112 - 1, 1), (1, 1), (WAD, WAD), (2**112 - 1, 2**112 - 1)]
    for _ in range(600):
        b = sized(rng, 20, 111)
        pairs.append((min(2**112 - 1, max(1, int(b * 2 ** rng.uniform(-12, 12)))), b))
    return pairs


def test_equals_the_integer_reference(probe):
    x = arguments()
    assert list(probe.ln(x)) == [fixed.ln_wad(v) for v in x]
    a, b = zip(*ratios(), strict=True)
    assert list(probe.lnRatio(a, b)) == [fixed.ln_ratio(*pair) for pair in ratios()]


def test_stays_within_its_bound(probe):
    x = arguments()
    for v, got in zip(x, probe.ln(x), strict=True):
        assert abs(mp.mpf(got) / WAD - mp.log(mp.mpf(v) / WAD)) <= BOUND, v


def test_ratio_stays_within_its_bound(probe):
    """Beyond 2**60 the quotient is rounded to fewer digits, which counts against b."""
    a, b = zip(*ratios(), strict=True)
    for p, q, got in zip(a, b, probe.lnRatio(a, b), strict=True):
        assert abs(mp.mpf(got) / WAD - mp.log(mp.mpf(p) / q)) <= BOUND + mp.mpf(q) / p / 2**128, (p, q)


def test_agrees_with_floats(probe):
    x = arguments()
    for v, got in zip(x, probe.ln(x), strict=True):
        assert abs(got / WAD - math.log(v / WAD)) <= 4e-14


def test_shape(probe):
    assert list(probe.ln([WAD])) == [0]
    assert list(probe.lnRatio([WAD, 7, 2**111], [WAD, 7, 2**111])) == [0, 0, 0]
    close = probe.ln([WAD + 10**6, WAD - 10**6])
    assert close[0] in (10**6 - 1, 10**6)
    assert close[1] in (-(10**6) - 1, -(10**6))
    x = [int(1.07**k) for k in range(60, 2600)]
    y = probe.ln(x)
    assert all(a < b for a, b in itertools.pairwise(y))
    forth, back = probe.lnRatio([3 * WAD, WAD], [WAD, 3 * WAD])
    assert abs(forth + back) <= 14_000


def test_zero_is_named(probe):
    with reverts_with("Ln__NotPositive", 0, 1):
        probe.ln([0])


@pytest.mark.parametrize(("a", "b"), [(0, 1), (1, 0), (0, 0)])
def test_quotient_with_zero_is_named(probe, a, b):
    with reverts_with("Ln__NotPositive", 0, 1):
        probe.lnRatio([a], [b])
