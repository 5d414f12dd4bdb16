"""Liquidation formulas: the price path, and what a bid does to the account."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.mirror.auction import (
    equity_after,
    insolvent_payment,
    largest_fraction,
    price_factor,
    solvent_slice,
)

FEE, BUFFER = 0.01, 0.15


@pytest.mark.parametrize(
    ("seconds", "factor"),
    [(0, 0.98), (450, 0.84), (900, 0.70), (900 + 21_600, 0.35), (900 + 43_200, 0.0), (10**6, 0.0), (-5, 0.98)],
)
def test_price_factor__time__follows_the_two_lines(seconds, factor):
    assert price_factor(seconds) == pytest.approx(factor, abs=1e-15)


@st.composite
def liquidatable(draw):
    """A solvent account below maintenance: rest A, reserve V, haircut h, so that E = A*(1-h) + V."""
    rest, reserve = draw(st.floats(1.0, 1e6)), draw(st.floats(0.0, 1e5))
    equity = rest * (1.0 - draw(st.floats(0.0, 0.3))) + reserve
    return equity, equity * draw(st.floats(1.001, 20.0)), reserve, rest, draw(st.floats(0.0, 0.98))


@given(liquidatable(), st.floats(0.0, 1.0))
def test_bid__any_fraction_up_to_the_largest__never_lowers_excess(case, share):
    equity, maintenance, reserve, rest, factor = case
    largest = largest_fraction(equity, maintenance, reserve, rest, factor, BUFFER)
    assert 0.0 < largest <= 1.0
    fraction = largest * share
    after = equity_after(equity, reserve, solvent_slice(fraction, rest, factor, FEE))
    assert after - (1.0 - fraction) * maintenance >= equity - maintenance - 1e-9 * maintenance


@given(liquidatable())
def test_bid__largest_fraction__restores_exactly_the_buffer(case):
    equity, maintenance, reserve, rest, factor = case
    fraction = largest_fraction(equity, maintenance, reserve, rest, factor, BUFFER)
    after = equity_after(equity, reserve, solvent_slice(fraction, rest, factor, FEE))
    if fraction < 1.0:
        assert after == pytest.approx((1 + BUFFER) * (1 - fraction) * maintenance, rel=1e-9, abs=1e-9 * maintenance)
    else:
        # Nothing is left but cash.
        assert after == pytest.approx(reserve + factor * rest, rel=1e-9, abs=1e-6)


@given(liquidatable(), st.floats(0.01, 0.99))
def test_bid__in_two_parts__costs_and_leaves_the_same(case, share):
    equity, maintenance, reserve, rest, factor = case
    whole = largest_fraction(equity, maintenance, reserve, rest, factor, BUFFER)
    at_once = solvent_slice(whole, rest, factor, FEE)
    first = solvent_slice(whole * share, rest, factor, FEE)
    equity_1, reserve_1 = equity_after(equity, reserve, first), reserve + first.price
    rest_1, maintenance_1 = rest * (1 - first.fraction), maintenance * (1 - first.fraction)
    second = solvent_slice(
        largest_fraction(equity_1, maintenance_1, reserve_1, rest_1, factor, BUFFER), rest_1, factor, FEE
    )
    assert first.price + second.price == pytest.approx(at_once.price, rel=1e-7, abs=1e-9 * maintenance)
    assert first.fee + second.fee == pytest.approx(at_once.fee, rel=1e-7, abs=1e-9 * maintenance)


def test_largest_fraction__buffer_already_there__is_zero():
    assert largest_fraction(116.0, 100.0, 0.0, 120.0, 0.9, BUFFER) == 0.0


def test_solvent_slice__near_the_start__fee_is_bounded_by_the_discount():
    assert solvent_slice(1.0, 100.0, 0.995, FEE).fee == pytest.approx(0.5)


def test_largest_fraction__above_maintenance_where_a_slice_costs_more_than_it_relieves__is_zero():
    # E = 110, V = 0, d*A = 2: the slice would take 108 of equity for 100 of requirement.
    assert largest_fraction(110.0, 100.0, 0.0, 20.0, 0.1, BUFFER) == 0.0
    assert largest_fraction(110.0, 100.0, 0.0, 20.0, 0.6, BUFFER) > 0.0


def test_insolvent_payment__reserve_covers_the_debt__pays_no_more_than_the_reserve():
    assert insolvent_payment(1.0, -80.0, 100.0, 90.0, 3_600) == 90.0
    assert insolvent_payment(1.0, -80.0, 100.0, 79.0, 3_600) == 180.0


@pytest.mark.parametrize(("seconds", "paid"), [(0, 40.0), (1_800, 65.0), (3_600, 90.0), (7_200, 90.0)])
def test_insolvent_payment__time__rises_from_the_debt_by_maintenance(seconds, paid):
    assert insolvent_payment(0.5, -80.0, 100.0, 10.0, seconds) == pytest.approx(paid)
