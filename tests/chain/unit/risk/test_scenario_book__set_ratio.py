"""ScenarioBook.setRatio: the one figure of a token that follows its source; a grace's yardstick moves along."""

from __future__ import annotations

import pytest
from brownie import accounts, chain, project

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import deploy_stack

LISTED = (True, 1, 2 * 10**17, 2 * 10**16, WAD)
NAME = b"ratioWad".ljust(32, b"\0")


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


def test_set_ratio__changes_the_ratio_alone(stack):
    version = stack.book.version()
    tx = stack.book.setRatio(1, 11 * 10**17, {"from": stack.admin})
    assert tuple(stack.book.collateralOf(1)) == (*LISTED[:4], 11 * 10**17)
    assert dict(tx.events["RatioSet"]) == {
        "tokenId": 1, "version": version + 1, "oldRatioWad": WAD, "newRatioWad": 11 * 10**17,
    }  # fmt: skip
    assert stack.book.version() == version + 1


def test_set_ratio__counts_in_the_next_margin(stack):
    account_id = stack.open(accounts[1], 10_000)
    stack.accounts.creditToken(account_id, 1, 10 * WAD, {"from": stack.admin})
    before = stack.margin(account_id)
    stack.book.setRatio(1, 2 * WAD, {"from": stack.admin})
    after = stack.margin(account_id)
    # Twice the units, each worth the underlying's spot: twice the value, and twice the risk.
    cash = 10_000 * WAD
    assert after.equity - cash == 2 * (before.equity - cash)
    assert after.initial > 19 * before.initial // 10


def test_set_ratio__starts_no_grace_and_moves_the_yardstick_of_one(stack):
    stack.book.setGrace(3_600, {"from": stack.admin})
    assert "GraceStarted" not in stack.book.setRatio(1, 11 * 10**17, {"from": stack.admin}).events
    assert stack.book.graceEndTs() == 0
    stack.book.setCollateral(1, (True, 1, 5 * 10**17, 4 * 10**17, 8 * 10**17), {"from": stack.admin})
    end = stack.book.graceEndTs()
    # From 0.8, which the governor said, to 0.84: from 1.1 that is 1.155, and what the governor took stays in grace.
    stack.book.setRatio(1, 84 * 10**16, {"from": stack.admin})
    assert stack.book.graceEndTs() == end
    assert tuple(stack.book.priorCollateralOf(1)) == (*LISTED[:4], 1_155 * 10**15)
    assert tuple(stack.book.collateralOf(1)) == (True, 1, 5 * 10**17, 4 * 10**17, 84 * 10**16)
    # A ratio of nothing has no proportion to anything.
    stack.book.setRatio(1, 0, {"from": stack.admin})
    stack.book.setRatio(1, WAD, {"from": stack.admin})
    assert stack.book.priorCollateralOf(1)[4] == 0


@pytest.mark.parametrize(("ratio", "fine"), [(0, True), (10**24, True), (10**24 + 1, False)])
def test_set_ratio__above_a_million__reverts(stack, ratio, fine):
    if fine:
        stack.book.setRatio(1, ratio, {"from": stack.admin})
        return
    with reverts_with("ScenarioBook__ParameterOutOfRange", NAME, ratio, 10**24):
        stack.book.setRatio(1, ratio, {"from": stack.admin})


def test_set_ratio__unlisted_token__reverts(stack):
    with reverts_with("ScenarioBook__UnknownToken", 5):
        stack.book.setRatio(5, WAD, {"from": stack.admin})


def test_set_ratio__by_a_stranger__reverts(stack):
    with reverts_with("AccessManagedUnauthorized"):
        stack.book.setRatio(1, WAD, {"from": accounts[3]})
