"""Decisions of the relay: what is carried, when a header is worth its gas, and what stays for which reason."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from plimsoll.decide.relays import RelayPlan, RelayView, Waiting, decide_relay

TOKEN, OTHER = "0x" + "1" * 40, "0x" + "2" * 40
ALICE, BOB = "0x" + "a" * 40, "0x" + "b" * 40
OLD, NEW = Waiting(TOKEN, ALICE, 10, 4, 5), Waiting(TOKEN, BOB, 3, 0, 20)


def test_relay__on_a_header_that_is_known__is_carried_and_the_rest_asks_for_a_newer_one():
    view = RelayView((NEW, OLD), newest=10, final=30)
    assert decide_relay(view) == RelayPlan(2, (OLD,), needs_header=True)
    assert decide_relay(replace(view, newest=20)) == RelayPlan(2, (OLD, NEW))


def test_relay__nothing_waits__posts_no_header():
    done = replace(OLD, done_raw=10)
    assert decide_relay(RelayView((done,), newest=0, final=30)) == RelayPlan()
    # Others carried more than this keeper saw counted.
    assert decide_relay(RelayView((replace(OLD, done_raw=11),), newest=0, final=30)) == RelayPlan()


def test_relay__frozen_feed__carries_nothing_and_says_why():
    plan = decide_relay(RelayView((OLD,), newest=10, final=30, is_frozen=True))
    assert (plan.carry, plan.needs_header) == ((), False)
    assert "frozen" in plan.held[0]


def test_relay__too_few_signatures__waits_for_others_and_carries_what_it_can():
    plan = decide_relay(RelayView((OLD, NEW), newest=10, final=30, missing_signatures=1))
    assert (plan.carry, plan.needs_header) == ((OLD,), False)
    assert plan.held == ("1 sums wait for a header of block 20 or later: 1 signatures missing",)


def test_relay__cap_full__holds_that_token_alone_and_posts_no_header_for_it():
    other = Waiting(OTHER, ALICE, 7, 0, 20)
    view = RelayView((OLD, other), newest=30, final=40, room_raw={TOKEN: 0}, names={TOKEN: "rETH"})
    plan = decide_relay(view)
    assert plan.carry == (other,)
    assert plan.held == ("rETH: 6 of the smallest unit wait, and the cap leaves room for 0",)
    assert decide_relay(replace(view, waiting=(OLD,), newest=0)).needs_header is False
    # As much as fits, where that is worth its gas.
    assert decide_relay(replace(view, room_raw={TOKEN: 1})).carry == (OLD, other)
    assert decide_relay(replace(view, room_raw={TOKEN: 1}, least_raw={TOKEN: 2})).carry == (other,)


def test_relay__dust__is_left_to_its_owner_without_a_word():
    assert decide_relay(RelayView((OLD,), newest=10, final=30, least_raw={TOKEN: 7})) == RelayPlan()
    assert decide_relay(RelayView((OLD,), newest=10, final=30, least_raw={TOKEN: 6})).carry == (OLD,)


def test_relay__header_too_old_to_prove_on__asks_for_a_newer_one():
    view = RelayView((OLD,), newest=10, final=30, is_provable=False)
    assert decide_relay(view) == RelayPlan(1, needs_header=True)
    assert decide_relay(replace(view, final=10)) == RelayPlan(1)


def test_relay__source_stands_still__asks_for_no_header_that_is_not_there():
    assert decide_relay(RelayView((NEW,), newest=10, final=10)) == RelayPlan(1)


SUMS = st.builds(
    Waiting,
    st.sampled_from((TOKEN, OTHER)),
    st.sampled_from((ALICE, BOB)),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 20),
)


@given(st.lists(SUMS, max_size=6), st.integers(0, 20), st.integers(0, 20), st.integers(0, 3), st.booleans())
def test_relay__whatever_waits__is_carried_only_where_it_can_be_proven(waiting, newest, final, missing, is_frozen):
    view = RelayView(tuple(waiting), newest, final, True, is_frozen, missing, {TOKEN: 3}, {OTHER: 2})
    plan = decide_relay(view)
    assert all(entry.left_raw > 0 and entry.block <= newest for entry in plan.carry)
    assert not (is_frozen and (plan.carry or plan.needs_header))
    assert not (plan.needs_header and (missing or final <= newest))
    assert list(plan.carry) == sorted(plan.carry, key=lambda entry: (entry.block, entry.token, entry.to))
