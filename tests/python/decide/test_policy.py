"""The order of work and the conditions of every intent."""

from dataclasses import replace

import pytest

from plimsoll.decide import (
    AccountView,
    AuctionView,
    Bid,
    BidderRule,
    EndAuction,
    PostRound,
    PostSettlement,
    PostTokenPrices,
    Settle,
    Snapshot,
    StartAuction,
    TouchAuction,
    UpdateFunding,
    UpdateRate,
    WriteOff,
    decide,
)
from plimsoll.decide.bidder import solvent_offer

NOW = 1_770_000_000
HEALTHY = AccountView(2, 200.0, 200.0, 120.0, 100.0)
CALLED = AccountView(3, 110.0, 110.0, 120.0, 100.0)
SHORT = AccountView(4, 90.0, 95.0, 120.0, 100.0)
SHORTER = AccountView(5, 20.0, 25.0, 120.0, 100.0)
BROKE = AccountView(6, -30.0, -20.0, 120.0, 100.0)
RICH = AccountView(8, 1e6, 1e6, 0.0, 0.0)


def test_decide__nothing_new__wants_nothing():
    assert decide(Snapshot(NOW, {"ETH": 5}, {"ETH": 5}, 5, 5, accounts=(HEALTHY, CALLED))) == ()


def test_decide__newer_prices__are_posted_before_anything_else():
    snapshot = Snapshot(NOW, {"ETH": 6, "BTC": 6}, {"ETH": 5}, 6, 5, accounts=(SHORT,))
    assert decide(snapshot) == (PostTokenPrices(6), PostRound("BTC", 6), PostRound("ETH", 6))


def test_decide__older_offer__is_ignored():
    assert decide(Snapshot(NOW, {"ETH": 4}, {"ETH": 5}, 4, 5)) == ()


def test_decide__expired_series__priced_once_then_settled_in_chunks():
    snapshot = Snapshot(NOW, expired={("ETH", 9): (7, 5, 6), ("BTC", 8): (5,)}, max_settle_accounts=2)
    assert decide(snapshot) == (
        PostSettlement("BTC", 8),
        Settle("BTC", 8, (5,)),
        PostSettlement("ETH", 9),
        Settle("ETH", 9, (5, 6)),
        Settle("ETH", 9, (7,)),
    )
    priced = replace(snapshot, settled_prices=frozenset({("ETH", 9), ("BTC", 8)}))
    assert not any(isinstance(intent, PostSettlement) for intent in decide(priced))


def test_decide__series_unsettled__accounts_that_do_not_hold_it_are_liquidated():
    wanted = decide(Snapshot(NOW, expired={("ETH", 9): (7,)}, accounts=(SHORT,)))
    assert wanted == (PostSettlement("ETH", 9), Settle("ETH", 9, (7,)), StartAuction(4, NOW))


def test_decide__below_maintenance__starts_auctions_worst_first():
    assert decide(Snapshot(NOW, accounts=(HEALTHY, SHORT, CALLED, SHORTER))) == (
        StartAuction(5, NOW),
        StartAuction(4, NOW),
    )


def test_decide__order_of_accounts__does_not_matter():
    accounts = (HEALTHY, SHORT, CALLED, SHORTER, BROKE)
    assert decide(Snapshot(NOW, accounts=accounts)) == decide(Snapshot(NOW, accounts=accounts[::-1]))


def test_decide__uncertain_account__is_left_to_the_chain():
    assert decide(Snapshot(NOW, accounts=(SHORT,), uncertain=frozenset({4}))) == ()


def auction_of(account_id, age, *, is_solvent=True, clock=None, **more):
    """An auction of some age whose clock is as old, vouched for just now."""
    fields = {"clock_ts": NOW - age if clock is None else clock, "vouched_ts": NOW} | more
    return AuctionView(account_id, NOW - age, is_solvent, **fields)


def with_bidder(view, auction, rule=None, bidder=RICH):
    return Snapshot(NOW, accounts=(view, bidder), auctions=(auction,), bidder=rule or BidderRule(bidder.account_id))


def bids(snapshot):
    return [intent for intent in decide(snapshot) if isinstance(intent, Bid)]


def test_decide__recovered_account__auction_is_ended_not_bid_on():
    assert decide(with_bidder(HEALTHY, auction_of(2, 600))) == (EndAuction(2, NOW - 600),)


def test_decide__between_margins__recovery_is_noted_once_and_nothing_is_bid():
    assert decide(with_bidder(CALLED, auction_of(3, 600))) == (TouchAuction(3, True, NOW),)
    noted = auction_of(3, 600, vouched_ts=None)
    assert decide(with_bidder(CALLED, noted)) == ()


@pytest.mark.parametrize(("elapsed", "count"), [(0, 0), (60, 0), (300, 1)])
def test_decide__bidder__waits_until_the_price_pays(elapsed, count):
    assert len(bids(with_bidder(SHORT, auction_of(4, elapsed), BidderRule(8, min_profit=1.0)))) == count


