"""ScenarioBook, PriorBook and Auction: a change of parameters alone liquidates nobody within its grace."""

from __future__ import annotations

import pytest
from brownie import accounts, chain, project

from tests.chain.helpers.books import rows
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import ACCOUNT, PRICE_RANGE, UNDERLYING, deploy_stack

GRACE = 86_400
LISTED = (True, 1, 2 * 10**17, 2 * 10**16, WAD)


@pytest.fixture(scope="module")
def stack():
    found = deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)
    prior = found.admin.deploy(found.project.PriorBook, found.book)
    found.prior = prior
    found.auction.setPriorMargin(found.engine_of(prior), {"from": found.admin})
    found.book.setGrace(GRACE, {"from": found.admin})
    return found


@pytest.fixture(scope="module")
def trader():
    return accounts[1]


@pytest.fixture
def long_id(stack, trader):
    """Ten perpetuals at 1,900 on 3,600: above maintenance, and below it at a range of 0.24."""
    account_id = stack.open(trader, 3_600)
    stack.trade(account_id, stack.open(trader, 100_000), 10, 1_900)
    return account_id


def set_range(stack, range_wad):
    return stack.book.setBook(1, (range_wad, *UNDERLYING[1:]), rows(), {"from": stack.admin})


def raise_range(stack):
    return set_range(stack, PRICE_RANGE * 4 // 3)


def test_start__after_a_raise__waits_for_the_end_of_the_grace(stack, long_id, trader):
    before = stack.margin(long_id)
    tx = raise_range(stack)
    end = tx.timestamp + GRACE
    assert dict(tx.events["GraceStarted"]) == {"generation": 1, "endTs": end}
    margin = stack.margin(long_id)
    assert before.maintenance <= margin.equity < margin.maintenance
    with reverts_with("Auction__InGrace"):
        stack.auction.start(long_id, {"from": trader})
    with reverts_with("Auction__InGrace"):
        stack.auction.previewBid(long_id, WAD)
    chain.sleep(end - chain[-1].timestamp - 60)
    stack.price(1_900)
    with reverts_with("Auction__InGrace"):
        stack.auction.start(long_id, {"from": trader})
    chain.sleep(60)
    stack.price(1_900)
    assert "AuctionStarted" in stack.auction.start(long_id, {"from": trader}).events


def test_start__within_the_grace__short_without_the_change_too__opens(stack, long_id, trader):
    raise_range(stack)
    stack.price(1_780)
    assert "AuctionStarted" in stack.auction.start(long_id, {"from": trader}).events


def test_start__within_the_grace__insolvent__opens(stack, long_id, trader):
    """Insolvency is the market's, whatever the parameters were."""
    set_range(stack, PRICE_RANGE // 100)
    stack.price(1_500)
    assert stack.margin(long_id).market < 0
    assert "AuctionStarted" in stack.auction.start(long_id, {"from": trader}).events


def test_start__grace_unset__opens_at_once(stack, long_id, trader):
    stack.book.setGrace(0, {"from": stack.admin})
    tx = raise_range(stack)
    assert "GraceStarted" not in tx.events
    assert "AuctionStarted" in stack.auction.start(long_id, {"from": trader}).events


def test_start__no_prior_engine__opens_at_once(stack, long_id, trader):
    tx = stack.auction.setPriorMargin("0x" + "0" * 40, {"from": stack.admin})
    assert tx.events["PriorMarginSet"]["oldEngine"] != tx.events["PriorMarginSet"]["newEngine"]
    raise_range(stack)
    assert "AuctionStarted" in stack.auction.start(long_id, {"from": trader}).events


def test_prior__several_changes_in_a_row__is_what_held_before_the_first(stack):
    first, account = stack.book.bookPointerOf(1), stack.book.accountWord()
    stack.book.setCollateral(1, (True, 1, 3 * 10**17, 2 * 10**16, WAD), {"from": stack.admin})
    stack.book.setAccountParams((10**18, *ACCOUNT[1:]), {"from": stack.admin})
    stack.book.setAccountParams((9 * 10**17, *ACCOUNT[1:]), {"from": stack.admin})
    raise_range(stack)
    chain.sleep(GRACE // 2)
    tx = set_range(stack, PRICE_RANGE // 2)
    assert dict(tx.events["GraceStarted"]) == {"generation": 1, "endTs": tx.timestamp + GRACE}
    assert stack.prior.bookPointerOf(1) == first != stack.book.bookPointerOf(1)
    assert stack.prior.accountWord() == account != stack.book.accountWord()
    assert tuple(stack.prior.collateralOf(1)) == LISTED != tuple(stack.book.collateralOf(1))
    chain.sleep(GRACE)
    chain.mine()
    assert stack.prior.bookPointerOf(1) == stack.book.bookPointerOf(1)
    assert stack.prior.accountWord() == stack.book.accountWord()
    assert tuple(stack.prior.collateralOf(1)) == tuple(stack.book.collateralOf(1))
    live = stack.book.bookPointerOf(1)
    tx = raise_range(stack)
    assert tx.events["GraceStarted"]["generation"] == 2
    assert stack.prior.bookPointerOf(1) == live
    assert tuple(stack.prior.collateralOf(1)) == tuple(stack.book.collateralOf(1))


def test_set_grace__above_a_week__reverts_and_event_names_both(stack):
    with reverts_with("ScenarioBook__ParameterOutOfRange"):
        stack.book.setGrace(7 * 86_400 + 1, {"from": stack.admin})
    tx = stack.book.setGrace(60, {"from": stack.admin})
    assert dict(tx.events["GraceSet"]) == {"oldSec": GRACE, "newSec": 60}


def test_setters__by_a_stranger__revert(stack, trader):
    with reverts_with("AccessManagedUnauthorized"):
        stack.book.setGrace(0, {"from": trader})
    with reverts_with("AccessManagedUnauthorized"):
        stack.auction.setPriorMargin(trader, {"from": trader})
