"""Auction.touch: vouches for the price path, starts a branch's clock, notes a recovery and a loss."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD, numbers


def clocks(tx):
    return numbers(dict(tx.events["ClocksSet"]).values())[1:]


def test_touch__below_maintenance__vouches_and_the_path_goes_on(stack, long_id, bidder, chain):
    stack.price(1_700)
    begun = stack.auction.start(long_id, {"from": bidder}).timestamp
    chain.sleep(1_700)
    tx = stack.auction.touch(long_id, {"from": bidder})
    assert clocks(tx) == [begun, 0, tx.timestamp]
    assert stack.auction.auctionOf(long_id).dict()["vouchedTs"] == tx.timestamp


def test_touch__after_half_an_hour_unseen__path_starts_again(stack, long_id, bidder, chain):
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    chain.sleep(1_800)
    tx = stack.auction.touch(long_id, {"from": bidder})
    assert clocks(tx) == [tx.timestamp, 0, tx.timestamp]


def test_touch__insolvent_between_bids__starts_its_clock_once(stack, long_id, bidder, chain):
    stack.price(1_700)
    begun = stack.auction.start(long_id, {"from": bidder}).timestamp
    stack.price(1_400)
    tx = stack.auction.touch(long_id, {"from": bidder})
    assert clocks(tx) == [begun, tx.timestamp, tx.timestamp]
    chain.sleep(60)
    again = stack.auction.touch(long_id, {"from": bidder})
    assert clocks(again) == [begun, tx.timestamp, again.timestamp]
    assert "LossNoted" not in again.events


def test_touch__solvent_again__stops_the_clock_of_the_bonus_and_notes_no_loss(stack, long_id, bidder):
    stack.price(1_400)
    stack.auction.start(long_id, {"from": bidder})
    stack.price(1_550)
    tx = stack.auction.touch(long_id, {"from": bidder})
    assert clocks(tx) == [tx.timestamp, 0, tx.timestamp]
    assert dict(tx.events["LossNoted"]) == {"accountId": long_id, "lossWad": 0, "totalWad": 0}


def test_touch__two_insolvent_accounts__losses_add_up(stack, long_id, trader, bidder):
    other = stack.open(trader, 4_000)
    stack.trade(other, stack.open(trader, 100_000), 10, 1_900)
    stack.price(1_400)
    for account_id in (long_id, other):
        stack.auction.start(account_id, {"from": bidder})
    assert stack.auction.openInsolventLossWad() == 2_000 * WAD
    stack.accounts.creditToken(other, 0, 400 * WAD, {"from": stack.admin})
    stack.auction.touch(other, {"from": bidder})
    assert stack.auction.openInsolventLossWad() == 1_600 * WAD


def test_touch__at_maintenance__clocks_stop_until_the_next_fall(stack, long_id, bidder, chain):
    stack.price(1_700)
    begun = stack.auction.start(long_id, {"from": bidder}).timestamp
    margin = stack.margin(long_id)
    stack.accounts.creditToken(long_id, 0, margin.maintenance - margin.equity - 1, {"from": stack.admin})
    chain.sleep(600)
    below = stack.auction.touch(long_id, {"from": bidder})
    assert clocks(below) == [begun, 0, below.timestamp]
    stack.accounts.creditToken(long_id, 0, 1, {"from": stack.admin})
    assert clocks(stack.auction.touch(long_id, {"from": bidder})) == [0, 0, 0]
    stack.price(1_690)
    again = stack.auction.touch(long_id, {"from": bidder})
    assert clocks(again) == [again.timestamp, 0, again.timestamp]


def test_touch__not_open__reverts_NotOpen(stack, long_id, bidder):
    with reverts_with("Auction__NotOpen", long_id):
        stack.auction.touch(long_id, {"from": bidder})
