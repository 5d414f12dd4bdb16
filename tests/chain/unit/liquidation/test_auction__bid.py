"""Auction.bid against the formulas of section 8, in floats apart from the contract."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import shown
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import BUFFER, FEE_RATE, FUND

WHOLE, MOST = WAD, 2**255


def opened(stack, account_id, caller, price):
    stack.price(price)
    return stack.auction.start(account_id, {"from": caller}).timestamp


def price_factor(sec):
    return 0.98 - 0.28 * sec / 900 if sec <= 900 else max(0.0, 0.7 * (1 - (sec - 900) / 43_200))


@pytest.mark.parametrize("wait", [0, 450, 900, 8_000])
def test_bid__solvent__restores_the_buffer_and_ends(stack, long_id, bidder, bidder_id, chain, wait):
    begun = opened(stack, long_id, bidder, 1_700)
    was, cash = stack.margin(long_id), stack.cash_sum()
    chain.sleep(wait)
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    d = price_factor(tx.timestamp - begun)
    rest, target = was.market / WAD, was.maintenance * (WAD + BUFFER) / WAD**2
    f = min(1.0, (target - was.equity / WAD) / (target - was.equity / WAD + d * rest))
    filled = tx.events["BidFilled"]
    assert filled["fractionWad"] / WAD == pytest.approx(f, rel=1e-9)
    assert filled["cashWad"] / WAD == pytest.approx(f * d * rest, rel=1e-9)
    assert filled["feeWad"] / WAD == pytest.approx(min(FEE_RATE / WAD, 1 - d) * f * rest, rel=1e-9)
    now = stack.margin(long_id)
    assert now.equity - now.maintenance >= was.equity - was.maintenance
    assert now.equity / WAD == pytest.approx(1.15 * now.maintenance / WAD, rel=1e-9)
    assert not stack.auction.auctionOf(long_id)[0]
    assert tx.events.keys()[-1] == "AuctionEnded"
    assert stack.fund.balanceWad() == filled["feeWad"]
    assert stack.cash_sum() == cash


def test_bid__in_small_steps__never_buys_the_reserve(stack, long_id, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    was = stack.margin(long_id)
    paid = 0
    for _ in range(2):
        tx = stack.auction.bid(long_id, bidder_id, WAD // 20, True, MOST, {"from": bidder})
        paid += tx.events["BidFilled"]["cashWad"]
        assert stack.auction.auctionOf(long_id)[3] == paid
    # What is outside the reserve shrinks by the slices alone.
    left = stack.margin(long_id).market - paid
    assert left / WAD == pytest.approx(was.market / WAD * 0.95**2, rel=1e-9)


def test_bid__insolvent__reserve_then_fund_then_everybody(stack, long_id, bidder, bidder_id, trader, chain):
    stack.accounts.creditToken(FUND, 0, 100 * WAD, {"from": stack.admin})
    witness = stack.open(trader, 10_000)
    opened(stack, long_id, bidder, 1_700)
    first = stack.auction.bid(long_id, bidder_id, WAD // 10, True, MOST, {"from": bidder})
    reserve, fund = first.events["BidFilled"]["cashWad"], stack.fund.balanceWad()
    stack.price(1_400)
    begun = stack.auction.touch(long_id, {"from": bidder}).timestamp
    chain.sleep(1_800)
    was, cash = stack.margin(long_id), stack.cash_sum()
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    pay = -(was.market - reserve) + was.maintenance * (tx.timestamp - begun) // 3_600
    assert tx.events["BidFilled"]["cashWad"] == pay
    covered = tx.events["LossCovered"]
    assert (covered["fromReserveWad"], covered["fromFundWad"]) == (reserve, fund)
    assert covered["socialisedWad"] == pay - reserve - fund > 0
    assert stack.fund.balanceWad() == 0
    assert stack.accounts.cashOf(witness) < 10_000 * WAD
    assert stack.margin(long_id).equity == 0
    assert not stack.auction.auctionOf(long_id)[0]
    assert stack.cash_sum() == cash


def test_bid__limit_missed__reverts(stack, long_id, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    with reverts_with("Auction__LimitMissed"):
        stack.auction.bid(long_id, bidder_id, WHOLE, True, 1, {"from": bidder})
    stack.price(1_400)
    with reverts_with("Auction__LimitMissed"):
        stack.auction.bid(long_id, bidder_id, WHOLE, False, MOST, {"from": bidder})


def test_bid__other_branch__reverts_WrongBranch(stack, long_id, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    with reverts_with("Auction__WrongBranch", True, False):
        stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})


def test_bid__bidder_without_margin__reverts_BidderBelowInitial(stack, long_id, bidder):
    poor = stack.open(bidder, 1)
    opened(stack, long_id, bidder, 1_700)
    with reverts_with("Auction__BidderBelowInitial"):
        stack.auction.bid(long_id, poor, WHOLE, True, MOST, {"from": bidder})


def test_bid__bidder_below_margin_before__reverts_even_at_a_gain(stack, long_id, bidder):
    empty = stack.open(bidder)
    opened(stack, long_id, bidder, 1_400)
    with reverts_with("Auction__BidderBelowInitial"):
        stack.auction.bid(long_id, empty, WHOLE, False, 0, {"from": bidder})


def test_bid__account_of_another__reverts_NotBidder(stack, long_id, trader, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    with reverts_with("Auction__NotBidder", shown(trader), bidder_id):
        stack.auction.bid(long_id, bidder_id, WHOLE, True, MOST, {"from": trader})


def test_bid__not_open_or_recovered__reverts(stack, long_id, bidder, bidder_id):
    with reverts_with("Auction__NotOpen", long_id):
        stack.auction.bid(long_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    opened(stack, long_id, bidder, 1_700)
    stack.price(1_900)
    with reverts_with("Auction__NothingToTake", 0, 1):
        stack.auction.bid(long_id, bidder_id, WHOLE, True, MOST, {"from": bidder})


def test_preview_bid__solvent__equals_the_bid(stack, long_id, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    quoted = stack.auction.previewBid(long_id, WAD // 10)
    filled = stack.auction.bid(long_id, bidder_id, WAD // 10, True, MOST, {"from": bidder})
    assert quoted[1] == filled.events["BidFilled"]["fractionWad"]
    assert quoted[3] / WAD == pytest.approx(filled.events["BidFilled"]["cashWad"] / WAD, rel=2e-3)
