"""Bids out of one purse: previewed, profitable after gas, hedge and edge, and never more than the margin carries."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.decide import AccountView, AuctionView, BidderRule, BidPreview, BidView, Hedge, bid_wishes, decide_bids
from plimsoll.decide.bidder import SLACK

NOW = 1_770_000_000
OWN = AccountView(8, 1e6, 1e6, 0.0, 0.0)
RULE = BidderRule(8, min_profit=1.0)


def account(number, scale=1.0):
    """Short by a tenth of its maintenance margin of 100, times ``scale``."""
    return AccountView(number, 90.0 * scale, 95.0 * scale, 120.0 * scale, 100.0 * scale)


def auction(number, age=900, **more):
    return AuctionView(number, NOW - age, **({"is_solvent": True, "clock_ts": NOW - age, "vouched_ts": NOW} | more))


def world(*accounts, rule=RULE, auctions=None, own=OWN):
    running = auctions if auctions is not None else tuple(auction(view.account_id) for view in accounts)
    return BidView(NOW, rule, (*accounts, own), running)


def preview(wish, own=OWN, hedge=1.0):
    """What a chain without any effect of hedges would say; ``hedge`` scales what the slice adds to the bidder."""
    view, offer = wish.account, wish.offer
    pays = offer.cash if wish.auction.is_solvent else -offer.cash
    equity = own.equity + offer.fraction * (view.equity - wish.auction.reserve) - pays
    initial = own.initial + hedge * offer.fraction * view.initial
    figures = (offer.cash, offer.profit, own.equity, own.initial, equity, initial, 1_000.0)
    return BidPreview(wish.auction.is_solvent, offer.fraction, *figures)


def bids(view, own=OWN, hedges=None, gas=0.0, hedge=1.0):
    wishes = bid_wishes(view, gas)
    previews = {wish.account.account_id: preview(wish, own, hedge) for wish in wishes}
    none = {wish.account.account_id: Hedge(0.0, 0.0) for wish in wishes}
    return decide_bids(wishes, previews, none if hedges is None else hedges, view.rule, gas)


def test_bid_wishes__largest_gain_first__and_no_more_than_may_be_previewed():
    accounts = [account(number, scale=number) for number in range(10, 20)]
    found = bid_wishes(world(*accounts), 0.0, limit=3)
    assert [wish.account.account_id for wish in found] == [19, 18, 17]


@pytest.mark.parametrize(
    ("view", "running"),
    [
        (account(4), auction(4, clock_ts=None)),
        (account(4), auction(4, vouched_ts=None)),
        (account(4), auction(4, age=10)),
        (replace(account(4), equity=101.0), auction(4)),
        (replace(account(4), is_pure_debt=True), auction(4)),
        (account(8), auction(8)),
        (account(4), auction(5)),
    ],
)
def test_bid_wishes__nothing_to_gain__is_not_previewed(view, running):
    assert bid_wishes(world(view, auctions=(running,)), 2.0) == ()


def test_bid_wishes__patience__counts_from_the_start():
    waiting = world(account(4), rule=replace(RULE, patience_sec=901))
    assert bid_wishes(waiting, 0.0) == ()


def test_decide_bids__room_for_all__takes_each_at_what_it_was_previewed_at():
    (first, second) = bids(world(account(4), account(5, 2.0)))
    assert {first.account_id, second.account_id} == {4, 5}
    # f = (115 - 90)/(115 - 90 + 0.70*95), price 0.70, fee 1 %.
    small = first if first.account_id == 4 else second
    assert small.fraction == pytest.approx((1 + SLACK) * 25.0 / 91.5)
    assert small.limit == pytest.approx(25.0 / 91.5 * 95.0 * 0.71 * (1 + SLACK))
    assert small.key == "bid:4:0:8:0"


def test_decide_bids__refused_preview__loses_its_own_bid_alone():
    view = world(account(4), account(5))
    wishes = bid_wishes(view, 0.0)
    (only,) = decide_bids(wishes, {5: preview(wishes[1])}, {5: Hedge(0.0, 0.0)}, RULE, 0.0)
    assert only.account_id == 5


def gain_of(view):
    (wish,) = bid_wishes(view, 0.0)
    return wish.offer.profit, wish.offer.fraction


@pytest.mark.parametrize("side", [-1e-6, 1e-6])
@pytest.mark.parametrize("cost", ["gas", "edge", "delta", "vega", "unknown hedge"])
def test_decide_bids__cost_as_large_as_the_gain__decides(side, cost):
    view = world(account(4))
    gain, fraction = gain_of(view)
    most = (gain - RULE.min_profit) * (1.0 + side)
    hedges = {4: Hedge(0.0, 0.0)}
    rule, gas = view.rule, 0.0
    if cost == "gas":
        gas = most
    elif cost == "edge":
        rule = replace(rule, min_profit=gain * (1.0 + side))
    elif cost == "delta":
        rule, hedges = replace(rule, delta_cost=0.01), {4: Hedge(-most / fraction / 0.01, 0.0)}
    elif cost == "vega":
        rule, hedges = replace(rule, vega_cost=0.01), {4: Hedge(0.0, most / fraction / 0.01)}
    else:
        # Gross notional of the preview stands for the deltas that nobody knows.
        rule, hedges = replace(rule, delta_cost=most / fraction / 1_000.0), {}
    assert len(bids(replace(view, rule=rule), hedges=hedges, gas=gas)) == (1 if side < 0 else 0)


def test_decide_bids__purse_too_small__goes_to_the_best_for_its_margin_and_the_rest_in_part():
    fat, lean = account(4), replace(account(5), initial=240.0)
    own = replace(OWN, equity=60.0)
    first, second = bids(world(fat, lean, own=own), own)
    assert (first.account_id, second.account_id) == (4, 5)
    assert first.fraction == pytest.approx((1 + SLACK) * 25.0 / 91.5)
    assert 0.0 < second.fraction < 25.0 / 91.5
    assert bids(world(fat, lean, own=replace(own, equity=-1.0)), replace(own, equity=-1.0)) == ()


def test_decide_bids__hedge_counts_once():
    """The first bid may use the bidder's hedges up: the second is held to what it needs by itself."""
    accounts = (account(4), account(5))
    own = replace(OWN, equity=20.0)
    first, second = bids(world(*accounts, own=own), own, hedge=0.0)
    assert first.fraction == pytest.approx((1 + SLACK) * 25.0 / 91.5)
    assert second.fraction < 25.0 / 91.5


