"""Auction.start: only below maintenance, once."""

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
    assert numbers(stack.auction.auctionOf(long_id)) == [1, tx.timestamp, 0, tx.timestamp, 0, 0, 0]


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
    with reverts_with("ExpiringPause__Paused"):
        stack.auction.start(long_id, {"from": bidder})


def test_start__insolvent__notes_the_loss_and_the_other_clock(stack, long_id, bidder):
    stack.price(1_400)
    tx = stack.auction.start(long_id, {"from": bidder})
    loss = -stack.margin(long_id).market
    assert dict(tx.events["LossNoted"]) == {"accountId": long_id, "lossWad": loss, "totalWad": loss}
    assert numbers(stack.auction.auctionOf(long_id)) == [1, 0, tx.timestamp, tx.timestamp, loss, 0, 0]
