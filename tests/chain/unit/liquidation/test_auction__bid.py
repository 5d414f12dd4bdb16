"""Auction.bid where the account is solvent, against the formulas of section 8 in floats apart from the contract."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import shown
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import BUFFER, CROSS, FEE_RATE, PERP, SINGLE

WHOLE, MOST = WAD, 2**255


def opened(stack, account_id, caller, price):
    stack.price(price)
    return stack.auction.start(account_id, {"from": caller}).timestamp


def price_factor(sec):
    return 0.98 - 0.28 * sec / 900 if sec <= 900 else max(0.0, 0.7 * (1 - (sec - 900) / 43_200))


def priced(market, maintenance, d):
    """Price of everything: the discount is measured on at least a quarter of maintenance."""
    return max(0.0, market - (1 - d) * max(market, maintenance / 4))


@pytest.mark.parametrize("wait", [0, 450, 900, 1_700])
@pytest.mark.parametrize("price", [1_700, 1_530])
def test_bid__solvent__restores_the_buffer_and_ends(stack, long_id, bidder, bidder_id, chain, wait, price):
    begun = opened(stack, long_id, bidder, price)
    was, cash = stack.margin(long_id), stack.cash_sum()
    chain.sleep(wait)
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    d = price_factor(tx.timestamp - begun)
    rest, target = was.market / WAD, was.maintenance * (WAD + BUFFER) / WAD**2
    whole = priced(rest, was.maintenance / WAD, d)
    assert (rest < was.maintenance / WAD / 4) == (price == 1_530)
    f = min(1.0, (target - was.equity / WAD) / (target - was.equity / WAD + whole))
    filled = tx.events["BidFilled"]
    assert filled["fractionWad"] / WAD == pytest.approx(f, rel=1e-9)
    assert filled["priceWad"] / WAD == pytest.approx(d, rel=1e-9)
    assert filled["cashWad"] / WAD == pytest.approx(f * whole, rel=1e-9)
    assert filled["feeWad"] / WAD == pytest.approx(f * min(FEE_RATE / WAD * rest, rest - whole), rel=1e-9)
    now = stack.margin(long_id)
    assert now.equity - now.maintenance >= was.equity - was.maintenance
    assert now.equity / WAD == pytest.approx(1.15 * now.maintenance / WAD, rel=1e-9)
    assert not stack.auction.isUnderAuction(long_id)
    assert tx.events.keys()[-1] == "AuctionEnded"
    assert stack.fund.balanceWad() == filled["feeWad"]
    assert stack.cash_sum() == cash


def test_bid__dust__takes_the_whole(stack, trader, bidder, bidder_id):
    account_id = stack.open(trader, 4)
    stack.accounts.applyTrade(
        (account_id, stack.open(trader, 1_000), PERP, WAD // 100, 1_900 * WAD), {"from": stack.admin}
    )
    opened(stack, account_id, bidder, 1_700)
    tx = stack.auction.bid(account_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    assert tx.events["BidFilled"]["fractionWad"] == WAD
    assert stack.margin(account_id).maintenance == 0


def test_bid__in_small_steps__never_buys_the_reserve(stack, long_id, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    was = stack.margin(long_id)
    paid = 0
    for _ in range(2):
        tx = stack.auction.bid(long_id, bidder_id, WAD // 20, True, MOST, {"from": bidder})
        paid += tx.events["BidFilled"]["cashWad"]
        state = stack.auction.auctionOf(long_id).dict()
        assert state["reserveWad"] == state["creditWad"] == paid
    # What is outside the reserve shrinks by the slices alone.
    left = stack.margin(long_id).market - paid
    assert left / WAD == pytest.approx(was.market / WAD * 0.95**2, rel=1e-9)


def test_bid__recovered_account__is_not_for_sale(stack, long_id, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    margin = stack.margin(long_id)
    stack.accounts.creditToken(long_id, 0, margin.maintenance - margin.equity, {"from": stack.admin})
    with reverts_with("Auction__NotLiquidatable", margin.maintenance, margin.maintenance):
        stack.auction.bid(long_id, bidder_id, WHOLE, True, MOST, {"from": bidder})


def test_bid__auction_of_last_week__price_is_at_its_top(stack, long_id, bidder, bidder_id, chain):
    opened(stack, long_id, bidder, 1_700)
    stack.price(1_900)
    chain.sleep(6 * 86_400)
    stack.price(1_720)
    market = stack.margin(long_id).market
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    filled = tx.events["BidFilled"]
    assert filled["priceWad"] == 98 * WAD // 100
    assert filled["cashWad"] >= filled["fractionWad"] * market // WAD * 98 // 100
    assert tx.events["ClocksSet"]["solventTs"] == tx.timestamp


@pytest.mark.parametrize(("gap", "is_kept"), [(1_780, True), (1_800, False)])
def test_bid__gap_without_a_look__path_goes_on_below_half_an_hour(
    stack, long_id, bidder, bidder_id, mine_at, gap, is_kept
):
    begun = opened(stack, long_id, bidder, 1_700)
    mine_at(begun + 1_200)
    seen = stack.auction.touch(long_id, {"from": bidder}).timestamp
    mine_at(seen + gap)
    d = stack.auction.previewBid.call(long_id, WHOLE)[2]
    assert d / WAD == pytest.approx(price_factor(seen + gap - begun) if is_kept else 0.98, abs=1e-3)


def test_bid__limit_missed__reverts(stack, long_id, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    with reverts_with("Auction__LimitMissed"):
        stack.auction.bid(long_id, bidder_id, WHOLE, True, 1, {"from": bidder})


def test_bid__other_branch__reverts_WrongBranch(stack, long_id, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    with reverts_with("Auction__WrongBranch", True, False):
        stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})


def test_bid__bidder_without_margin__reverts_BidderBelowInitial(stack, long_id, bidder):
    poor = stack.open(bidder, 1)
    opened(stack, long_id, bidder, 1_700)
    with reverts_with("Auction__BidderBelowInitial"):
        stack.auction.bid(long_id, poor, WHOLE, True, MOST, {"from": bidder})


def long_of(stack, trader, mode):
    """Ten perpetuals at 1,900 on 4,000 of cash."""
    account_id = stack.open(trader, 4_000, mode)
    stack.trade(account_id, stack.open(trader, 100_000), 10, 1_900)
    return account_id


def debt_of(stack, trader, mode):
    """Ten linked tokens against 14,500 of debt."""
    account_id, lender = stack.open(trader, 0, mode), stack.open(trader, 100_000)
    stack.accounts.creditToken(account_id, 1, 10 * WAD, {"from": stack.admin})
    stack.accounts.moveCash(account_id, lender, 14_500 * WAD, {"from": stack.admin})
    return account_id


@pytest.mark.parametrize("account_of", [long_of, debt_of])
@pytest.mark.parametrize("mode", [SINGLE, CROSS])
def test_bid__empty_bidder_of_enough__passes_and_of_less_reverts(stack, trader, bidder, account_of, mode):
    """The short way for an empty bidder lets nobody pass whom the margin engine would not."""
    account_id = account_of(stack, trader, mode)
    opened(stack, account_id, bidder, 1_700)
    for spare in (-10, 10, 300):
        was, bidder_id = stack.margin(account_id), stack.open(bidder, 0, mode)
        quote = stack.auction.previewBid(account_id, WAD // 20)
        need = (was.initial - was.equity) * quote[1] // WAD + quote[3] + quote[4]
        # What earlier bids paid in is no part of the slice.
        need += stack.auction.auctionOf(account_id).dict()["reserveWad"] * quote[1] // WAD
        stack.accounts.creditToken(bidder_id, 0, need + spare * WAD, {"from": stack.admin})
        if spare < 0:
            with reverts_with("Auction__BidderBelowInitial"):
                stack.auction.bid(account_id, bidder_id, WAD // 20, True, MOST, {"from": bidder})
            continue
        stack.auction.bid(account_id, bidder_id, WAD // 20, True, MOST, {"from": bidder})
        assert (stack.accounts.cashOf(bidder_id) < 0) == (account_of is debt_of)
        margin = stack.margin(bidder_id)
        assert 0 <= margin.equity - margin.initial < (spare + 10) * WAD


@pytest.mark.parametrize(("spare", "is_enough"), [(-10, False), (10, True)])
def test_bid__bidder_that_was_sent_a_token__judged_like_an_empty_one(stack, trader, bidder, spare, is_enough):
    """A token that is linked to nothing is worth little here: what counts is the cash."""
    account_id = long_of(stack, trader, SINGLE)
    stack.book.setCollateral(2, (True, 0, WAD // 10, 0, WAD), {"from": stack.admin})
    opened(stack, account_id, bidder, 1_700)
    was, bidder_id = stack.margin(account_id), stack.open(bidder, 0)
    stack.accounts.creditToken(bidder_id, 2, 1, {"from": stack.admin})
    quote = stack.auction.previewBid(account_id, WAD // 20)
    need = (was.initial - was.equity) * quote[1] // WAD + quote[3] + quote[4]
    stack.accounts.creditToken(bidder_id, 0, need + spare * WAD, {"from": stack.admin})
    if is_enough:
        # The token has no price at all: a margin of the bidder's own would count nothing for it.
        stack.auction.bid(account_id, bidder_id, WAD // 20, True, MOST, {"from": bidder})
    else:
        with reverts_with("Auction__BidderBelowInitial"):
            stack.auction.bid(account_id, bidder_id, WAD // 20, True, MOST, {"from": bidder})


def test_bid__account_of_another__reverts_NotBidder(stack, long_id, trader, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    with reverts_with("Auction__NotBidder", shown(trader), bidder_id):
        stack.auction.bid(long_id, bidder_id, WHOLE, True, MOST, {"from": trader})


def test_bid__not_open__reverts(stack, long_id, bidder, bidder_id):
    with reverts_with("Auction__NotOpen", long_id):
        stack.auction.bid(long_id, bidder_id, WHOLE, True, MOST, {"from": bidder})


def test_preview_bid__solvent__equals_the_bid(stack, long_id, bidder, bidder_id):
    opened(stack, long_id, bidder, 1_700)
    quoted = stack.auction.previewBid(long_id, WAD // 10)
    filled = stack.auction.bid(long_id, bidder_id, WAD // 10, True, MOST, {"from": bidder})
    assert quoted[1] == filled.events["BidFilled"]["fractionWad"]
    assert quoted[3] / WAD == pytest.approx(filled.events["BidFilled"]["cashWad"] / WAD, rel=2e-3)
