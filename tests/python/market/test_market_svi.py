"""SVI fits: recovery, domain, derivatives, arbitrage checks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.market.fit.clean import Quotes
from plimsoll.market.fit.five_numbers import FiveNumbers
from plimsoll.market.fit.slice_check import durrleman
from plimsoll.market.fit.svi_fit import Shape, SliceFit, butterflies_of, fit_slice
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Svi

YEARS = 30.0 / 365.0


def quotes_of(svi: Svi, years: float = YEARS, count: int = 25, noise: float = 0.0) -> Quotes:
    std = math.sqrt(float(total_variance(svi, np.zeros(1))[0]))
    k = np.linspace(-2.4 * std, 2.4 * std, count)
    iv = np.sqrt(total_variance(svi, k) / years)
    iv = iv + noise * np.random.default_rng(5).normal(size=count)
    return Quotes(1_800_000_000, years, k, iv, np.exp(-0.25 * (k / std) ** 2), count)


def assert_domain(svi: Svi) -> None:
    assert svi.b >= 0.0
    assert abs(svi.rho) < 1.0
    assert svi.sigma > 0.0
    assert svi.a + svi.b * svi.sigma * math.sqrt(1.0 - svi.rho**2) >= 0.0
    assert svi.b * (1.0 + abs(svi.rho)) <= 2.0


slices = st.builds(
    lambda low, b, rho, m, s: Svi(low - b * s * math.sqrt(1.0 - rho * rho), b, rho, m, s),
    st.floats(0.01, 0.04),
    st.floats(0.02, 0.2),
    st.floats(-0.8, 0.8),
    st.floats(-0.05, 0.05),
    st.floats(0.05, 0.3),
)


@settings(max_examples=60, deadline=None)
@given(slices)
def test_an_exact_smile_is_recovered(svi):
    fit = fit_slice(quotes_of(svi))
    assert_domain(fit.svi)
    assert fit.rms < 5e-4


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.05, 3.0), min_size=5, max_size=30), st.floats(1e-4, 2.0))
def test_any_volatilities_give_a_slice_inside_the_domain(vols, years):
    iv = np.array(vols)
    k = np.linspace(-2.0, 2.0, iv.size) * float(np.median(iv)) * math.sqrt(years)
    fit = fit_slice(Quotes(1, years, k, iv, np.ones_like(iv), iv.size))
    assert_domain(fit.svi)
    assert math.isfinite(fit.rms)
    assert fit.rms <= fit.max_error


def test_the_report_measures_the_slice_it_returns():
    quotes = quotes_of(Svi(0.005, 0.08, -0.3, 0.01, 0.1), noise=0.01)
    fit = fit_slice(quotes)
    error = np.sqrt(total_variance(fit.svi, quotes.log_moneyness) / quotes.years) - quotes.iv
    assert fit.rms == pytest.approx(float(np.sqrt(np.mean(error**2))))
    assert fit.max_error == pytest.approx(float(np.abs(error).max()))
    assert 0.003 < fit.rms < 0.011


def test_a_fit_repeats_and_a_warm_start_does_not_worsen_it():
    quotes = quotes_of(Svi(0.005, 0.08, -0.3, 0.01, 0.1), noise=0.005)
    cold = fit_slice(quotes)
    assert fit_slice(quotes) == cold
    warm = fit_slice(quotes, cold.svi)
    assert warm.weighted_rms == pytest.approx(cold.weighted_rms, rel=1e-3)
    assert fit_slice(quotes, Svi(1.5, 0.99, 0.9, 3.0, 5.0)).weighted_rms == pytest.approx(cold.weighted_rms, rel=1e-3)


def test_the_jacobian_is_the_derivative():
    quotes = quotes_of(Svi(0.005, 0.08, -0.3, 0.01, 0.1))
    problem = FiveNumbers(quotes, 0.45)
    point = np.array([-0.6, -0.8, -0.4, 0.2, 0.1])
    step = 1e-6
    for i in range(5):
        move = step * np.eye(5)[i]
        slope = (problem.residual(point + move) - problem.residual(point - move)) / (2.0 * step)
        np.testing.assert_allclose(problem.jacobian(point)[:, i], slope, atol=1e-8)


def test_free_numbers_map_back():
    svi = Svi(0.005, 0.08, -0.3, 0.01, 0.1)
    quotes = quotes_of(svi)
    problem = FiveNumbers(quotes, 0.45)
    back = problem.to_svi(problem.to_free(svi))
    for name in ("a", "b", "rho", "m", "sigma"):
        assert getattr(back, name) == pytest.approx(getattr(svi, name), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("count", "shape"), [(25, Shape.FIVE), (6, Shape.FIVE), (5, Shape.THREE), (4, Shape.THREE), (3, Shape.FLAT)]
)
def test_a_slice_has_fewer_numbers_than_quotes(count, shape):
    found = fit_slice(quotes_of(Svi(0.005, 0.08, -0.3, 0.01, 0.1), count=count))
    assert found is not None
    assert found.shape is shape


@pytest.mark.parametrize("count", [0, 1])
def test_without_two_quotes_there_is_no_slice(count):
    assert fit_slice(quotes_of(Svi(0.005, 0.08, -0.3, 0.01, 0.1), count=count)) is None


def test_durrleman_finds_the_known_butterfly():
    # A. Vogt's example: Lee's wing bounds hold and yet the density is negative.
    vogt = Svi(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
    assert durrleman(vogt, np.linspace(-1.5, 1.5, 301)).min() < 0.0
    assert durrleman(Svi(0.02, 0.1, -0.3, 0.0, 0.2), np.linspace(-1.5, 1.5, 301)).min() > 0.0


def fitted(expiry: int, svi: Svi, butterfly: float = 0.2) -> SliceFit:
    return SliceFit(expiry, svi, 0.0, 0.0, 0.0, 9, 9, butterfly)


def test_warnings_name_butterflies():
    low = Svi(0.01, 0.05, 0.0, 0.0, 0.1)
    assert butterflies_of([fitted(1, low)]) == []
    assert "expiry 2: butterfly" in butterflies_of([fitted(1, low), fitted(2, low, -0.1)])[0]
