"""Auction.start and end: only below maintenance, only until the margin is back."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD, numbers


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
    with reverts_with("ExpiringPause__Paused"):
        stack.auction.start(long_id, {"from": bidder})


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


def test_touch__insolvent_between_bids__starts_its_clock_once(stack, long_id, bidder, chain):
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    stack.price(1_400)
    tx = stack.auction.touch(long_id, {"from": bidder})
    assert tx.events["ClocksSet"]["insolventTs"] == tx.timestamp
    assert stack.auction.auctionOf(long_id)[2] == tx.timestamp
    chain.sleep(60)
    again = stack.auction.touch(long_id, {"from": bidder})
    assert "ClocksSet" not in again.events
    assert stack.auction.auctionOf(long_id)[2] == tx.timestamp


def test_touch__above_maintenance__price_path_starts_afresh(stack, long_id, bidder, chain):
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    margin = stack.margin(long_id)
    stack.accounts.creditToken(long_id, 0, margin.maintenance - margin.equity - 1, {"from": stack.admin})
    chain.sleep(600)
    below = stack.auction.touch(long_id, {"from": bidder})
    assert "ClocksSet" not in below.events
    stack.accounts.creditToken(long_id, 0, 1, {"from": stack.admin})
    above = stack.auction.touch(long_id, {"from": bidder})
    assert dict(above.events["ClocksSet"]) == {"accountId": long_id, "solventTs": above.timestamp, "insolventTs": 0}


def test_write_off__debt_alone__is_paid_by_the_fund_then_by_all(stack, trader, bidder):
    debtor, holder = stack.open(trader, 0), stack.open(bidder, 1_000)
    stack.accounts.moveCash(debtor, holder, 300 * WAD, {"from": stack.admin})
    stack.accounts.creditToken(1, 0, 100 * WAD, {"from": stack.admin})
    tx = stack.auction.writeOff(debtor, {"from": bidder})
    covered = tx.events["LossCovered"]
    assert (covered["fromFundWad"], covered["socialisedWad"]) == (100 * WAD, 200 * WAD)
    assert stack.accounts.cashOf(debtor) == 0
    index = WAD * 1_100 // 1_300
    assert stack.accounts.cashOf(holder) == 1_300 * index


def test_write_off__anything_held_or_no_debt__reverts_NotPureDebt(stack, long_id, trader, bidder):
    with reverts_with("Auction__NotPureDebt", 1, stack.accounts.cashOf(long_id)):
        stack.auction.writeOff(long_id, {"from": bidder})
    with reverts_with("Auction__NotPureDebt", 0, 0):
        stack.auction.writeOff(stack.open(trader, 0), {"from": bidder})


def test_touch__not_open__reverts_NotOpen(stack, long_id, bidder):
    with reverts_with("Auction__NotOpen", long_id):
        stack.auction.touch(long_id, {"from": bidder})
