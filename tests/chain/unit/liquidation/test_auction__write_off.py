"""Auction.writeOff: a debt and nothing else needs no bidder."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD


def test_write_off__debt_alone__is_paid_by_the_fund_then_by_all(stack, trader, bidder):
    debtor, holder = stack.open(trader, 0), stack.open(bidder, 1_000)
    stack.accounts.moveCash(debtor, holder, 300 * WAD, {"from": stack.admin})
    stack.accounts.creditToken(1, 0, 100 * WAD, {"from": stack.admin})
    tx = stack.auction.writeOff(debtor, {"from": bidder})
    covered = tx.events["LossCovered"]
    # A fifth of the fund in an hour.
    assert (covered["fromFundWad"], covered["socialisedWad"]) == (20 * WAD, 280 * WAD)
    assert stack.accounts.cashOf(debtor) == 0
    index = WAD * 1_100 // 1_380
    assert stack.accounts.cashOf(holder) == 1_300 * index


def test_write_off__anything_held_or_no_debt__reverts_NotPureDebt(stack, long_id, trader, bidder):
    with reverts_with("Auction__NotPureDebt", 1, stack.accounts.cashOf(long_id)):
        stack.auction.writeOff(long_id, {"from": bidder})
    with reverts_with("Auction__NotPureDebt", 0, 0):
        stack.auction.writeOff(stack.open(trader, 0), {"from": bidder})
