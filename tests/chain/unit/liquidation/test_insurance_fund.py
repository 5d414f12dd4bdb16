"""InsuranceFund: the auction draws, at most a share of it in an hour; governance withdraws, nobody else."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import FUND

SPAN = 1_200


def test_draw__by_stranger__reverts_NotAuction(stack, bidder, bidder_id):
    with reverts_with("InsuranceFund__NotAuction", bidder.address.lower(), stack.auction.address.lower()):
        stack.fund.draw(bidder_id, bidder_id, 1, {"from": bidder})


@pytest.fixture
def drawn_by_admin(stack, mine_at):
    """The fund with the deployer in the place of the auction, at the start of a span."""
    fund = stack.admin.deploy(stack.project.InsuranceFund, stack.authority, stack.accounts, stack.book)
    fund.setAuction(stack.admin, {"from": stack.admin})
    stack.accounts.setModule(fund, True, {"from": stack.admin})
    stack.accounts.creditToken(FUND, 0, 1_000 * WAD, {"from": stack.admin})
    mine_at((stack.chain[-1].timestamp // SPAN + 1) * SPAN)
    return fund


def draw(stack, fund, to, cash):
    return fund.draw(to, to, cash * WAD, {"from": stack.admin}).return_value


def test_draw__above_the_hourly_limit__pays_a_fifth_and_then_nothing(stack, drawn_by_admin, bidder_id):
    assert draw(stack, drawn_by_admin, bidder_id, 150) == 150 * WAD
    tx = drawn_by_admin.draw(bidder_id, bidder_id, 100 * WAD, {"from": stack.admin})
    assert tx.return_value == 50 * WAD
    assert dict(tx.events["FundDrawn"]) == {"accountId": bidder_id, "paidWad": 50 * WAD, "leftWad": 800 * WAD}
    assert drawn_by_admin.availableWad() == 0
    assert "FundDrawn" not in drawn_by_admin.draw(bidder_id, bidder_id, WAD, {"from": stack.admin}).events


def test_draw__any_hour__sees_no_more_than_the_limit_and_four_spans_later_all_of_it(
    stack, drawn_by_admin, bidder_id, chain, mine_at
):
    begun = chain[-1].timestamp
    draw(stack, drawn_by_admin, bidder_id, 200)
    for sec in (600, 3_600, 4 * SPAN - 30):
        mine_at(begun + sec)
        assert drawn_by_admin.availableWad() == 0
    mine_at(begun + 4 * SPAN)
    assert drawn_by_admin.availableWad() == 160 * WAD


def test_draw__in_several_spans__each_counts_its_own_hour(stack, drawn_by_admin, bidder_id, chain, mine_at):
    begun = chain[-1].timestamp
    draw(stack, drawn_by_admin, bidder_id, 120)
    mine_at(begun + 2 * SPAN)
    draw(stack, drawn_by_admin, bidder_id, 80)
    mine_at(begun + 4 * SPAN)
    # 800 and the 80 that still count: a fifth of 880 less the 80.
    assert drawn_by_admin.availableWad() == 96 * WAD
    mine_at(begun + 6 * SPAN)
    assert drawn_by_admin.availableWad() == 160 * WAD


def test_draw__less_than_a_step__counts_as_a_step(stack, drawn_by_admin, bidder_id):
    drawn_by_admin.draw(bidder_id, bidder_id, 1, {"from": stack.admin})
    # The fund held 1,000 and a step of a thousandth, less a wei.
    assert drawn_by_admin.availableWad() == (1_000 * WAD - 1 + 10**15) // 5 - 10**15


def test_available__fund_in_debt__is_zero(stack, drawn_by_admin, bidder_id):
    stack.accounts.moveCash(FUND, bidder_id, 1_001 * WAD, {"from": stack.admin})
    assert drawn_by_admin.availableWad() == 0


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
