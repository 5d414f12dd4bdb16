"""The rule of ranges: whoever shows it which prices, and when, its bounds hold and nobody can lower what others see."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.constants import DAY_SEC
from plimsoll.mirror.range_rule import STEP, RangeTerms, observe, target_range

TERMS = RangeTerms(0.2, ceiling=0.45, max_rise=0.04, max_fall=0.01)
SLACK = 1e-9
#: A price for every two hours of some days, and at which of them somebody else calls.
PRICES = st.lists(st.floats(500.0, 4_000.0), min_size=24, max_size=24 * 6)
CALLS = st.sets(st.integers(0, 24 * 6), max_size=40)


def walk(prices, calls, grace_sec=0):
    """Range at the end of every day, with a call at the end of each day beside those given."""
    view, ranges, price_range, prior, grace_end = None, [], TERMS.floor, TERMS.floor, 0
    for step, price in enumerate(prices):
        ts, last = step * 7_200 + 1, step % 12 == 11
        if last or step in calls:
            in_grace = ts < grace_end
            view = observe(view, TERMS, ts, price, price_range, prior if in_grace else None)
            if abs(view.price_range - price_range) > SLACK:
                prior, grace_end = prior if in_grace else price_range, ts + grace_sec
            price_range = view.price_range
        if last:
            ranges.append(price_range)
    return ranges


@given(PRICES, CALLS, st.sampled_from([0, DAY_SEC]))
def test_rule__any_calls__stay_within_floor_ceiling_and_the_speed_of_a_day(prices, calls, grace_sec):
    ranges = [TERMS.floor, *walk(prices, calls, grace_sec)]
    assert all(TERMS.floor - SLACK <= r <= TERMS.ceiling + SLACK for r in ranges)
    moved = [after - before for before, after in pairwise(ranges)]
    assert all(-TERMS.max_fall - SLACK <= move <= TERMS.max_rise + SLACK for move in moved)


@given(PRICES, CALLS)
def test_rule__calls_beside_one_at_the_end_of_every_day__can_only_raise(prices, calls):
    alone, beside, all_of_them = (walk(prices, c) for c in (set(), calls, set(range(len(prices)))))
    for least, found, most in zip(alone, beside, all_of_them, strict=True):
        assert least - SLACK <= found <= most + SLACK


@given(st.lists(st.floats(500.0, 4_000.0), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_rule__within_a_day__order_does_not_matter(prices, draw):
    def shown(order):
        view = observe(None, TERMS, 0, 2_000.0, TERMS.floor)
        for n, price in enumerate([*order, 1_900.0]):
            view = observe(view, TERMS, DAY_SEC + n, price, view.price_range)
        return view

    other = prices[:]
    draw.shuffle(other)
    one, two = shown(prices), shown(other)
    assert (one.low, one.high, one.variance, one.price_range) == (two.low, two.high, two.variance, two.price_range)


def test_rule__constant_span__ends_at_its_multiple_rounded_up_to_a_step():
    view, span = None, 0.11
    for day in range(200):
        for part, price in enumerate((1_000.0, 1_000.0 * math.exp(span))):
            price_range = TERMS.floor if view is None else view.price_range
            view = observe(view, TERMS, day * DAY_SEC + part, price, price_range)
    # Three times 0.11 is two thirds of a step above 0.33 or nothing: 0.33 is a step.
    assert view.variance == pytest.approx(span**2, rel=1e-4)
    assert target_range(view, TERMS) == pytest.approx(math.ceil(3 * math.sqrt(view.variance) / STEP - 1e-9) * STEP)
    assert view.price_range == pytest.approx(0.33, abs=STEP)


def test_rule__before_any_price__asks_for_the_floor():
    assert observe(None, TERMS, 5, 1_900.0, 0.2).price_range == 0.2
