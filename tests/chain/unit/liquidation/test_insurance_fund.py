"""InsuranceFund: the auction draws, governance withdraws, nobody else."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import FUND


def test_draw__by_stranger__reverts_NotAuction(stack, bidder, bidder_id):
    with reverts_with("InsuranceFund__NotAuction", bidder.address.lower(), stack.auction.address.lower()):
        stack.fund.draw(bidder_id, bidder_id, 1, {"from": bidder})


def test_withdraw__by_governance__moves_cash_and_too_much__reverts(stack, bidder_id):
    stack.accounts.creditToken(FUND, 0, 100 * WAD, {"from": stack.admin})
    tx = stack.fund.withdraw(bidder_id, 60 * WAD, {"from": stack.admin})
    assert tx.events["FundWithdrawn"]["leftWad"] == stack.fund.balanceWad() == 40 * WAD
    assert stack.accounts.cashOf(bidder_id) == 50_060 * WAD
    with reverts_with("InsuranceFund__InsufficientCash", 40 * WAD, 41 * WAD):
        stack.fund.withdraw(bidder_id, 41 * WAD, {"from": stack.admin})


def test_withdraw__by_stranger__reverts(stack, bidder, bidder_id):
    with reverts_with("AccessManagedUnauthorized"):
        stack.fund.withdraw(bidder_id, 1, {"from": bidder})


def test_set_auction__twice__reverts_AuctionFixed(stack):
    with reverts_with("InsuranceFund__AuctionFixed", stack.auction.address.lower()):
        stack.fund.setAuction(stack.admin, {"from": stack.admin})
