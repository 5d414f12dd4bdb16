"""LiquidityMath: bit-exact, within its bound of 50 digits, concave, continuous, and below what a pool would pay out."""

from __future__ import annotations

import itertools
import random

import mpmath as mp
import pytest

from tests.chain.accuracy.points import WAD
from tests.python.oracle import fixed
from tests.python.oracle.fixed import RAY

MAX_TICK = 887_272
UINT128_MAX = 2**128 - 1


def ranges() -> list[tuple[int, int]]:
    """Roots of both ends: a tick, narrow, wide, all prices there are, cheap and dear."""
    rng = random.Random(21)
    edges = [(-MAX_TICK, MAX_TICK, 12), (75_000, 75_001, 0), (-201_000, -200_990, 12), (0, 60, 0)]
    drawn = [
        (t, t + rng.choice([1, 10, 200, 6_000, 80_000]), 0)
        for t in (rng.randrange(-100_000, 150_000) for _ in range(40))
    ]
    return [(fixed.root_at_tick(a, d), fixed.root_at_tick(b, d)) for a, b, d in edges + drawn]


def prices(lower: int, upper: int) -> list[int]:
    """Both ends exactly and beside, between them, beyond them, in wad."""
    rng = random.Random(lower % 2**32)
    ends = [max(root * root // 10**36, 10**6) for root in (lower, min(upper, 10**33))]
    beside = [max(end + d, 10**6) for end in ends for d in (-2, -1, 0, 1, 2)]
    low, high = ends[0], max(ends[1], ends[0] + 1)
    drawn = [int(mp.exp(rng.uniform(float(mp.log(max(low // 3, 10**6))), float(mp.log(high * 3))))) for _ in range(60)]
    return sorted({p for p in [*beside, *drawn, (low + high) // 2] if 10**6 <= p <= 10**30})


def amounts() -> list[int]:
    return [0, 1, 10**6, WAD, 123_456 * WAD + 789, UINT128_MAX]


def test_roots__equal_the_integer_reference_and_fifty_digits(probe):
    ticks = [-MAX_TICK, -1, 0, 1, MAX_TICK, *range(-887_000, 887_000, 9_973)]
    for decimals_up in (-12, -1, 0, 10, 12):
        got = list(probe.rootsAtTicks(ticks, decimals_up))
        assert got == [fixed.root_at_tick(t, decimals_up) for t in ticks]
        for tick, root in zip(ticks, got, strict=True):
            exact = mp.sqrt(mp.mpf("1.0001") ** tick * mp.mpf(10) ** decimals_up) * RAY
            assert abs(root - exact) <= 3e-16 * exact + 1, tick
        assert all(a < b for a, b in itertools.pairwise(sorted(zip(ticks, got, strict=True))))


@pytest.mark.parametrize("liquidity", amounts())
def test_equals_the_integer_reference(probe, liquidity):
    for lower, upper in ranges():
        at = prices(lower, upper)
        values, units, bends = probe.liquidity(lower, upper, liquidity, at)
        assert list(values) == [fixed.liquidity_value(lower, upper, liquidity, p) for p in at]
        assert list(units) == [fixed.liquidity_units(lower, upper, liquidity, p) for p in at]
        assert list(bends) == [fixed.liquidity_bend(lower, upper, liquidity, p) for p in at]


def exact_value(lower, upper, price):
    """Worth of one unit by the two tokens it stands for, and the units of the base among them."""
    a, b, y = (mp.mpf(x) for x in (lower, upper, price))
    a, b, y = a / RAY, b / RAY, y / WAD
    root = min(max(mp.sqrt(y), a), b)
    units = 1 / root - 1 / b
    return units * y + root - a, units


def test_stays_within_its_bound_of_fifty_digits(probe):
    liquidity = 10**9 * WAD
    for lower, upper in ranges():
        at = prices(lower, upper)
        values, units, _ = probe.liquidity(lower, upper, liquidity, at)
        for price, value, unit in zip(at, values, units, strict=True):
            exact, exact_units = exact_value(lower, upper, price)
            assert -4e-27 * 10**9 - 1e-18 <= value / mp.mpf(WAD) - exact * 10**9 <= 1e-36, price
            # The root is cut off at 1e-27: of a tiny price that is a part of it.
            slack = 2e-27 * (1 + 1 / mp.mpf(price) * WAD) * 10**9 + mp.mpf(1) / WAD
            assert abs(unit / mp.mpf(WAD) - exact_units * 10**9) <= slack, price


def test_shape__concave_continuous_and_never_falling(probe):
    # A few units of 1e-27 on a million, and what is cut off: less than three wei.
    liquidity, noise = 10**6 * WAD, 3
    for lower, upper in ranges():
        at = prices(lower, upper)
        values, units, _ = probe.liquidity(lower, upper, liquidity, at)
        for (p, v), (q, w) in itertools.pairwise(zip(at, values, strict=True)):
            assert w >= v - noise
            # Continuous: no step is larger than the units at its lower end allow.
            slack = 2 + 2 * 10**6 * WAD**2 // (p * 10**9)
            assert w - v <= (units[at.index(p)] + slack) * (q - p) // WAD + noise
        points = list(zip(at, values, strict=True))
        for (p, u), (q, v), (r, w) in zip(points, points[1:], points[2:], strict=False):
            chord = u + (w - u) * (q - p) // (r - p)
            assert v >= chord - noise


def test_what_comes_out_at_any_price_of_the_pool__is_worth_no_less(probe):
    """A pool pushed to another price pays other tokens for the liquidity; at the true price they are worth more."""
    liquidity = 10**6 * WAD
    for lower, upper in ranges():
        at = prices(lower, upper)
        values, _, _ = probe.liquidity(lower, upper, liquidity, at)
        for price, value in zip(at, values, strict=True):
            for pushed in at[::7]:
                a, b = mp.mpf(lower) / RAY, mp.mpf(upper) / RAY
                root = min(max(mp.sqrt(mp.mpf(pushed) / WAD), a), b)
                out = 10**6 * ((1 / root - 1 / b) * price / WAD + root - a)
                assert out * WAD >= value - 1


def test_beyond_the_range__all_of_one_token(probe):
    lower, upper = fixed.root_at_tick(73_000, 0), fixed.root_at_tick(78_000, 0)
    low, high = (root * root // 10**36 for root in (lower, upper))
    values, units, bends = probe.liquidity(lower, upper, WAD, [low // 2, low // 4, 2 * high, 9 * high])
    assert abs(values[0] - 2 * values[1]) <= 2
    assert units[0] == units[1] > 0
    assert (values[2], units[2], list(bends)) == (values[3], 0, [0, 0, 0, 0])
    assert values[2] == (upper - lower) * WAD // RAY
