"""Auction.callMargin: the call and its end are noted once each."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_with


def test_call_margin__below_initial__is_noted_once(stack, long_id, bidder):
    stack.price(1_850)
    margin = stack.margin(long_id)
    assert margin.maintenance < margin.equity < margin.initial
    tx = stack.auction.callMargin(long_id, {"from": bidder})
    assert dict(tx.events["MarginCalled"]) == {
        "accountId": long_id,
        "equityWad": margin.equity,
        "initialWad": margin.initial,
        "maintenanceWad": margin.maintenance,
    }
    assert stack.auction.marginCallTsOf(long_id) == tx.timestamp
    with reverts_with("Auction__CallUnchanged", margin.equity, margin.initial):
        stack.auction.callMargin(long_id, {"from": bidder})


def test_call_margin__margin_back__is_noted_once(stack, long_id, bidder):
    margin = stack.margin(long_id)
    with reverts_with("Auction__CallUnchanged", margin.equity, margin.initial):
        stack.auction.callMargin(long_id, {"from": bidder})
    stack.price(1_850)
    since = stack.auction.callMargin(long_id, {"from": bidder}).timestamp
    stack.price(1_900)
    tx = stack.auction.callMargin(long_id, {"from": bidder})
    assert dict(tx.events["MarginCallMet"]) == {
        "accountId": long_id,
        "equityWad": margin.equity,
        "initialWad": margin.initial,
        "sinceTs": since,
    }
    assert stack.auction.marginCallTsOf(long_id) == 0
