"""Price and greeks against QuantLib, and the limits where QuantLib says nothing."""

import math

import numpy as np
import pytest
import QuantLib

from plimsoll.mirror import black76

GRID = [
    (right, forward, moneyness * forward, sigma, time, rate)
    for right in ("call", "put")
    for forward in (0.85, 1_901.2, 64_000.0)
    for moneyness in (0.05, 0.5, 0.9, 1.0, 1.1, 2.0, 20.0)
    for sigma in (0.05, 0.6, 5.0)
    for time in (60 / 31_536_000, 7 / 365, 1.0, 3.0)
    for rate in (-0.02, 0.0, 0.08)
]


def quantlib(right, forward, strike, sigma, time, rate):
    """Value, delta per unit of the forward, gamma, vega; QuantLib with spot = forward*discount and no carry."""
    discount = math.exp(-rate * time)
    payoff = QuantLib.PlainVanillaPayoff(QuantLib.Option.Call if right == "call" else QuantLib.Option.Put, strike)
    option = QuantLib.BlackCalculator(payoff, forward, sigma * math.sqrt(time), discount)
    return option.value(), option.deltaForward(), option.gammaForward(), option.vega(time)


@pytest.mark.parametrize("right", ["call", "put"])
def test_greeks__grid_of_cases__equal_quantlib(right):
    cases = [case for case in GRID if case[0] == right]
    columns = [np.array(column) for column in zip(*(case[1:] for case in cases), strict=True)]
    forward, strike, sigma, time, rate = columns
    is_call = np.full(len(cases), right == "call")
    price, _ = black76.price_and_delta(is_call, forward, strike, sigma * np.sqrt(time), np.exp(-rate * time))
    seen = black76.greeks(is_call, forward, strike, sigma, time, rate)
    value, delta, gamma, vega = np.array([quantlib(*case) for case in cases]).T
    # The budget is QuantLib's: near d = 0 its normal distribution is off by 2e-13 (50 digits say so).
    np.testing.assert_allclose(price / forward, value / forward, rtol=0, atol=1e-12)
    np.testing.assert_allclose(seen.delta, delta, rtol=0, atol=1e-12)
    np.testing.assert_allclose(seen.gamma * forward, gamma * forward, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(seen.vega / forward, vega / forward, rtol=0, atol=1e-13)


def test_greeks__theta__is_the_slope_of_the_value_in_time():
    is_call, forward, strike, sigma, rate = np.array([True, False]), 1_901.2, 2_000.0, 0.7, 0.04
    time, step = 30 / 365, 1e-6

    def value(t):
        std, discount = np.full(2, sigma * math.sqrt(t)), np.full(2, math.exp(-rate * t))
        return black76.price_and_delta(is_call, np.full(2, forward), np.full(2, strike), std, discount)[0]

    slope = -(value(time + step) - value(time - step)) / (2 * step)
    wide = [np.full(2, x) for x in (forward, strike, sigma, time, rate)]
    np.testing.assert_allclose(black76.greeks(is_call, *wide).theta, slope, rtol=1e-7)


@pytest.mark.parametrize(
    ("forward", "call", "delta"), [(2_100.0, 100.0, 1.0), (1_900.0, 0.0, 0.0), (2_000.0, 0.0, 0.5)]
)
def test_price_and_delta__no_variance__is_intrinsic_and_half_at_the_money(forward, call, delta):
    one = np.ones(2)
    price, slope = black76.price_and_delta(np.array([True, False]), forward * one, 2_000.0 * one, 0.0 * one, one)
    assert price.tolist() == [call, max(2_000.0 - forward, 0.0)]
    assert slope.tolist() == [delta, delta - 1.0]
    seen = black76.greeks(np.array([True]), forward * one[:1], 2_000.0 * one[:1], 0.5 * one[:1], 0.0 * one[:1], one[:1])
    # At a rate of 1 the value grows by itself in a year.
    assert (seen.gamma[0], seen.vega[0], seen.theta[0]) == (0.0, 0.0, call)
