"""Black76: bit-exact, within its bound, parity, bounds, monotone and convex, exact limits, named refusals."""

from __future__ import annotations

import random

import mpmath as mp
import numpy as np
import pytest

from plimsoll.mirror.black76 import price_and_delta
from tests.chain.accuracy.points import UINT_MAX, WAD, sized
from tests.chain.helpers.errors import reverts_with
from tests.python.oracle import fixed

LIMIT = 2**112
YEAR_SEC = 31_536_000


def contract_cases() -> list[tuple[int, int, int, int]]:
    """The domain of the accuracy contract."""
    rng = random.Random(20)
    cases = []
    for _ in range(500):
        forward = int(10 ** rng.uniform(-2, 6) * WAD)
        strike = int(forward * 20 ** rng.uniform(-1, 1))
        vol = int(5 * 10 ** rng.uniform(-2, 0) * WAD)
        cases.append((forward, strike, vol, int(60 * 1_576_800 ** rng.random())))
    return cases


def wild_cases() -> list[tuple[int, int, int, int]]:
    """Anything that the domain admits, corners included."""
    rng = random.Random(21)
    corners = [1, WAD, LIMIT - 1]
    cases = [(f, k, v, t) for f in corners for k in corners for v in (0, *corners) for t in (0, 1, LIMIT - 1)]
    cases += [(sized(rng, 0, 111), sized(rng, 0, 111), sized(rng, 0, 111), sized(rng, 0, 111)) for _ in range(300)]
    return cases


def ask(probe, cases):
    answer = list(probe.call(*zip(*cases, strict=True)))
    return list(zip(answer[: len(cases)], answer[len(cases) :], strict=True))


def test_equals_the_integer_reference(probe):
    cases = [*contract_cases(), *wild_cases()]
    assert ask(probe, cases) == [fixed.black76_call(*case) for case in cases]


def test_stays_within_its_bound(probe):
    cases = contract_cases()
    for (forward, strike, vol, seconds), (price, delta) in zip(cases, ask(probe, cases), strict=True):
        std = mp.mpf(vol) / WAD * mp.sqrt(mp.mpf(seconds) / YEAR_SEC)
        d1 = mp.log(mp.mpf(forward) / strike) / std + std / 2
        exact = forward * mp.ncdf(d1) - strike * mp.ncdf(d1 - std)
        assert abs(price - exact) <= mp.mpf("4e-10") * forward + mp.mpf("8e-11") * strike + 1
        assert abs(mp.mpf(delta) / WAD - mp.ncdf(d1)) <= mp.mpf("3e-10")


def test_agrees_with_the_mirror(probe):
    cases = contract_cases()
    forward, strike, vol, seconds = (np.array(column, float) for column in zip(*cases, strict=True))
    forward, strike, std = forward / WAD, strike / WAD, vol / WAD * np.sqrt(seconds / YEAR_SEC)
    price, delta = price_and_delta(np.ones(len(cases), bool), forward, strike, std, np.ones(len(cases)))
    got_price, got_delta = np.array(ask(probe, cases), float).T / WAD
    assert np.all(np.abs(got_price - price) <= 4e-10 * forward + 8e-11 * strike + 1e-18)
    assert np.all(np.abs(got_delta - delta) <= 3e-10)


def test_never_leaves_its_bounds(probe):
    cases = [*contract_cases(), *wild_cases()]
    for (forward, strike, *_), (price, delta) in zip(cases, ask(probe, cases), strict=True):
        assert max(forward - strike, 0) <= price <= forward
        assert 0 <= delta <= WAD


def test_parity(probe):
    for case in contract_cases()[:25]:
        (price, delta), (put, put_delta) = ask(probe, [case])[0], probe.put(*case)
        assert price - put == case[0] - case[1]
        assert delta - put_delta == WAD


def test_shape_in_the_forward(probe):
    """Rises with slope at most 1 and is convex, up to the error of three prices."""
    cases = [(f * WAD, 2_000 * WAD, 6 * WAD // 10, 30 * 86_400) for f in range(500, 6_000, 25)]
    prices = [price for price, _ in ask(probe, cases)]
    slack = 10 * 6_000 * WAD // 10**9
    for a, b, c in zip(prices, prices[1:], prices[2:], strict=False):
        assert -slack <= b - a <= 25 * WAD + slack
        assert a + c - 2 * b >= -slack


def test_limits_are_exact(probe):
    for vol, seconds in ((0, YEAR_SEC), (WAD, 0), (0, 0)):
        cases = [(3 * WAD, 2 * WAD, vol, seconds), (2 * WAD, 3 * WAD, vol, seconds), (WAD, WAD, vol, seconds)]
        assert ask(probe, cases) == [(WAD, WAD), (0, 0), (0, WAD // 2)]
    assert ask(probe, [(10**6 * WAD, 1, WAD, 86_400)]) == [(10**6 * WAD - 1, WAD)]
    assert ask(probe, [(1, 10**6 * WAD, WAD, 86_400)]) == [(0, 0)]


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("value", [LIMIT, UINT_MAX])
def test_too_large_is_named(probe, position, value):
    case = [WAD, WAD, WAD, 86_400]
    case[position] = value
    with reverts_with("Black76__TooLarge", value, LIMIT):
        probe.call(*([x] for x in case))


@pytest.mark.parametrize(("forward", "strike"), [(0, WAD), (WAD, 0), (0, 0)])
def test_price_of_nothing_is_named(probe, forward, strike):
    with reverts_with("Ln__NotPositive", 0, 1):
        probe.call([forward], [strike], [WAD], [86_400])
