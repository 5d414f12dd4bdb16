"""The order of work and the conditions of every intent."""

from dataclasses import replace

import pytest

from offchain.decide import (
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

NOW = 1_770_000_000
HEALTHY = AccountView(2, 200.0, 200.0, 120.0, 100.0)
CALLED = AccountView(3, 110.0, 110.0, 120.0, 100.0)
SHORT = AccountView(4, 90.0, 95.0, 120.0, 100.0)
SHORTER = AccountView(5, 20.0, 25.0, 120.0, 100.0)
BROKE = AccountView(6, -30.0, -20.0, 120.0, 100.0)


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


def test_decide__market_equity_negative__starts_auction_even_above_maintenance():
    odd = AccountView(9, 130.0, -1.0, 120.0, 100.0)
    assert decide(Snapshot(NOW, accounts=(odd,))) == (StartAuction(9, NOW),)


def test_decide__uncertain_account__is_left_to_the_chain():
    assert decide(Snapshot(NOW, accounts=(SHORT,), uncertain=frozenset({4}))) == ()


def test_decide__recovered_account__auction_is_ended_not_bid_on():
    auction = AuctionView(2, NOW - 600, True, NOW - 600, 0.0)
    snapshot = Snapshot(NOW, accounts=(HEALTHY,), auctions=(auction,), bidder=BidderRule(8))
    assert decide(snapshot) == (EndAuction(2, NOW - 600),)


def test_decide__between_margins__auction_goes_on():
    auction = AuctionView(3, NOW - 600, True, NOW, 0.0)
    assert decide(Snapshot(NOW, accounts=(CALLED,), auctions=(auction,))) == ()


@pytest.mark.parametrize(("elapsed", "bids"), [(0, 0), (60, 0), (300, 1)])
def test_decide__bidder__waits_until_the_price_pays(elapsed, bids):
    auction = AuctionView(4, NOW - elapsed, True, NOW - elapsed, 0.0)
    snapshot = Snapshot(NOW, accounts=(SHORT,), auctions=(auction,), bidder=BidderRule(8, min_profit=1.0))
    assert sum(isinstance(intent, Bid) for intent in decide(snapshot)) == bids


def test_decide__patience__counts_from_the_start_and_the_price_from_its_own_clock():
    late_clock = AuctionView(4, NOW - 900, True, NOW - 10, 0.0)
    rule = BidderRule(8, min_profit=1.0, patience_sec=600)
    assert decide(Snapshot(NOW, accounts=(SHORT,), auctions=(late_clock,), bidder=rule)) == ()
    early = AuctionView(4, NOW - 500, True, NOW - 500, 0.0)
    assert decide(Snapshot(NOW, accounts=(SHORT,), auctions=(early,), bidder=rule)) == ()
    both = AuctionView(4, NOW - 900, True, NOW - 900, 0.0)
    (bid,) = decide(Snapshot(NOW, accounts=(SHORT,), auctions=(both,), bidder=rule))
    # f = (115 - 90)/(115 - 90 + 0.70*95), price 0.70, fee 1 %.
    assert bid.limit == pytest.approx(25.0 / 91.5 * 95.0 * 0.71 * 1.01)


def test_decide__gas_above_the_profit__no_bid():
    auction = AuctionView(4, NOW - 300, True, NOW - 300, 0.0)
    dear = BidderRule(8, min_profit=1.0, gas_cost=50.0)
    assert decide(Snapshot(NOW, accounts=(SHORT,), auctions=(auction,), bidder=dear)) == ()


def test_decide__own_account__never_bid_on():
    auction = AuctionView(4, NOW - 300, True, NOW - 300, 0.0)
    assert decide(Snapshot(NOW, accounts=(SHORT,), auctions=(auction,), bidder=BidderRule(4))) == ()


def test_decide__insolvent__bid_when_the_payment_covers_the_margin_taken():
    auction = AuctionView(6, NOW - 1800, False, NOW - 1800, 0.0)
    rule = BidderRule(8, min_return=0.25)
    snapshot = Snapshot(NOW, accounts=(BROKE,), auctions=(auction,), bidder=rule)
    (bid,) = [intent for intent in decide(snapshot) if isinstance(intent, Bid)]
    assert (bid.account_id, bid.bidder_id, bid.is_solvent) == (6, 8, False)
    # Half the ramp: paid the debt of 20 and half the maintenance requirement of 100.
    assert bid.limit == pytest.approx(0.99 * 70.0)
    early = replace(snapshot, auctions=(replace(auction, clock_ts=NOW - 600),))
    assert decide(early) == ()


def test_decide__branch_without_a_clock__is_touched_not_bid_on():
    swung = AuctionView(6, NOW - 1800, False, None, 0.0)
    snapshot = Snapshot(NOW, accounts=(BROKE,), auctions=(swung,), bidder=BidderRule(8))
    assert decide(snapshot) == (TouchAuction(6, False, NOW),)


def test_decide__clock_of_an_account_above_maintenance__starts_afresh_once_it_is_old():
    safe = replace(SHORT, equity=1.05 * SHORT.maintenance, initial=1.3 * SHORT.maintenance)
    auction = AuctionView(4, NOW - 1800, True, NOW - 300, 0.0)
    snapshot = Snapshot(NOW, accounts=(safe,), auctions=(auction,))
    assert decide(snapshot) == (TouchAuction(4, True, NOW),)
    assert decide(replace(snapshot, auctions=(replace(auction, clock_ts=NOW - 299),))) == ()


def test_decide__buffer_restored__auction_ends_below_initial():
    restored = replace(SHORT, equity=1.16 * SHORT.maintenance, initial=1.3 * SHORT.maintenance)
    auction = AuctionView(4, NOW - 1800, True, NOW - 1800, 0.0)
    snapshot = Snapshot(NOW, accounts=(restored,), auctions=(auction,))
    assert decide(snapshot) == (EndAuction(4, NOW - 1800),)


def test_decide__debt_and_nothing_else__is_written_off_not_auctioned():
    debtor = replace(BROKE, initial=0.0, maintenance=0.0, is_pure_debt=True)
    auction = AuctionView(6, NOW - 1800, False, NOW - 1800, 0.0)
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
