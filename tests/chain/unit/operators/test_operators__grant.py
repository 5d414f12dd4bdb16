"""Operators.grant and revoke: who may grant what, and when it ends."""

from __future__ import annotations

import brownie
import pytest
from brownie import chain

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import shown
from tests.chain.helpers.operators import ALL_ROLES, ISOLATE, MODE, WITHDRAW, terms
from tests.chain.helpers.signed import numbers

DAY = 86_400


@pytest.fixture
def until():
    return chain[-1].timestamp + 10 * DAY


def test_grant__owner__is_stored_and_emitted(operators, trader, stranger, buyer, until):
    tx = operators.grant(buyer, stranger, terms(until, WITHDRAW | MODE, (0, 500), (2, 7)), {"from": trader})
    event = tx.events["Granted"]
    assert (event["accountId"], event["operator"]) == (buyer, stranger)
    *head, listed = event["terms"]
    assert numbers(head) == [until, WITHDRAW | MODE]
    assert [numbers(entry) for entry in listed] == [[0, 500], [2, 7]]
    assert numbers(operators.grantOf(buyer, stranger)) == [1, 0, until, WITHDRAW | MODE]
    assert [numbers(operators.allowanceOf(buyer, stranger, i)) for i in range(3)] == [[500, 500], [0, 0], [7, 7]]


def test_grant__again__nothing_of_the_first_shines_through(operators, trader, stranger, buyer, until):
    operators.grant(buyer, stranger, terms(until, ALL_ROLES, (0, 500), (1, 5)), {"from": trader})
    operators.grant(buyer, stranger, terms(until - 1, WITHDRAW, (2, 9)), {"from": trader})
    assert numbers(operators.grantOf(buyer, stranger))[2:] == [until - 1, WITHDRAW]
    assert [numbers(operators.allowanceOf(buyer, stranger, i))[1] for i in range(3)] == [0, 0, 9]


@pytest.mark.parametrize("how", ["stranger", "operator", "approved", "all"])
def test_grant__not_the_owner_itself__reverts_NotOwner(ledger, operators, trader, stranger, maker, buyer, until, how):
    if how == "operator":
        operators.grant(buyer, stranger, terms(until, MODE), {"from": trader})
    elif how == "approved":
        ledger.approve(stranger, buyer, {"from": trader})
    elif how == "all":
        ledger.setApprovalForAll(stranger, True, {"from": trader})
    with reverts_with("Operators__NotOwner", shown(stranger), buyer):
        operators.grant(buyer, maker, terms(until, MODE), {"from": stranger})


def test_grant__malformed__reverts(operators, trader, stranger, buyer, until):
    owner = {"from": trader}
    for bad in (brownie.ZERO_ADDRESS, shown(trader)):
        with reverts_with("Operators__BadOperator", bad):
            operators.grant(buyer, bad, terms(until, MODE), owner)
    with reverts_with("Operators__Expired"):
        operators.grant(buyer, stranger, terms(chain[-1].timestamp - 1, MODE), owner)
    for roles in (0, ALL_ROLES + 1):
        with reverts_with("Operators__BadRoles", roles, ALL_ROLES):
            operators.grant(buyer, stranger, terms(until, roles, (0, 1)), owner)
    with reverts_with("Operators__BadAllowanceCount", 0, WITHDRAW | MODE):
        operators.grant(buyer, stranger, terms(until, WITHDRAW | MODE), owner)
    with reverts_with("Operators__BadAllowanceCount", 1, MODE | ISOLATE):
        operators.grant(buyer, stranger, terms(until, MODE | ISOLATE, (0, 1)), owner)
    with reverts_with("Operators__BadAllowance", 1, 0):
        operators.grant(buyer, stranger, terms(until, WITHDRAW, (0, 1), (1, 0)), owner)
    with reverts_with("Operators__BadAllowance", 0, 6):
        operators.grant(buyer, stranger, terms(until, WITHDRAW, (0, 5), (1, 1), (0, 6)), owner)
    with reverts_with("Operators__UnknownToken", 3, 3):
        operators.grant(buyer, stranger, terms(until, WITHDRAW, (3, 1)), owner)


@pytest.mark.parametrize("who", ["trader", "stranger"])
def test_revoke__owner_or_operator__ends_it(request, operators, ledger, trader, stranger, buyer, until, who):
    ledger.setApprovalForAll(operators, True, {"from": trader})
    operators.grant(buyer, stranger, terms(until, ALL_ROLES, (0, 5)), {"from": trader})
    tx = operators.revoke(buyer, stranger, {"from": request.getfixturevalue(who)})
    assert tx.events["Revoked"] == {"accountId": buyer, "operator": stranger}
    assert numbers(operators.grantOf(buyer, stranger)) == [0, 0, 0, 0]
    assert numbers(operators.allowanceOf(buyer, stranger, 0)) == [0, 0]
    with reverts_with("Operators__NotOperator", shown(stranger), buyer):
        operators.setMode(buyer, 1, {"from": stranger})


def test_revoke__anybody_else__reverts_NotOwner(operators, ledger, maker, trader, stranger, buyer, until):
    operators.grant(buyer, stranger, terms(until, MODE), {"from": trader})
    ledger.setApprovalForAll(maker, True, {"from": trader})
    with reverts_with("Operators__NotOwner", shown(maker), buyer):
        operators.revoke(buyer, stranger, {"from": maker})


def test_revoke__nothing_there__reverts_NotOperator(operators, trader, stranger, buyer, until):
    with reverts_with("Operators__NotOperator", shown(stranger), buyer):
        operators.revoke(buyer, stranger, {"from": trader})
