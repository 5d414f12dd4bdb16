"""Funding in exact integers against fractions."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from plimsoll.constants import DAY_SEC, WAD
from plimsoll.index.funding import LIFE_SEC, index_at, owed, rate

A_PRICE = st.integers(1, 10**24)
A_RATE = st.integers(-(10**24), 10**24)


@given(A_PRICE, A_PRICE, st.integers(0, 5 * 10**16), st.integers(3_600, 10**6))
def test_rate__premium__is_the_clamped_one_toward_zero(spot, perp, cap, period):
    limit = spot * cap // WAD
    exact = Fraction(max(-limit, min(limit, perp - spot)) * DAY_SEC, period)
    got = rate(spot, perp, cap, period)
    assert abs(got) == abs(exact) // 1
    assert got * exact >= 0


@given(A_RATE, A_RATE, st.integers(0, 3 * LIFE_SEC))
def test_index_at__time__moves_by_the_rate_for_an_hour_at_most(index, a_day, elapsed):
    exact = index + Fraction(a_day * min(elapsed, LIFE_SEC), DAY_SEC)
    got = index_at(index, a_day, 1_000, 1_000 + elapsed)
    assert abs(got - exact) < 1
    assert abs(got - index) <= abs(exact - index)


@given(st.integers(-(10**30), 10**30), st.lists(st.integers(-(10**24), 10**24), max_size=6))
def test_owed__both_sides__clearing_never_pays_and_keeps_below_a_wei_each(quantity, steps):
    for step in steps:
        left = owed(quantity, step) + owed(-quantity, step)
        assert 0 <= left <= 1
        assert 0 <= owed(quantity, step) - Fraction(quantity * step, WAD) < 1