def test_decide__patience__counts_from_the_start_and_the_price_from_its_own_clock():
    rule = BidderRule(8, min_profit=1.0, patience_sec=600)
    assert decide(with_bidder(SHORT, auction_of(4, 900, clock=NOW - 10), rule)) == ()
    assert decide(with_bidder(SHORT, auction_of(4, 500), rule)) == ()
    (bid,) = decide(with_bidder(SHORT, auction_of(4, 900), rule))
    # f = (115 - 90)/(115 - 90 + 0.70*95), price 0.70, fee 1 %.
    assert bid.limit == pytest.approx(25.0 / 91.5 * 95.0 * 0.71 * 1.01)
    assert bid.fraction == 1.0


def test_decide__gas_above_the_profit__no_bid():
    assert decide(with_bidder(SHORT, auction_of(4, 300), BidderRule(8, min_profit=1.0, gas_cost=50.0))) == ()


def test_decide__own_account__never_bid_on():
    snapshot = Snapshot(NOW, accounts=(SHORT,), auctions=(auction_of(4, 300),), bidder=BidderRule(4))
    assert decide(snapshot) == ()


def test_decide__margin_of_the_bidder_unknown__no_bid():
    snapshot = with_bidder(SHORT, auction_of(4, 300), BidderRule(8))
    assert len(bids(snapshot)) == 1
    assert bids(replace(snapshot, accounts=(SHORT,))) == []


def test_decide__account_larger_than_the_bidders_margin__takes_what_it_carries():
    large = AccountView(4, 9_000.0, 9_500.0, 12_000.0, 10_000.0)
    small = AccountView(8, 1_000.0, 1_000.0, 0.0, 0.0)
    (bid,) = bids(with_bidder(large, auction_of(4, 900), BidderRule(8, min_profit=1.0), small))
    # Per unit the slice needs 12,000, brings 9,000 and costs 0.70*9,500 and the fee.
    need = 12_000.0 - 9_000.0 + 0.71 * 9_500.0
    assert bid.fraction == pytest.approx(0.99 * 1_000.0 / need)
    assert bid.limit == pytest.approx(1.01 * bid.fraction * 0.71 * 9_500.0)
    assert bids(with_bidder(large, auction_of(4, 900), BidderRule(8), replace(small, initial=1_001.0))) == []


def test_decide__cushion__keeps_more_than_the_initial_margin():
    large = AccountView(4, 9_000.0, 9_500.0, 12_000.0, 10_000.0)
    own = AccountView(8, 1_000.0, 1_000.0, 200.0, 160.0)
    (bid,) = bids(with_bidder(large, auction_of(4, 900), BidderRule(8, cushion=1.5), own))
    need = 1.5 * 12_000.0 - 9_000.0 + 0.71 * 9_500.0
    assert bid.fraction == pytest.approx(0.99 * (1_000.0 - 1.5 * 200.0) / need)
    after = 1_000.0 - bid.fraction * (0.71 * 9_500.0 - 9_000.0)
    assert after >= 1.5 * (200.0 + bid.fraction * 12_000.0)
    assert bids(with_bidder(large, auction_of(4, 900), BidderRule(8, cushion=5.1), own)) == []


def test_decide__smallest_share__waits_for_what_it_can_restore():
    large = AccountView(4, 9_000.0, 9_500.0, 12_000.0, 10_000.0)
    small = AccountView(8, 1_000.0, 1_000.0, 0.0, 0.0)
    auction = auction_of(4, 900)
    restoring = solvent_offer(Snapshot(NOW).terms, large, auction, 900.0, 1.0).fraction
    (bid,) = bids(with_bidder(large, auction, BidderRule(8), small))
    share = bid.fraction / restoring
    assert 0.0 < share < 1.0
    assert bids(with_bidder(large, auction, BidderRule(8, min_share=0.99 * share), small)) == [bid]
    assert bids(with_bidder(large, auction, BidderRule(8, min_share=1.01 * share), small)) == []


def test_decide__insolvent__bid_when_the_bonus_covers_the_margin_taken():
    auction = auction_of(6, 1_200, is_solvent=False, loss=20.0)
    # A third of an hour: paid the debt of 20 and a twelfth of the maintenance requirement of 100.
    (bid,) = bids(with_bidder(BROKE, auction, BidderRule(8, min_bonus=0.08)))
    assert (bid.account_id, bid.bidder_id, bid.is_solvent) == (6, 8, False)
    assert bid.limit == pytest.approx(0.99 * (20.0 + 100.0 / 12))
    assert bids(with_bidder(BROKE, auction, BidderRule(8, min_bonus=0.09))) == []
    assert bids(with_bidder(BROKE, auction, BidderRule(8, min_return=0.5, min_bonus=0.08))) == [bid]


