"""ScenarioBook.setRange: the range of an underlying alone, by the rule that follows the market."""

from __future__ import annotations

import pytest
from brownie import accounts, chain, project, web3

from tests.chain.helpers.books import rows
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ranges import add_rule
from tests.chain.helpers.signed import DAY
from tests.chain.helpers.stack import PRICE_RANGE, UNDERLYING, deploy_stack

NAME = b"priceRangeWad".ljust(32, b"\0")
RAISED = 3 * 10**17


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


def set_range(stack, range_wad, underlying_id=1, by=0):
    return stack.book.setRange(underlying_id, range_wad, {"from": accounts[by]})


@pytest.mark.parametrize("range_wad", [10**15, 10**17, RAISED, 5 * 10**17])
def test_set_range__is_the_book_with_that_range_to_the_last_byte(stack, range_wad):
    version = stack.book.version()
    tx = set_range(stack, range_wad)
    assert (tx.events["BookSet"]["underlyingId"], tx.events["BookSet"]["version"]) == (1, version + 1)
    assert tuple(tx.events["BookSet"]["params"]) == (range_wad, *UNDERLYING[1:])
    own = web3.eth.get_code(stack.book.bookPointerOf(1))
    stack.book.setBook(1, (range_wad, *UNDERLYING[1:]), rows(), {"from": stack.admin})
    assert web3.eth.get_code(stack.book.bookPointerOf(1)) == own


def test_set_range__counts_in_the_next_margin(stack):
    account_id = stack.open(accounts[1], 10_000)
    stack.trade(account_id, stack.open(accounts[1], 100_000), 10, 1_900)
    before = stack.margin(account_id).initial
    set_range(stack, 2 * PRICE_RANGE)
    # Of a perpetual the basis of 0.002 does not follow the range.
    assert stack.margin(account_id).initial / before == pytest.approx(380 / 191, rel=1e-12)


@pytest.mark.parametrize("range_wad", [RAISED, PRICE_RANGE - 1])
def test_set_range__starts_a_grace_with_what_held_before(stack, range_wad):
    stack.book.setGrace(DAY, {"from": stack.admin})
    before = stack.book.bookPointerOf(1)
    tx = set_range(stack, range_wad)
    assert dict(tx.events["GraceStarted"]) == {"generation": 1, "endTs": tx.timestamp + DAY}
    set_range(stack, range_wad + 1)
    assert stack.book.priorBookPointerOf(1) == before != stack.book.bookPointerOf(1)


@pytest.mark.parametrize(("range_wad", "limit"), [(10**15 - 1, 10**15), (5 * 10**17 + 1, 5 * 10**17)])
def test_set_range__outside_its_interval__reverts(stack, range_wad, limit):
    with reverts_with("ScenarioBook__ParameterOutOfRange", NAME, range_wad, limit):
        set_range(stack, range_wad)


def test_set_range__unlisted_underlying__reverts(stack):
    with reverts_with("ScenarioBook__UnknownUnderlying", 2, 1):
        set_range(stack, RAISED, underlying_id=2)


def test_set_range__is_the_rules_alone(stack):
    with reverts_with("AccessManagedUnauthorized"):
        set_range(stack, RAISED, by=3)
    add_rule(stack)
    # The governor too goes by setBook, behind its delay.
    with reverts_with("AccessManagedUnauthorized"):
        set_range(stack, RAISED)
