"""Auction.bid where the account is insolvent: who pays, how much, and that parts gain nothing over the whole."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import BONUS_SHARE, FUND

WHOLE, MOST = WAD, 2**255
HOUR = 3_600


def give_fund(stack, cash):
    stack.accounts.creditToken(FUND, 0, cash * WAD, {"from": stack.admin})


def insolvent(stack, account_id, caller, price=1_400):
    """Start the auction of an account that is insolvent at a price; when."""
    stack.price(price)
    return stack.auction.start(account_id, {"from": caller}).timestamp


def wait(stack, account_id, caller, sec):
    """Let time pass that somebody vouches for."""
    while sec > 0:
        step = min(sec, 1_500)
        stack.chain.sleep(step)
        stack.auction.touch(account_id, {"from": caller})
        sec -= step


def bonus(was, loss, elapsed):
    return min(was.maintenance * BONUS_SHARE // WAD * elapsed // HOUR, loss + was.maintenance * 2 // 100)


def test_bid__insolvent__fund_pays_debt_and_bonus(stack, long_id, bidder, bidder_id):
    give_fund(stack, 100_000)
    begun = insolvent(stack, long_id, bidder)
    wait(stack, long_id, bidder, 1_800)
    was, cash, own = stack.margin(long_id), stack.cash_sum(), stack.margin(bidder_id)
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    pay = -was.market + bonus(was, -was.market, tx.timestamp - begun)
    assert -was.market < pay < -was.market + was.maintenance * 3 // 20
    assert tx.events["BidFilled"]["cashWad"] == pay
    covered = tx.events["LossCovered"]
    assert (covered["fromReserveWad"], covered["fromFundWad"], covered["socialisedWad"]) == (0, pay, 0)
    assert stack.fund.balanceWad() == 100_000 * WAD - pay
    assert stack.margin(long_id).equity == 0
    assert not stack.auction.isUnderAuction(long_id)
    assert stack.margin(bidder_id).market - own.market == pay + was.market
    assert stack.cash_sum() == cash


def test_bid__own_insolvency_by_a_hair__brings_two_percent_of_maintenance_at_most(stack, long_id, trader, bidder):
    """Row 3 of the second edition: it brought the whole maintenance margin out of the fund."""
    give_fund(stack, 100_000)
    friend = stack.open(trader, 50_000)
    stack.price(1_500)
    market = stack.margin(long_id).market
    assert market == 0
    stack.accounts.moveCash(long_id, friend, 10**16, {"from": stack.admin})
    stack.auction.start(long_id, {"from": bidder})
    was, fund, own = stack.margin(long_id), stack.fund.balanceWad(), stack.margin(friend)
    wait(stack, long_id, bidder, 3 * HOUR)
    stack.auction.bid(long_id, friend, WHOLE, False, 0, {"from": trader})
    gained = stack.margin(friend).market - own.market
    assert gained <= -was.market + was.maintenance * 2 // 100
    assert fund - stack.fund.balanceWad() <= -2 * was.market + was.maintenance * 2 // 100


def test_bid__insolvent__reserve_then_fund_within_its_limit_then_everybody(stack, long_id, bidder, bidder_id, trader):
    give_fund(stack, 1_000)
    witness = stack.open(trader, 10_000)
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    first = stack.auction.bid(long_id, bidder_id, WAD // 10, True, MOST, {"from": bidder})
    reserve = first.events["BidFilled"]["cashWad"]
    stack.price(1_400)
    begun = stack.auction.touch(long_id, {"from": bidder}).timestamp
    wait(stack, long_id, bidder, 1_800)
    was, cash, fund = stack.margin(long_id), stack.cash_sum(), stack.fund.balanceWad()
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    owed = -(was.market - reserve)
    covered = tx.events["LossCovered"]
    assert (covered["fromReserveWad"], covered["fromFundWad"]) == (reserve, fund // 5)
    # All bear what is open of the debt; the bonus, which the fund may not pay now, is not paid.
    assert bonus(was, -was.market, tx.timestamp - begun) > 0
    assert covered["socialisedWad"] == owed - reserve - fund // 5 > 0
    assert tx.events["BidFilled"]["cashWad"] == owed
    assert stack.fund.balanceWad() < fund - fund // 5
    assert stack.accounts.cashOf(witness) < 10_000 * WAD
    assert stack.margin(long_id).equity == 0
    assert not stack.auction.isUnderAuction(long_id)
    assert stack.cash_sum() == cash


def test_bid__reserve_covers_the_debt__nobody_else_pays(stack, long_id, bidder, bidder_id):
    give_fund(stack, 100_000)
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    stack.auction.bid(long_id, bidder_id, WAD // 5, True, MOST, {"from": bidder})
    fund, reserve = stack.fund.balanceWad(), stack.auction.auctionOf(long_id).dict()["reserveWad"]
    stack.price(1_482)
    stack.auction.touch(long_id, {"from": bidder})
    wait(stack, long_id, bidder, 2 * HOUR)
    was = stack.margin(long_id)
    assert 0 < was.market < reserve
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    covered = tx.events["LossCovered"]
    # No loss of others, so the bonus is at most two percent, and no more than there is.
    owed = reserve - was.market
    assert covered["fromReserveWad"] == min(reserve, owed + was.maintenance * 2 // 100)
    assert (covered["fromFundWad"], covered["socialisedWad"]) == (0, 0)
    assert stack.fund.balanceWad() == fund


def test_bid__insolvent_in_parts__pays_as_much_as_at_once(stack, trader, bidder, bidder_id):
    give_fund(stack, 100_000)
    paid = []
    twins = []
    for _ in range(2):
        twins.append(stack.open(trader, 4_000))
        stack.trade(twins[-1], stack.open(trader, 100_000), 10, 1_900)
    stack.price(1_700)
    for account_id in twins:
        stack.auction.start(account_id, {"from": bidder})
        stack.auction.bid(account_id, bidder_id, WAD // 5, True, MOST, {"from": bidder})
    stack.price(1_413)
    for sec in (0, 1_500, 1_500, 1_000):
        stack.chain.sleep(sec)
        for account_id in twins:
            stack.auction.touch(account_id, {"from": bidder})
    states = [stack.auction.auctionOf(account_id).dict() for account_id in twins]
    was = [stack.margin(account_id) for account_id in twins]
    for account_id, parts in zip(twins, [(WHOLE,), (7 * WAD // 10, WAD // 2, WAD // 2, WHOLE)], strict=True):
        filled = [
            stack.auction.bid(account_id, bidder_id, part, False, 0, {"from": bidder}).events["BidFilled"]["cashWad"]
            for part in parts
        ]
        paid.append(sum(filled))
        assert not stack.auction.isUnderAuction(account_id)
    # The bonus has reached what the loss allows, so that time makes no difference between the two.
    caps = [m.maintenance * 2 // 100 - m.market for m in was]
    assert paid[0] == states[0]["reserveWad"] - was[0].market + caps[0]
    first = paid[1] - (states[1]["reserveWad"] - was[1].market + caps[1])
    assert -(10**9) < first <= 0


def test_bid__insolvent_then_solvent_then_insolvent__bonus_starts_again(stack, long_id, bidder, bidder_id):
    give_fund(stack, 100_000)
    insolvent(stack, long_id, bidder)
    wait(stack, long_id, bidder, HOUR)
    stack.price(1_550)
    stack.auction.touch(long_id, {"from": bidder})
    stack.price(1_400)
    again = stack.auction.touch(long_id, {"from": bidder}).timestamp
    was = stack.margin(long_id)
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    assert tx.events["BidFilled"]["cashWad"] == -was.market + bonus(was, -was.market, tx.timestamp - again)


def test_bid__insolvent_and_not_seen_for_half_an_hour__bonus_starts_again(stack, long_id, bidder, bidder_id, chain):
    give_fund(stack, 100_000)
    insolvent(stack, long_id, bidder)
    chain.sleep(1_800)
    was = stack.margin(long_id)
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    assert tx.events["BidFilled"]["cashWad"] == -was.market


def test_bid__insolvent_limit_missed__reverts(stack, long_id, bidder, bidder_id):
    insolvent(stack, long_id, bidder)
    with reverts_with("Auction__LimitMissed"):
        stack.auction.bid(long_id, bidder_id, WHOLE, False, MOST, {"from": bidder})


def test_bid__bidder_below_margin_before__reverts_even_at_a_gain(stack, long_id, bidder):
    give_fund(stack, 100_000)
    empty = stack.open(bidder)
    insolvent(stack, long_id, bidder)
    with reverts_with("Auction__BidderBelowInitial"):
        stack.auction.bid(long_id, empty, WHOLE, False, 0, {"from": bidder})


@pytest.mark.parametrize("fraction", [WAD // 3, WHOLE])
def test_open_insolvent_loss__start_touch_bid_and_end__follow_the_account(stack, long_id, bidder, bidder_id, fraction):
    assert stack.auction.openInsolventLossWad() == 0
    tx_ts = insolvent(stack, long_id, bidder)
    assert stack.auction.isUnderAuction(long_id)
    loss = -stack.margin(long_id).market
    assert stack.auction.openInsolventLossWad() == loss
    assert stack.auction.auctionOf(long_id).dict()["vouchedTs"] == tx_ts
    stack.price(1_380)
    deeper = stack.auction.touch(long_id, {"from": bidder})
    loss = -stack.margin(long_id).market
    assert dict(deeper.events["LossNoted"]) == {"accountId": long_id, "lossWad": loss, "totalWad": loss}
    # What the fund may pay is no loss of others.
    give_fund(stack, 1_000)
    assert stack.auction.openInsolventLossWad() == loss - 200 * WAD
    stack.auction.bid(long_id, bidder_id, fraction, False, 0, {"from": bidder})
    if fraction == WHOLE:
        assert stack.auction.openInsolventLossWad() == 0
        return
    assert stack.auction.auctionOf(long_id).dict()["lossWad"] / WAD == pytest.approx(loss / WAD * 2 / 3, rel=1e-9)
    stack.price(1_900)
    stack.auction.end(long_id, {"from": bidder})
    assert stack.auction.openInsolventLossWad() == 0