def test_decide__fund_at_its_limit__bonus_is_not_counted_on():
    auction = auction_of(6, 1_200, is_solvent=False, loss=20.0)
    snapshot = with_bidder(BROKE, auction, BidderRule(8))
    assert len(bids(replace(snapshot, fund_available=22.0))) == 1
    assert bids(replace(snapshot, fund_available=20.0)) == []


def test_decide__branch_without_a_clock__is_touched_not_bid_on():
    swung = auction_of(6, 1_800, is_solvent=False)
    snapshot = with_bidder(BROKE, replace(swung, clock_ts=None))
    assert decide(snapshot) == (TouchAuction(6, False, NOW),)


def test_decide__nobody_vouched_lately__is_touched_before_the_path_starts_again():
    assert decide(with_bidder(SHORTER, auction_of(5, 3_000, vouched_ts=NOW - 1_199), BidderRule(8, 1e9))) == ()
    assert decide(with_bidder(SHORTER, auction_of(5, 3_000, vouched_ts=NOW - 1_200), BidderRule(8, 1e9))) == (
        TouchAuction(5, True, NOW),
    )


def test_decide__nobody_vouched_for_half_an_hour__price_is_at_its_top():
    assert len(bids(with_bidder(SHORT, auction_of(4, 3_000, vouched_ts=NOW - 1_799)))) == 1
    assert bids(with_bidder(SHORT, auction_of(4, 3_000, vouched_ts=NOW - 1_800))) == []


def test_decide__loss_came_or_went__is_noted():
    solvent_again = auction_of(5, 600, loss=3.0)
    assert decide(with_bidder(SHORTER, solvent_again, BidderRule(8, 1e9))) == (TouchAuction(5, True, NOW),)
    unseen_loss = auction_of(6, 600, is_solvent=False)
    assert decide(with_bidder(BROKE, unseen_loss, BidderRule(8, 1e9))) == (TouchAuction(6, False, NOW),)
    seen = replace(unseen_loss, loss=1.0)
    assert decide(with_bidder(BROKE, seen, BidderRule(8, 1e9))) == ()


def test_decide__buffer_restored__auction_ends_below_initial():
    restored = replace(SHORT, equity=1.16 * SHORT.maintenance, initial=1.3 * SHORT.maintenance)
    assert decide(Snapshot(NOW, accounts=(restored,), auctions=(auction_of(4, 1_800),))) == (
        EndAuction(4, NOW - 1_800),
    )


def test_decide__debt_and_nothing_else__is_written_off_not_auctioned():
    debtor = replace(BROKE, initial=0.0, maintenance=0.0, is_pure_debt=True)
    auction = auction_of(6, 1_800, is_solvent=False)
    assert decide(Snapshot(NOW, accounts=(debtor,), bidder=BidderRule(8))) == (WriteOff(6, NOW),)
    assert decide(Snapshot(NOW, accounts=(debtor,), auctions=(auction,), bidder=BidderRule(8))) == (WriteOff(6, NOW),)


def test_keys__equal_effect__equal_key():
    assert PostRound("ETH", 5).key == PostRound("ETH", 5).key != PostRound("BTC", 5).key
    assert Settle("ETH", 5, (1, 2)).key != Settle("ETH", 5, (1,)).key


def test_decide__round_posted__sets_the_funding_once_and_while_fresh():
    posted = {"ETH": 100, "BTC": 90}
    fresh = Snapshot(block_ts=150, posted_round_ts=posted, funded_round_ts={"ETH": 50, "BTC": 90}, heartbeat_sec=60)
    assert decide(fresh) == (UpdateFunding("ETH", 100),)
    assert decide(replace(fresh, funded_round_ts=posted)) == ()
    assert decide(replace(fresh, block_ts=161)) == ()
    # Prices come first.
    assert decide(replace(fresh, offered_round_ts={"ETH": 120})) == (PostRound("ETH", 120),)
    assert UpdateFunding("ETH", 5).key == UpdateFunding("ETH", 5).key != UpdateFunding("ETH", 6).key


def test_decide__rate_due__is_observed_once_the_gap_is_over():
    waiting = Snapshot(block_ts=149, rate_due_ts={"WSTETH": 150, "RETH": 151})
    assert decide(waiting) == ()
    assert decide(replace(waiting, block_ts=150)) == (UpdateRate("WSTETH", 150),)
    assert decide(replace(waiting, block_ts=151)) == (UpdateRate("RETH", 151), UpdateRate("WSTETH", 150))
    # Prices come first.
    assert decide(replace(waiting, block_ts=150, offered_round_ts={"ETH": 120})) == (PostRound("ETH", 120),)
    assert UpdateRate("WSTETH", 5).key == UpdateRate("WSTETH", 5).key != UpdateRate("WSTETH", 6).key
