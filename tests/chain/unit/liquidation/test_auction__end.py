"""Auction.end: anyone, as soon as the margin is back."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD


def test_end__recovered__closes_and_below_buffer__reverts_NotRecovered(stack, long_id, bidder):
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    margin = stack.margin(long_id)
    restored = -(-margin.maintenance * 115 // 100)
    assert restored < margin.initial
    with reverts_with("Auction__NotRecovered", margin.equity, restored):
        stack.auction.end(long_id, {"from": bidder})
    stack.price(1_900)
    tx = stack.auction.end(long_id, {"from": bidder})
    assert tx.events["AuctionEnded"]["accountId"] == long_id
    assert not stack.auction.auctionOf(long_id)[0]


def test_end__buffer_restored_below_initial__closes(stack, long_id, bidder):
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    margin = stack.margin(long_id)
    missing = -(-margin.maintenance * 115 // 100) - margin.equity
    stack.accounts.creditToken(long_id, 0, missing - 1, {"from": stack.admin})
    with reverts_with("Auction__NotRecovered", margin.equity + missing - 1, margin.equity + missing):
        stack.auction.end(long_id, {"from": bidder})
    stack.accounts.creditToken(long_id, 0, 1, {"from": stack.admin})
    stack.auction.end(long_id, {"from": bidder})
    assert stack.margin(long_id).equity < margin.initial


def test_end__not_open__reverts_NotOpen(stack, long_id, bidder):
    with reverts_with("Auction__NotOpen", long_id):
        stack.auction.end(long_id, {"from": bidder})


def test_end__account_paid_up_and_closed__ends_and_leaves_no_loss_behind(stack, trader, bidder):
    debtor, other = stack.open(trader, 100), stack.open(bidder, 10_000)
    stack.trade(debtor, other, 1, 1_900)
    stack.price(1_700)
    stack.auction.start(debtor, {"from": bidder})
    assert stack.auction.openInsolventLossWad() == 100 * WAD
    stack.trade(other, debtor, 1, 1_700)
    stack.accounts.creditToken(debtor, 0, 100 * WAD, {"from": stack.admin})
    stack.accounts.close(debtor, {"from": trader})
    stack.auction.end(debtor, {"from": bidder})
    assert not stack.auction.isUnderAuction(debtor)
    assert stack.auction.openInsolventLossWad() == 0
