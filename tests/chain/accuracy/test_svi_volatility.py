"""SviVolatility: bit-exact, within its bound, 0 where the slice is not positive, named refusals."""

from __future__ import annotations

import random

import mpmath as mp
import numpy as np
import pytest

from plimsoll.mirror.svi import Svi, total_variance
from tests.chain.accuracy.points import INT_MAX, INT_MIN, UINT_MAX, WAD, sized
from tests.chain.helpers.errors import reverts_with
from tests.python.oracle import fixed

YEAR_SEC = 31_536_000
SLICES = (
    (WAD // 100, WAD // 10, -3 * WAD // 10, WAD // 50, WAD // 5),
    (4 * WAD // 100, 0, 0, 0, WAD),
    (-WAD // 1000, WAD // 4, 4 * WAD // 10, -WAD // 10, WAD // 8),
)
LIMIT, PARAMETER_LIMIT = 2**112, 2**80


def cases(seed: int = 22) -> list[tuple[int, int, int]]:
    rng = random.Random(seed)
    found = []
    for _ in range(250):
        forward = int(10 ** rng.uniform(-2, 6) * WAD)
        found.append((forward, int(forward * 20 ** rng.uniform(-1, 1)), int(60 * 1_576_800 ** rng.random())))
    return found


@pytest.mark.parametrize("slice_", SLICES)
def test_equals_the_integer_reference(probe, slice_):
    assert list(probe.volatility(slice_, *zip(*cases(), strict=True))) == [
        fixed.svi_volatility(slice_, *case) for case in cases()
    ]


def test_equals_the_integer_reference_in_the_corners(probe):
    rng = random.Random(23)
    corners = [-PARAMETER_LIMIT, -1, 0, 1, PARAMETER_LIMIT - 1]
    for _ in range(20):
        slice_ = tuple(rng.choice(corners) for _ in range(5))
        wild = [(sized(rng, 0, 111), sized(rng, 0, 111), sized(rng, 0, 111)) for _ in range(20)]
        wild += [(1, LIMIT - 1, 1), (LIMIT - 1, 1, LIMIT - 1)]
        got = list(probe.volatility(slice_, *zip(*wild, strict=True)))
        assert got == [fixed.svi_volatility(slice_, *case) for case in wild]


@pytest.mark.parametrize("slice_", SLICES)
def test_stays_within_its_bound(probe, slice_):
    a, b, rho, m, s = (mp.mpf(v) / WAD for v in slice_)
    for (forward, strike, seconds), got in zip(
        cases(), probe.volatility(slice_, *zip(*cases(), strict=True)), strict=True
    ):
        x = mp.log(mp.mpf(strike) / forward) - m
        exact = mp.sqrt((a + b * (rho * x + mp.sqrt(x * x + s * s))) * YEAR_SEC / seconds)
        assert abs(mp.mpf(got) / WAD / exact - 1) <= mp.mpf("1e-12")


@pytest.mark.parametrize("slice_", SLICES)
def test_agrees_with_the_mirror(probe, slice_):
    forward, strike, seconds = (np.array(column, float) for column in zip(*cases(), strict=True))
    w = total_variance(Svi(*(v / WAD for v in slice_)), np.log(strike / forward))
    got = np.array(probe.volatility(slice_, *zip(*cases(), strict=True)), float) / WAD
    assert got == pytest.approx(np.sqrt(w * YEAR_SEC / seconds), rel=1e-12)


def test_shape(probe):
    """Total variance is convex in the logarithm of the strike."""
    strikes = [int(1_000 * 1.02**k * WAD) for k in range(-120, 120)]
    forwards, seconds = [1_000 * WAD] * len(strikes), [YEAR_SEC] * len(strikes)
    w = [(v / WAD) ** 2 for v in probe.volatility(SLICES[0], forwards, strikes, seconds)]
    assert all(a + c - 2 * b > -1e-12 for a, b, c in zip(w, w[1:], w[2:], strict=False))


def test_negative_variance_is_zero(probe):
    assert list(probe.volatility((-WAD, 0, 0, 0, WAD), [WAD], [WAD], [YEAR_SEC])) == [0]


@pytest.mark.parametrize("position", range(5))
@pytest.mark.parametrize("value", [PARAMETER_LIMIT, -PARAMETER_LIMIT - 1, INT_MAX, INT_MIN])
def test_parameter_outside_is_named(probe, position, value):
    slice_ = list(SLICES[0])
    slice_[position] = value
    with reverts_with("SviVolatility__Parameter", value, PARAMETER_LIMIT):
        probe.volatility(slice_, [WAD], [WAD], [YEAR_SEC])


@pytest.mark.parametrize("position", range(3))
@pytest.mark.parametrize("value", [LIMIT + 1, UINT_MAX])
def test_too_large_is_named(probe, position, value):
    case = [WAD, WAD, YEAR_SEC]
    case[position] = value
    with reverts_with("SviVolatility__TooLarge", value, LIMIT):
        probe.volatility(SLICES[0], *([x] for x in case))


def test_no_time_is_named(probe):
    with reverts_with("SviVolatility__NoTime", 0, 1):
        probe.volatility(SLICES[0], [WAD], [WAD], [0])


@pytest.mark.parametrize(("forward", "strike"), [(0, WAD), (WAD, 0)])
def test_price_of_nothing_is_named(probe, forward, strike):
    with reverts_with("Ln__NotPositive", 0, 1):
        probe.volatility(SLICES[0], [forward], [strike], [YEAR_SEC])
