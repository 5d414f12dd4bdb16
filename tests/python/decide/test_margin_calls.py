"""Margin calls: made once when an account falls short, ended once when it is not."""

from __future__ import annotations

from plimsoll.decide import AccountView, CallMargin, MarginCallView, decide_margin_calls

HEALTHY = AccountView(2, 200.0, 200.0, 120.0, 100.0)
SHORT = AccountView(3, 110.0, 110.0, 120.0, 100.0)
SHORTER = AccountView(7, 101.0, 101.0, 120.0, 100.0)
DOOMED = AccountView(4, 90.0, 95.0, 120.0, 100.0)


def test_decide_margin_calls__short_and_not_called__is_called_the_nearest_first():
    """The fault: nobody called ``callMargin``."""
    view = MarginCallView((HEALTHY, SHORT, SHORTER, DOOMED))
    assert decide_margin_calls(view) == (CallMargin(7, True, 0), CallMargin(3, True, 0))


def test_decide_margin_calls__called_already__nothing_until_it_is_met():
    assert decide_margin_calls(MarginCallView((SHORT, DOOMED), called=frozenset({3, 4}))) == ()
    met = MarginCallView((HEALTHY,), called=frozenset({2}), note_counts={2: 5})
    assert decide_margin_calls(met) == (CallMargin(2, False, 5),)


def test_decide_margin_calls__stale_collateral__has_no_number_for_a_call():
    assert decide_margin_calls(MarginCallView((SHORT, SHORTER), blurred=frozenset({7}))) == (CallMargin(3, True, 0),)


def test_decide_margin_calls__more_than_a_pass_takes__the_rest_waits():
    view = MarginCallView((SHORT, SHORTER), max_notes=1)
    assert decide_margin_calls(view) == (CallMargin(7, True, 0),)


def test_key__call_and_its_end__are_two_effects():
    keys = [CallMargin(3, short, count).key for count, short in enumerate((True, False, True, False))]
    assert keys == [f"margin-call:3:{count}" for count in range(4)]
