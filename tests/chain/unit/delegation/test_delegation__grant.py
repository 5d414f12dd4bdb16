"""Delegation.grant: who may grant what, and what a second grant leaves of the first."""

from __future__ import annotations

import pytest
from brownie import chain

from tests.chain.helpers.delegation import ALL_KINDS, CALL, NO_LIMIT, PERP, limits, terms
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, option, perp, shown
from tests.chain.helpers.signed import numbers


@pytest.fixture
def until():
    return chain[-1].timestamp + 3_600


def test_grant__owner__is_stored_and_emitted(delegation, trader, stranger, buyer, until):
    tx = delegation.grant(
        buyer, stranger, terms(until, limits(1, 5, 6, 7), limits(9), kinds=CALL, max_loss_wad=8), {"from": trader}
    )
    event = tx.events["Granted"]
    assert (event["accountId"], event["delegate"]) == (buyer, stranger)
    *head, listed = event["terms"]
    assert numbers(head) == [until, CALL, 8]
    assert [numbers(entry) for entry in listed] == [[1, 5, 6, 7], [9, NO_LIMIT, NO_LIMIT, NO_LIMIT]]
    assert numbers(delegation.grantOf(buyer, stranger)) == [1, 0, until, CALL, 8, 0]
    assert numbers(delegation.limitsOf(buyer, stranger, 1)) == [1, 5, 6, 7]
    assert numbers(delegation.limitsOf(buyer, stranger, 2)) == [0, 0, 0, 0]
    delegation.requireAllowed(buyer, stranger, option(until, 2000))


def test_grant__to_the_second_account_of_an_owner__does_not_reach_the_first(
    ledger, delegation, trader, stranger, buyer, until
):
    other = ledger.open(trader, 0, {"from": trader}).return_value
    delegation.grant(other, stranger, terms(until), {"from": trader})
    delegation.requireAllowed(other, stranger, perp())
    with reverts_with("Delegation__NotDelegate", shown(stranger), buyer):
        delegation.requireAllowed(buyer, stranger, perp())


def test_grant__again__nothing_of_the_first_shines_through(delegation, trader, stranger, buyer, until):
    delegation.grant(buyer, stranger, terms(until, limits(1), limits(2)), {"from": trader})
    delegation.grant(buyer, stranger, terms(until - 1, limits(1, 1, 1, 1), kinds=PERP), {"from": trader})
    assert numbers(delegation.grantOf(buyer, stranger))[2:4] == [until - 1, PERP]
    assert numbers(delegation.limitsOf(buyer, stranger, 1)) == [1, 1, 1, 1]
    assert numbers(delegation.limitsOf(buyer, stranger, 2)) == [0, 0, 0, 0]
    with reverts_with("Delegation__KindNotAllowed", 0, PERP):
        delegation.requireAllowed(buyer, stranger, option(until, 2000))


@pytest.mark.parametrize("how", ["stranger", "delegate", "operator", "approved"])
def test_grant__not_the_owner_itself__reverts_NotOwner(ledger, delegation, trader, stranger, maker, buyer, until, how):
    caller = stranger
    if how == "delegate":
        delegation.grant(buyer, stranger, terms(until), {"from": trader})
    elif how == "operator":
        ledger.setApprovalForAll(stranger, True, {"from": trader})
    elif how == "approved":
        ledger.approve(stranger, buyer, {"from": trader})
    with reverts_with("Delegation__NotOwner", shown(caller), buyer):
        delegation.grant(buyer, maker, terms(until), {"from": caller})


def test_grant__malformed__reverts(delegation, trader, stranger, buyer, until):
    now = chain[-1].timestamp
    owner = {"from": trader}
    with reverts_with("Delegation__BadDelegate", "0x" + "0" * 40):
        delegation.grant(buyer, "0x" + "0" * 40, terms(until), owner)
    with reverts_with("Delegation__BadDelegate", shown(trader)):
        delegation.grant(buyer, trader, terms(until), owner)
    with reverts_with("Delegation__Expired"):
        delegation.grant(buyer, stranger, terms(now - 1), owner)
    for kinds in (0, ALL_KINDS + 1):
        with reverts_with("Delegation__BadKinds", kinds, ALL_KINDS):
            delegation.grant(buyer, stranger, terms(until, kinds=kinds), owner)
    with reverts_with("Delegation__NoUnderlying", 0, 1):
        delegation.grant(buyer, stranger, (until, ALL_KINDS, WAD, []), owner)
    with reverts_with("Delegation__BadUnderlying", 0):
        delegation.grant(buyer, stranger, terms(until, limits(0)), owner)
    with reverts_with("Delegation__BadUnderlying", 2):
        delegation.grant(buyer, stranger, terms(until, limits(2), limits(1), limits(2)), owner)
