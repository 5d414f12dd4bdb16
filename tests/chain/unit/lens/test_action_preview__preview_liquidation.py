"""ActionPreview.previewLiquidation: every figure equals what the bid then does, to the wei."""

from __future__ import annotations

import pytest
from brownie import accounts, chain, project, web3

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import option
from tests.chain.helpers.signed import WAD, surface
from tests.chain.helpers.stack import BUFFER, CROSS, FUND, deploy_stack

WHOLE, MOST = WAD, 2**255
FIELDS = (
    *("quote", "accountBefore", "accountAfter", "bidderBefore", "bidderAfter"),
    *("profitWad", "socialisedWad", "isAllowed"),
)
MARGIN = ("state", "equityWad", "marketEquityWad", "markToMarketWad", "initialWad", "maintenanceWad")


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def long_id(stack, trader, maker):
    """Long ten perpetuals and three calls, with linked collateral: below maintenance at 1,700."""
    expiry = chain[-1].timestamp + 30 * 86_400
    stack.price(1_900, surfaces=[surface(expiry)])
    account_id, other = stack.open(trader, 2_000), stack.open(maker, 100_000)
    stack.accounts.creditToken(account_id, 1, WAD + 7, {"from": stack.admin})
    stack.trade(account_id, other, 10, 1_900)
    stack.trade(account_id, other, 3, 10, option(expiry, 2_000))
    stack.expiries = [expiry]
    return account_id


@pytest.fixture(scope="module", params=[0, CROSS])
def bidder_id(stack, request):
    """Has a short of its own, so that a slice both merges and realises."""
    bidder = accounts[2]
    account_id, other = stack.open(bidder, 50_000, request.param), stack.open(bidder, 100_000)
    stack.trade(other, account_id, 2, 1_850)
    return account_id


def quoted(stack, account_id, bidder_id, fraction):
    """The preview for the next block, whose time is fixed."""
    at = chain[-1].timestamp + 5
    web3.provider.make_request("evm_setNextBlockTimestamp", [at])
    raw = stack.actions.previewLiquidation.call(account_id, bidder_id, fraction, block_identifier="pending")
    web3.provider.make_request("evm_setNextBlockTimestamp", [at])
    return dict(zip(FIELDS, raw, strict=True))


def margin(values):
    return dict(zip(MARGIN, (int(v) for v in values[:6]), strict=True))


def crash(stack, account_id, price):
    stack.price(price, surfaces=[surface(e, forwardWad=price * WAD) for e in stack.expiries])
    return account_id


def bid(stack, account_id, bidder_id, fraction, quote):
    limit = MOST if quote[0] else 0
    return stack.auction.bid(account_id, bidder_id, fraction, quote[0], limit, {"from": accounts[2]})


def same_as_chain(stack, account_id, bidder_id, seen):
    assert margin(seen["accountAfter"]) == margin(stack.engine.marginOf(account_id))
    assert margin(seen["bidderAfter"]) == margin(stack.engine.marginOf(bidder_id))


@pytest.mark.parametrize("fraction", [WHOLE, WAD // 7])
@pytest.mark.parametrize("wait", [0, 700])
def test_preview__solvent__equals_the_bid(stack, long_id, bidder_id, fraction, wait):
    crash(stack, long_id, 1_700)
    stack.auction.start(long_id, {"from": accounts[2]})
    chain.sleep(wait)
    chain.mine()
    seen = quoted(stack, long_id, bidder_id, fraction)
    before = margin(stack.engine.marginOf(bidder_id))
    filled = bid(stack, long_id, bidder_id, fraction, seen["quote"]).events["BidFilled"]
    assert list(seen["quote"])[:5] == [filled[n] for n in ("isSolvent", "fractionWad", "priceWad", "cashWad", "feeWad")]
    assert margin(seen["bidderBefore"]) == before
    same_as_chain(stack, long_id, bidder_id, seen)
    after = margin(stack.engine.marginOf(bidder_id))
    assert seen["profitWad"] == after["marketEquityWad"] - before["marketEquityWad"] > 0
    assert seen["isAllowed"]
    assert seen["socialisedWad"] == 0


def test_preview__not_started__equals_start_and_bid(stack, long_id, bidder_id):
    crash(stack, long_id, 1_700)
    seen = dict(zip(FIELDS, stack.actions.previewLiquidation(long_id, bidder_id, WHOLE), strict=True))
    assert seen["quote"][2] == 98 * 10**16
    maintenance = margin(seen["accountAfter"])["maintenanceWad"]
    assert margin(seen["accountAfter"])["equityWad"] == pytest.approx(maintenance * (WAD + BUFFER) / WAD, rel=1e-9)
    with reverts_with("Auction__NotOpen", long_id):
        bid(stack, long_id, bidder_id, WHOLE, seen["quote"])


@pytest.mark.parametrize("fund", [0, 100, 10**6])
@pytest.mark.parametrize("fraction", [WHOLE, WAD // 3])
def test_preview__insolvent__reserve_fund_and_everybody_to_the_wei(stack, long_id, bidder_id, fund, fraction):
    if fund:
        stack.accounts.creditToken(FUND, 0, fund * WAD, {"from": stack.admin})
    crash(stack, long_id, 1_700)
    stack.auction.start(long_id, {"from": accounts[2]})
    first = quoted(stack, long_id, bidder_id, WAD // 10)
    bid(stack, long_id, bidder_id, WAD // 10, first["quote"])
    crash(stack, long_id, 1_200)
    stack.auction.touch(long_id, {"from": accounts[2]})
    chain.sleep(1_700)
    chain.mine()
    seen = quoted(stack, long_id, bidder_id, fraction)
    tx = bid(stack, long_id, bidder_id, fraction, seen["quote"])
    covered = tx.events["LossCovered"]
    assert covered["fromReserveWad"] > 0
    assert seen["socialisedWad"] == covered["socialisedWad"]
    assert (covered["socialisedWad"] > 0) == (fund < 10**6)
    same_as_chain(stack, long_id, bidder_id, seen)


def test_preview__bidder_without_margin__says_so_and_the_bid_reverts(stack, long_id):
    poor = stack.open(accounts[2], 1)
    crash(stack, long_id, 1_700)
    stack.auction.start(long_id, {"from": accounts[2]})
    seen = quoted(stack, long_id, poor, WHOLE)
    assert not seen["isAllowed"]
    with reverts_with("Auction__BidderBelowInitial"):
        bid(stack, long_id, poor, WHOLE, seen["quote"])


def test_preview__healthy__reverts_NotLiquidatable(stack, long_id, bidder_id):
    now = margin(stack.engine.marginOf(long_id))
    with reverts_with("Auction__NotLiquidatable", now["equityWad"], now["maintenanceWad"]):
        stack.actions.previewLiquidation(long_id, bidder_id, WHOLE)


def test_preview__for_itself__reverts_SelfBid(stack, long_id):
    with reverts_with("ActionPreview__SelfBid", long_id):
        stack.actions.previewLiquidation(long_id, long_id, WHOLE)


def test_preview__loss_above_all_cash__reverts_LossTooLarge(stack, trader):
    debtor, holder = stack.open(trader, 3_000), stack.open(accounts[2], 3_000)
    stack.trade(debtor, holder, 1_000, 1_900)
    stack.price(10)
    stack.auction.start(debtor, {"from": accounts[2]})
    with reverts_with("ActionPreview__LossTooLarge"):
        stack.actions.previewLiquidation(debtor, holder, WHOLE)
    with reverts_with("Accounts__LossTooLarge"):
        stack.auction.bid(debtor, holder, WHOLE, False, 0, {"from": accounts[2]})
