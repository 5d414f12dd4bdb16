"""Liquidation formulas: the price path, what a bid does to the account, and who pays for an insolvent one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.mirror.auction import (
    FREE_BONUS,
    Insolvent,
    bonus,
    equity_after,
    insolvent_payment,
    largest_fraction,
    price_factor,
    solvent_slice,
    whole_price,
)

FEE, BUFFER, SHARE = 0.01, 0.15, 0.25


@pytest.mark.parametrize(
    ("seconds", "factor"),
    [(0, 0.98), (450, 0.84), (900, 0.70), (900 + 21_600, 0.35), (900 + 43_200, 0.0), (10**6, 0.0), (-5, 0.98)],
)
def test_price_factor__time__follows_the_two_lines(seconds, factor):
    assert price_factor(seconds) == pytest.approx(factor, abs=1e-15)


@pytest.mark.parametrize(
    ("rest", "maintenance", "factor", "price"),
    # A plain discount where A is above a quarter of M; beyond that one of the risk, down to nothing.
    [(100.0, 300.0, 0.9, 90.0), (100.0, 400.0, 0.9, 90.0), (100.0, 800.0, 0.9, 80.0), (1.0, 1_000.0, 0.98, 0.0)],
)
def test_whole_price__thin_equity__discount_is_measured_on_the_risk(rest, maintenance, factor, price):
    assert whole_price(rest, maintenance, factor) == pytest.approx(price)


@st.composite
def liquidatable(draw):
    """A solvent account below maintenance: rest A, reserve V, haircut h, so that E = A*(1-h) + V; and its price."""
    rest, reserve = draw(st.floats(1.0, 1e6)), draw(st.floats(0.0, 1e5))
    equity = rest * (1.0 - draw(st.floats(0.0, 0.3))) + reserve
    maintenance = equity * draw(st.floats(1.001, 20.0))
    return equity, maintenance, reserve, rest, whole_price(rest, maintenance, draw(st.floats(0.0, 0.98)))


@given(liquidatable(), st.floats(0.0, 1.0))
def test_bid__any_fraction_up_to_the_largest__never_lowers_excess(case, share):
    equity, maintenance, reserve, rest, price = case
    largest = largest_fraction(equity, maintenance, reserve, price, BUFFER)
    assert 0.0 < largest <= 1.0
    fraction = largest * share
    after = equity_after(equity, reserve, solvent_slice(fraction, rest, price, FEE))
    assert after - (1.0 - fraction) * maintenance >= equity - maintenance - 1e-9 * maintenance


@given(liquidatable())
def test_bid__largest_fraction__restores_exactly_the_buffer(case):
    equity, maintenance, reserve, rest, price = case
    fraction = largest_fraction(equity, maintenance, reserve, price, BUFFER)
    after = equity_after(equity, reserve, solvent_slice(fraction, rest, price, FEE))
    if fraction < 1.0:
        assert after == pytest.approx((1 + BUFFER) * (1 - fraction) * maintenance, rel=1e-9, abs=1e-9 * maintenance)
    else:
        # Nothing is left but cash.
        assert after == pytest.approx(reserve + price, rel=1e-9, abs=1e-6)


@given(liquidatable(), st.floats(0.01, 0.99), st.floats(0.0, 0.98))
def test_bid__in_two_parts__costs_and_leaves_the_same(case, share, factor):
    equity, maintenance, reserve, rest, _ = case
    price = whole_price(rest, maintenance, factor)
    whole = largest_fraction(equity, maintenance, reserve, price, BUFFER)
    at_once = solvent_slice(whole, rest, price, FEE)
    first = solvent_slice(whole * share, rest, price, FEE)
    equity_1, reserve_1 = equity_after(equity, reserve, first), reserve + first.price
    rest_1, maintenance_1 = rest * (1 - first.fraction), maintenance * (1 - first.fraction)
    if equity_1 >= maintenance_1:
        # Back above maintenance: the second part is not for sale.
        assert largest_fraction(equity_1, maintenance_1, reserve_1, 0.0, BUFFER) == 0.0
        return
    price_1 = whole_price(rest_1, maintenance_1, factor)
    left = largest_fraction(equity_1, maintenance_1, reserve_1, price_1, BUFFER)
    second = solvent_slice(left, rest_1, price_1, FEE)
    assert first.price + second.price == pytest.approx(at_once.price, rel=1e-7, abs=1e-9 * maintenance)
    assert first.fee + second.fee == pytest.approx(at_once.fee, rel=1e-7, abs=1e-9 * maintenance)


def test_largest_fraction__at_or_above_maintenance__is_zero():
    assert largest_fraction(100.0, 100.0, 0.0, 90.0, BUFFER) == 0.0
    assert largest_fraction(99.0, 100.0, 0.0, 90.0, BUFFER) == pytest.approx(16.0 / (115.0 - 99.0 + 90.0))


def test_solvent_slice__near_the_start__fee_is_bounded_by_the_discount():
    assert solvent_slice(1.0, 100.0, 99.5, FEE).fee == pytest.approx(0.5)
    assert solvent_slice(0.5, 100.0, 90.0, FEE).fee == pytest.approx(0.5)


@pytest.mark.parametrize(("seconds", "paid"), [(0, 0.0), (720, 5.0), (1_440, 10.0), (3_600, 25.0), (86_400, 82.0)])
def test_bonus__time__rises_by_a_share_of_maintenance_up_to_loss_and_two_percent(seconds, paid):
    assert bonus(Insolvent(-80.0, 100.0, 0.0, 0.0, seconds), SHARE) == pytest.approx(paid)


def test_bonus__one_wei_below_zero__is_worth_two_percent_however_long_it_takes():
    assert bonus(Insolvent(-1e-18, 100.0, 0.0, 0.0, 10**9), SHARE) == pytest.approx(FREE_BONUS * 100.0)


def test_insolvent_payment__reserve_covers_the_debt__pays_no_more_than_the_reserve():
    account = Insolvent(-80.0, 100.0, 81.0, 81.0, 3_600)
    assert insolvent_payment(1.0, account, SHARE, math.inf) == insolvent_payment(1.0, account, SHARE, 0.0)
    paid = insolvent_payment(1.0, account, SHARE, math.inf)
    assert (paid.from_reserve, paid.from_fund, paid.socialised) == (81.0, 0.0, 0.0)


def test_insolvent_payment__fund_at_its_limit__everybody_bears_the_debt_and_nobody_the_bonus():
    account = Insolvent(-80.0, 100.0, 10.0, 10.0, 3_600)
    paid = insolvent_payment(0.5, account, SHARE, 12.0)
    # Half of 80 and of a bonus of 25: 10 from the reserve, 12 from the fund, the rest of the debt of 40 from all.
    assert (paid.from_reserve, paid.from_fund, paid.socialised) == (10.0, 12.0, 18.0)
    ample = insolvent_payment(0.5, account, SHARE, 1e9)
    assert (ample.from_fund, ample.socialised, ample.total) == (42.5, 0.0, 52.5)


@given(
    st.floats(1.0, 1e5),
    st.floats(1.0, 1e5),
    st.floats(0.0, 1.5),
    st.floats(0.0, 10_000.0),
    st.lists(st.floats(0.01, 1.0), min_size=2, max_size=12),
)
def test_insolvent_payment__many_bids__gain_nothing_over_one(debt, maintenance, reserve_share, elapsed, parts):
    start = Insolvent(-debt, maintenance, reserve_share * debt, reserve_share * debt, elapsed)
    at_once = insolvent_payment(1.0, start, SHARE, math.inf)
    now, paid, from_fund = start, 0.0, 0.0
    for part in (*parts, 1.0):
        one = insolvent_payment(part, now, SHARE, math.inf)
        paid, from_fund = paid + one.total, from_fund + one.from_fund
        reserve = now.reserve - one.from_reserve
        now = Insolvent(
            now.rest * (1 - part),
            now.maintenance * (1 - part),
            reserve,
            max(reserve, now.credit * (1 - part)),
            elapsed,
        )
    assert paid <= at_once.total + 1e-9 * (debt + maintenance)
    assert from_fund <= at_once.from_fund + 1e-9 * (debt + maintenance)


@st.composite
def backed(draw):
    """An insolvent account with a reserve, lines and a fund of any size."""
    rest = -draw(st.floats(1e-3, 1e6))
    reserve, lines = draw(st.floats(0.0, 1e6)), draw(st.floats(0.0, 1e6))
    credit = draw(st.sampled_from((0.0, reserve + lines, 2.0 * (reserve + lines))))
    account = Insolvent(rest, draw(st.floats(1.0, 1e6)), reserve, credit, draw(st.floats(0.0, 86_400.0)), lines)
    return account, draw(st.floats(0.0, 1e6)), draw(st.floats(0.001, 1.0))


@given(backed())
def test_insolvent_payment__with_lines__each_pays_only_when_those_before_it_are_used_up(case):
    account, fund, fraction = case
    paid = insolvent_payment(fraction, account, SHARE, fund)
    slack = 1e-9 * (1.0 + paid.total + account.reserve + account.lines)
    assert min(paid.from_reserve, paid.from_sponsors, paid.from_fund, paid.socialised) >= 0.0
    assert paid.from_reserve <= account.reserve + slack
    assert paid.from_sponsors <= account.lines + slack
    assert paid.from_fund <= fund + slack
    owed = -fraction * account.rest
    if paid.from_sponsors > slack:
        assert paid.from_reserve >= account.reserve - slack or paid.from_reserve >= owed - slack
    if paid.from_fund > slack:
        assert account.rest + account.reserve + account.lines < 0.0
        assert paid.from_reserve + paid.from_sponsors >= min(owed, account.reserve + account.lines) - slack
    if paid.socialised > slack:
        assert paid.from_fund >= fund - slack
    assert paid.total >= owed - slack


@pytest.mark.parametrize(
    ("reserve", "lines", "fund", "parts"),
    # A debt of 100 and M of 200 after half an hour: a bonus of at most 25. Where lines cover the debt they pay the
    # bonus as well; where they do not, they pay what they hold, and the fund the rest and the bonus on it.
    [
        (0.0, 500.0, 1_000.0, (0.0, 125.0, 0.0, 0.0)),
        (30.0, 500.0, 1_000.0, (30.0, 95.0, 0.0, 0.0)),
        (30.0, 60.0, 1_000.0, (30.0, 60.0, 24.0, 0.0)),
        (30.0, 60.0, 4.0, (30.0, 60.0, 4.0, 6.0)),
        (0.0, 0.0, 1_000.0, (0.0, 0.0, 125.0, 0.0)),
    ],
)
def test_insolvent_payment__who_pays__by_hand(reserve, lines, fund, parts):
    account = Insolvent(-100.0, 200.0, reserve, 0.0, 1_800.0, lines)
    found = insolvent_payment(1.0, account, SHARE, fund)
    assert (found.from_reserve, found.from_sponsors, found.from_fund, found.socialised) == pytest.approx(parts)
