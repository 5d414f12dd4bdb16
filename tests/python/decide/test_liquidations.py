"""Auctions: which to start, touch and end, in which order, and by which keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.decide import (
    AccountView,
    AuctionView,
    EndAuction,
    LiquidationView,
    StartAuction,
    TouchAuction,
    WriteOff,
    decide_liquidations,
)

NOW = 1_770_000_000
HEALTHY = AccountView(2, 200.0, 200.0, 120.0, 100.0)
CALLED = AccountView(3, 110.0, 110.0, 120.0, 100.0)
SHORT = AccountView(4, 90.0, 95.0, 120.0, 100.0)
SHORTER = AccountView(5, 20.0, 25.0, 120.0, 100.0)
BROKE = AccountView(6, -30.0, -20.0, 120.0, 100.0)


def auction_of(account_id, age=600, **more):
    """An auction of some age, the account's third, whose clock is as old and that was vouched for just now."""
    fields = {"is_solvent": True, "clock_ts": NOW - age, "vouched_ts": NOW, "number": 3, "look_count": 7} | more
    return AuctionView(account_id, NOW - age, **fields)


def wanted(*accounts, auctions=(), **more):
    return decide_liquidations(LiquidationView(NOW, accounts, tuple(auctions), **more))


def test_decide_liquidations__below_maintenance__starts_with_the_largest_deficit():
    assert wanted(HEALTHY, SHORT, CALLED, SHORTER, BROKE) == tuple(StartAuction(i, 0) for i in (6, 5, 4))


def test_decide_liquidations__started_before__key_counts_the_starts():
    (first,), (second,) = wanted(SHORT), wanted(SHORT, start_counts={4: 1})
    assert (first.key, second.key) == ("start:4:0", "start:4:1")


@pytest.mark.parametrize("later_sec", [0, 1, 600])
def test_decide_liquidations__the_same_effect_later__has_the_same_key(later_sec):
    """The fault: keys held the time of the block, so a lost transaction was a new effect in every pass."""
    unseen = auction_of(6, is_solvent=False, clock_ts=None)
    debtor = replace(BROKE, account_id=7, is_pure_debt=True)
    keys = {
        tuple(step.key for step in decide_liquidations(LiquidationView(ts, (SHORT, BROKE, debtor), (unseen,))))
        for ts in (NOW, NOW + later_sec)
    }
    assert keys == {("touch:6:3:7", "write-off:7:0", "start:4:0")}


def test_decide_liquidations__recovered__ends_by_number():
    assert wanted(HEALTHY, auctions=[auction_of(2)]) == (EndAuction(2, 3),)


def test_decide_liquidations__buffer_restored__ends_below_initial():
    restored = replace(SHORT, equity=116.0, initial=130.0)
    assert wanted(restored, auctions=[auction_of(4)]) == (EndAuction(4, 3),)


def test_decide_liquidations__between_the_margins__recovery_is_noted_once():
    assert wanted(CALLED, auctions=[auction_of(3)]) == (TouchAuction(3, 3, 7),)
    assert wanted(CALLED, auctions=[auction_of(3, vouched_ts=None)]) == ()


@pytest.mark.parametrize(("age", "count"), [(1_199, 0), (1_200, 1), (1_800, 1)])
def test_decide_liquidations__nobody_vouched_for_a_while__is_touched(age, count):
    assert len(wanted(SHORT, auctions=[auction_of(4, 3_000, vouched_ts=NOW - age)])) == count


@pytest.mark.parametrize(
    ("account", "more", "count"),
    [
        (BROKE, {"is_solvent": False, "loss": 20.0}, 0),
        (BROKE, {"is_solvent": False, "loss": 0.0}, 1),
        (SHORT, {"loss": 3.0}, 1),
        (SHORT, {"clock_ts": None}, 1),
        (SHORT, {}, 0),
    ],
)
def test_decide_liquidations__what_the_chain_does_not_know__is_touched(account, more, count):
    assert len(wanted(account, auctions=[auction_of(account.account_id, **more)])) == count


def test_decide_liquidations__debt_and_nothing_else__is_written_off():
    debtor = replace(BROKE, initial=0.0, maintenance=0.0, is_pure_debt=True)
    assert wanted(debtor, end_counts={6: 2}) == (WriteOff(6, 2),)
    assert wanted(debtor, auctions=[auction_of(6, is_solvent=False)]) == (WriteOff(6, 0),)


def test_decide_liquidations__account_closed_under_auction__its_auction_ends():
    assert wanted(auctions=[auction_of(9)], closed=frozenset({9, 10})) == (EndAuction(9, 3),)


def test_decide_liquidations__auction_without_a_margin__is_left_alone():
    assert wanted(SHORT, auctions=[auction_of(9)]) == (StartAuction(4, 0),)


figures = st.floats(-200.0, 300.0)
views = st.builds(AccountView, st.integers(2, 40), figures, figures, st.just(120.0), st.just(100.0), st.booleans())


@st.composite
def worlds(draw):
    accounts = draw(st.lists(views, max_size=20, unique_by=lambda view: view.account_id))
    ids = draw(st.sets(st.integers(2, 40), max_size=20))
    auctions = [auction_of(i, loss=draw(st.sampled_from([0.0, 5.0]))) for i in sorted(ids)]
    return accounts, auctions


@given(worlds(), st.randoms(use_true_random=False))
def test_decide_liquidations__any_world__order_and_neighbours_change_nothing(world, random):
    accounts, auctions = world
    found = wanted(*accounts, auctions=auctions)
    shuffled, moved = list(accounts), list(auctions)
    random.shuffle(shuffled)
    random.shuffle(moved)
    assert wanted(*shuffled, auctions=moved) == found
    assert len({step.key for step in found}) == len(found)
    deficits = {view.account_id: view.equity - view.maintenance for view in accounts}
    order = [deficits[step.account_id] for step in found]
    assert order == sorted(order)
    for gone in accounts:
        rest = wanted(*(view for view in accounts if view is not gone), auctions=auctions)
        assert rest == tuple(step for step in found if step.account_id != gone.account_id)