def test_decide_bids__smallest_share__waits_for_what_it_can_restore():
    own = replace(OWN, equity=10.0)
    view = world(account(4), own=own)
    (bid,) = bids(view, own)
    share = bid.fraction / (25.0 / 91.5)
    assert 0.0 < share < 1.0
    for factor, count in ((0.99, 1), (1.01, 0)):
        assert len(bids(replace(view, rule=replace(RULE, min_share=factor * share)), own)) == count


def test_decide_bids__insolvent__is_paid_at_least_its_limit():
    broke = AccountView(6, -30.0, -20.0, 120.0, 100.0)
    running = auction(6, 1_200, is_solvent=False, loss=20.0)
    (bid,) = bids(world(broke, auctions=(running,)))
    assert (bid.is_solvent, bid.fraction) == (False, 1.0)
    assert bid.limit == pytest.approx((1 - SLACK) * (20.0 + 100.0 / 12))


@pytest.mark.parametrize("name", ["profit", "equity_before", "initial_after", "fraction"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_decide_bids__preview_of_no_numbers__is_no_bid_and_stops_no_other(name, value):
    wishes = bid_wishes(world(account(4), account(5)), 0.0)
    previews = {wish.account.account_id: preview(wish) for wish in wishes}
    previews[4] = replace(previews[4], **{name: value})
    rule = replace(RULE, delta_cost=1e-6)
    assert [bid.account_id for bid in decide_bids(wishes, previews, {}, rule, 0.0)] == [5]


@given(
    st.lists(st.tuples(st.floats(0.2, 5.0), st.floats(0.0, 1.5)), min_size=1, max_size=8),
    st.floats(-10.0, 500.0),
    st.floats(1.0, 2.0),
    st.randoms(use_true_random=False),
)
def test_decide_bids__any_purse__is_never_overdrawn_and_the_order_of_the_input_is_nothing(
    sizes, equity, cushion, random
):
    accounts = [account(10 + i, scale) for i, (scale, _) in enumerate(sizes)]
    own, rule = replace(OWN, equity=equity), replace(RULE, cushion=cushion)
    wishes = list(bid_wishes(world(*accounts, rule=rule, own=own), 0.0))
    hedged = {10 + i: share for i, (_, share) in enumerate(sizes)}
    previews = {
        wish.account.account_id: preview(wish, own, min(1.0, hedged[wish.account.account_id])) for wish in wishes
    }
    found = decide_bids(wishes, previews, {}, rule, 0.5)
    random.shuffle(wishes)
    assert decide_bids(wishes, previews, {}, rule, 0.5) == found
    assert len({bid.key for bid in found}) == len(found)
    views = {wish.account.account_id: wish for wish in wishes}
    # The first at what it really takes, the others without any hedge: what is left is never below the cushion.
    left = equity
    for place, bid in enumerate(found):
        wish, seen = views[bid.account_id], previews[bid.account_id]
        part = bid.fraction / seen.fraction
        alone = bid.fraction * (cushion * wish.account.initial - wish.account.equity) + part * seen.cash
        real = part * (seen.equity_before - seen.equity_after + cushion * (seen.initial_after - seen.initial_before))
        left -= real if place == 0 else max(alone, real)
    assert not found or left >= -1e-8
