"""The vectorised Black-76 against fifty digits and against the plain one, limits included."""

import mpmath
import numpy as np
import pytest

from plimsoll.errors import DomainError
from plimsoll.mirror import black76, kernels

YEAR = 31_536_000
NAMES = ("delta", "gamma", "vega", "theta")


def exact(is_call, forward, strike, sigma, time, rate):
    """Price, delta, gamma, vega and theta in fifty digits."""
    with mpmath.workdps(50):
        f, k, s, t, r = (mpmath.mpf(float(x)) for x in (forward, strike, sigma, time, rate))
        std = s * mpmath.sqrt(t)
        d1 = mpmath.log(f / k) / std + std / 2
        d2, sign, discount = d1 - std, 1 if is_call else -1, mpmath.exp(-r * t)
        density = mpmath.npdf(d1)
        price = discount * sign * (f * mpmath.ncdf(sign * d1) - k * mpmath.ncdf(sign * d2))
        decay = -discount * f * density * s / (2 * mpmath.sqrt(t))
        found = (
            price,
            discount * sign * mpmath.ncdf(sign * d1),
            discount * density / (f * std),
            discount * f * density * mpmath.sqrt(t),
            decay + r * price,
        )
        return [float(x) for x in found]


def columns(count=600, seed=3):
    draw = np.random.default_rng(seed)
    forward = draw.uniform(500.0, 90_000.0, count)
    strike = forward * np.exp(draw.uniform(np.log(0.05), np.log(20.0), count))
    sigma = np.exp(draw.uniform(np.log(0.05), np.log(5.0), count))
    time = np.exp(draw.uniform(np.log(60 / YEAR), np.log(3.0), count))
    return draw.random(count) < 0.5, forward, strike, sigma, time, draw.uniform(-0.1, 0.3, count)


def test_price_and_greeks__against_fifty_digits__price_within_1e_14_of_the_larger_of_forward_and_strike():
    cases = columns()
    price, greeks = kernels.price_and_greeks(*cases)
    truth = np.array([exact(*case) for case in zip(*cases, strict=True)]).T
    _, forward, strike, sigma, time, _ = cases
    size = np.maximum(forward, strike)
    assert np.max(np.abs(price - truth[0]) / size) < 1e-14
    # What a deviation of the last bit of d makes of each; the deviation itself may be tiny, and d huge.
    std = sigma * np.sqrt(time)
    shaky = 1.0 + 1.0 / std
    for name, found, scale in zip(NAMES, truth[1:], (1.0, 1.0 / (forward * std), forward, forward / time), strict=True):
        assert np.max(np.abs(getattr(greeks, name) - found) / (scale * shaky)) < 1e-14, name


def test_price_and_greeks__same_range__within_1e_12_of_spot_of_the_plain_mirror():
    cases = columns(20_000, 4)
    price, greeks = kernels.price_and_greeks(*cases)
    is_call, forward, strike, sigma, time, rate = cases
    plain, delta = black76.price_and_delta(is_call, forward, strike, sigma * np.sqrt(time), np.exp(-rate * time))
    other = black76.greeks(*cases)
    assert np.max(np.abs(price - plain) / forward) < 1e-12
    np.testing.assert_allclose(greeks.delta, delta, rtol=0, atol=1e-12)
    np.testing.assert_allclose(greeks.vega / forward, other.vega / forward, rtol=0, atol=1e-12)
    np.testing.assert_allclose(greeks.gamma, other.gamma, rtol=1e-9, atol=1e-30)
    np.testing.assert_allclose(greeks.theta, other.theta, rtol=1e-9, atol=1e-9)


def test_price_and_delta__same_range__equals_the_plain_mirror():
    is_call, forward, strike, sigma, time, rate = columns(20_000, 5)
    inputs = (is_call, forward, strike, sigma * np.sqrt(time), np.exp(-rate * time))
    for found, plain, scale in zip(
        kernels.price_and_delta(*inputs), black76.price_and_delta(*inputs), (forward, 1.0), strict=True
    ):
        assert np.max(np.abs(found - plain) / scale) < 1e-12


@pytest.mark.parametrize("std", [0.0, 1e-300, 1e-9, 50.0, 1e4])
@pytest.mark.parametrize("strike", [1e-15, 1.0, 1_999.999999, 2_000.0, 2_000.000001, 1e13])
@pytest.mark.parametrize("is_call", [True, False])
def test_price_and_delta__limits__those_of_the_plain_mirror(is_call, strike, std):
    inputs = [np.array([x]) for x in (is_call, 2_000.0, strike, std, 0.9)]
    found, plain = kernels.price_and_delta(*inputs), black76.price_and_delta(*inputs)
    size = max(2_000.0, strike)
    np.testing.assert_allclose(found[0] / size, plain[0] / size, rtol=0, atol=1e-15)
    np.testing.assert_allclose(found[1], plain[1], rtol=0, atol=1e-9 if std == 1e-9 else 1e-15)


def test_price_and_greeks__no_time_or_no_volatility__intrinsic_and_no_gamma():
    inputs = [np.array(x) for x in ([True, False], [2_000.0] * 2, [1_900.0] * 2, [0.0, 0.5], [0.5, 0.0], [0.05] * 2)]
    price, greeks = kernels.price_and_greeks(*inputs)
    plain = black76.greeks(*inputs)
    np.testing.assert_allclose(price, [100.0 * np.exp(-0.025), 0.0], rtol=1e-14)
    for name in NAMES:
        np.testing.assert_allclose(getattr(greeks, name), getattr(plain, name), rtol=1e-13, atol=1e-300)


def test_price_and_greeks__any_threads_and_shape__same_numbers():
    cases = columns(20_000, 6)
    one, _ = kernels.price_and_greeks(*cases, threads=1)
    two, _ = kernels.price_and_greeks(*cases, threads=2)
    np.testing.assert_array_equal(one, two)
    square = [column.reshape(100, 200) for column in cases]
    out = np.empty((5, 100, 200))
    price, greeks = kernels.price_and_greeks(*square, out=out)
    np.testing.assert_array_equal(price.ravel(), one)
    assert np.shares_memory(greeks.theta, out)


def test_price_and_greeks__out_of_another_shape__one_error():
    with pytest.raises(DomainError, match="out: has the shape"):
        kernels.price_and_greeks(*columns(10), out=np.empty((5, 11)))
