"""Auction.start and end: only below maintenance, only until the margin is back."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import numbers


def test_start__below_maintenance__opens(stack, long_id, bidder):
    stack.price(1_700)
    tx = stack.auction.start(long_id, {"from": bidder})
    margin = stack.margin(long_id)
    assert dict(tx.events["AuctionStarted"]) == {
        "accountId": long_id,
        "equityWad": margin.equity,
        "maintenanceWad": margin.maintenance,
        "isSolvent": True,
    }
    assert numbers(stack.auction.auctionOf(long_id)) == [1, tx.timestamp, 0, 0]


def test_start__at_or_above_maintenance__reverts_NotLiquidatable(stack, long_id, bidder):
    margin = stack.margin(long_id)
    with reverts_with("Auction__NotLiquidatable", margin.equity, margin.maintenance):
        stack.auction.start(long_id, {"from": bidder})


def test_start__twice__reverts_AlreadyOpen(stack, long_id, bidder):
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    with reverts_with("Auction__AlreadyOpen", long_id):
        stack.auction.start(long_id, {"from": bidder})


def test_start__paused__reverts(stack, long_id, bidder):
    stack.price(1_700)
    stack.auction.pause({"from": stack.admin})
    with reverts_with("EnforcedPause"):
        stack.auction.start(long_id, {"from": bidder})


def test_end__recovered__closes_and_below_initial__reverts_NotRecovered(stack, long_id, bidder):
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    margin = stack.margin(long_id)
    with reverts_with("Auction__NotRecovered", margin.equity, margin.initial):
        stack.auction.end(long_id, {"from": bidder})
    stack.price(1_900)
    tx = stack.auction.end(long_id, {"from": bidder})
    assert tx.events["AuctionEnded"]["accountId"] == long_id
    assert not stack.auction.auctionOf(long_id)[0]


def test_end__not_open__reverts_NotOpen(stack, long_id, bidder):
    with reverts_with("Auction__NotOpen", long_id):
        stack.auction.end(long_id, {"from": bidder})


def test_touch__insolvent_between_bids__starts_its_clock_once(stack, long_id, bidder, chain):
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    stack.price(1_400)
    tx = stack.auction.touch(long_id, {"from": bidder})
    assert tx.events["BranchSeen"]["isSolvent"] is False
    assert stack.auction.auctionOf(long_id)[2] == tx.timestamp
    chain.sleep(60)
    again = stack.auction.touch(long_id, {"from": bidder})
    assert again.events["BranchSeen"]["clockTs"] == tx.timestamp


def test_touch__not_open__reverts_NotOpen(stack, long_id, bidder):
    with reverts_with("Auction__NotOpen", long_id):
        stack.auction.touch(long_id, {"from": bidder})
