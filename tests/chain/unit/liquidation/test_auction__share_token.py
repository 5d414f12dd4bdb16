"""Auctions of accounts that hold share tokens: no single transaction moves a mark, and no source stops a bid."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.shares import FALL, FALL_GAP, TOKEN, bring, deploy_shares, set_code, settle_fall, slash
from tests.chain.helpers.signed import WAD

WHOLE, MOST = WAD, 2**255
INVALID, LOOP = "0xfe", "0x5b5f56"


@pytest.fixture(scope="module")
def shares(stack):
    return deploy_shares(stack)


@pytest.fixture(scope="module")
def other(stack, shares, accounts):
    return bring(stack, shares, accounts[8], 1_000_000)


@pytest.fixture
def holder_id(stack, shares, trader, other):
    """Ten shares and ten perpetuals on 500 of cash: liquidatable at 1,100."""
    account_id = bring(stack, shares, trader, 500, 10)
    stack.trade(account_id, other, 10, 1_900)
    return account_id


def low(stack, shares, by, *calls):
    """Call while nine tenths of the vault's assets are out, in one transaction."""
    targets, data = zip(*calls, strict=True)
    return shares.dropper.drop(shares.vault, shares.vault.totalAssets() * 9 // 10, targets, data, {"from": by})


def test_start__rate_low_within_the_transaction__reverts_NotLiquidatable(stack, shares, holder_id, bidder):
    margin = stack.margin(holder_id)
    start = (stack.auction, stack.auction.start.encode_input(holder_id))
    with reverts_with("Auction__NotLiquidatable", margin.equity, margin.maintenance):
        low(stack, shares, bidder, start)
    # An observation while it is low counts for nothing either.
    update = (stack.rates, stack.rates.update.encode_input(TOKEN))
    with reverts_with("Auction__NotLiquidatable", margin.equity, margin.maintenance):
        low(stack, shares, bidder, update, start)


@pytest.mark.parametrize("watched", [True, False])
def test_start__rate_low_within_two_transactions__is_undone_or_within_the_bound(
    stack, shares, holder_id, bidder, stranger, watched
):
    update = (stack.rates, stack.rates.update.encode_input(TOKEN))
    low(stack, shares, bidder, update)
    if watched:
        stack.rates.update(TOKEN, {"from": stranger})
    stack.chain.sleep(FALL_GAP)
    low(stack, shares, bidder, update)
    assert stack.book.collateralOf(TOKEN)[4] == (WAD if watched else WAD - FALL)


def test_bid__rate_low_within_the_transaction__costs_what_it_costs_without(
    stack, shares, holder_id, bidder, bidder_id, mine_at
):
    stack.price(1_080)
    stack.auction.start(holder_id, {"from": bidder})
    stack.accounts.approve(shares.dropper, bidder_id, {"from": bidder})
    bid = (stack.auction, stack.auction.bid.encode_input(holder_id, bidder_id, WHOLE, True, MOST))
    at = stack.chain[-1].timestamp + 100
    mine_at(at - 1)
    stack.chain.snapshot()
    filled = []
    for is_low in (False, True):
        mine_at(at)
        if is_low:
            tx = low(stack, shares, bidder, bid)
        else:
            tx = stack.auction.bid(holder_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
        assert tx.timestamp - at <= 2
        filled.append(dict(tx.events["BidFilled"]))
        stack.chain.revert()
    assert float(filled[0]["cashWad"]) == pytest.approx(float(filled[1]["cashWad"]), rel=1e-3)
    assert float(filled[0]["fractionWad"]) == pytest.approx(float(filled[1]["fractionWad"]), rel=1e-3)


def test_slash__is_settled_in_two_blocks_and_then_liquidates(stack, shares, trader, holder_id, bidder, stranger):
    stack.price(1_250)
    slash(stack, shares, 28)
    margin = stack.margin(holder_id)
    with reverts_with("Auction__NotLiquidatable", margin.equity, margin.maintenance):
        stack.auction.start(holder_id, {"from": bidder})
    # Meanwhile nobody leaves with what the book still counts.
    with reverts_with("MarginEngine__BelowInitial"):
        stack.vault.withdraw(holder_id, shares.dollars, 1, trader, {"from": trader})
    settle_fall(stack, stranger)
    stack.auction.start(holder_id, {"from": bidder})


@pytest.mark.parametrize("code", ["0x", INVALID, LOOP], ids=["no code", "invalid", "loop"])
def test_bid__source_fails__the_auction_goes_on_for_whoever_can_carry_it(
    stack, shares, holder_id, bidder, bidder_id, code
):
    stack.price(1_080)
    set_code(stack, shares, code)
    stack.auction.start(holder_id, {"from": bidder})
    tx = stack.auction.bid(holder_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    assert tx.events["BidFilled"]["fractionWad"] > 0


def test_bid__tokens_are_worth_less_than_the_book_says__takes_the_bidders_own_margin(
    stack, shares, holder_id, bidder, bidder_id
):
    """By the account's margin the bidder would have enough; with what its vault states now it has not."""
    stack.price(1_080)
    stack.auction.start(holder_id, {"from": bidder})
    quote = stack.auction.previewBid(holder_id, WHOLE)
    poor = stack.open(bidder, int(quote[3] + quote[4]) // WAD + 2_000)
    stack.chain.snapshot()
    stack.auction.bid(holder_id, poor, WHOLE, True, MOST, {"from": bidder})
    stack.chain.revert()
    slash(stack, shares, 90)
    preview = stack.actions.previewLiquidation(holder_id, poor, WHOLE)
    assert not preview[-1]
    with reverts_with("Auction__BidderBelowInitial"):
        stack.auction.bid(holder_id, poor, WHOLE, True, MOST, {"from": bidder})
    rich = stack.actions.previewLiquidation(holder_id, bidder_id, WHOLE)
    assert rich[-1]
    stack.auction.bid(holder_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    own = stack.engine.ownMarginOf(bidder_id)
    assert float(own[1]) == pytest.approx(float(rich[4][1]), rel=1e-4)
