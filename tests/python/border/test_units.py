"""The border between integers and floats."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.errors import DomainError
from plimsoll.units import (
    e8_to_float,
    float_to_e8,
    float_to_raw,
    float_to_wad,
    raw_to_float,
    wad_to_float,
)


def test_float_to_wad__decimal_fraction__is_the_decimal_not_its_binary_neighbour():
    assert float_to_wad(0.1) == 10**17
    assert float_to_wad(-2350.07) == -2350_070000000000000000


def test_float_to_wad__numpy_scalar__reads_like_a_float():
    assert float_to_wad(np.float64(0.1)) == 10**17


@given(st.floats(-1e12, 1e12))
def test_float_to_wad__back__is_the_same_float(value):
    assert math.isclose(wad_to_float(float_to_wad(value)), value, rel_tol=1e-15, abs_tol=1e-18)


@given(st.integers(-(10**15), 10**15))
def test_e8__round_trip__is_exact(value_e8):
    assert float_to_e8(e8_to_float(value_e8)) == value_e8


def test_float_to_raw__between_units__rounds_down():
    assert float_to_raw(1.2345678, 6) == 1_234_567
    assert raw_to_float(1_234_567, 6) == 1.234567


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_float_to_wad__not_finite__is_rejected(value):
    with pytest.raises(DomainError, match="not finite"):
        float_to_wad(value)
