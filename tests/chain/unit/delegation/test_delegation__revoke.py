"""Delegation.revoke: at once, by the owner or by the key itself."""

from __future__ import annotations

import pytest
from brownie import chain

from tests.chain.helpers.delegation import terms
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import perp, shown
from tests.chain.helpers.signed import numbers


@pytest.fixture(autouse=True)
def granted(delegation, trader, stranger, buyer):
    delegation.grant(buyer, stranger, terms(chain[-1].timestamp + 3_600), {"from": trader})
    delegation.requireAllowed(buyer, stranger, perp())


@pytest.mark.parametrize("who", ["trader", "stranger"])
def test_revoke__owner_or_delegate__ends_it(request, delegation, stranger, buyer, who):
    tx = delegation.revoke(buyer, stranger, {"from": request.getfixturevalue(who)})
    assert tx.events["Revoked"] == {"accountId": buyer, "delegate": stranger}
    assert numbers(delegation.grantOf(buyer, stranger)) == [0, 0, 0, 0, 0, 0]
    assert numbers(delegation.limitsOf(buyer, stranger, 1)) == [0, 0, 0, 0]
    with reverts_with("Delegation__NotDelegate", shown(stranger), buyer):
        delegation.requireAllowed(buyer, stranger, perp())


def test_revoke__anybody_else__reverts_NotOwner(delegation, ledger, maker, trader, stranger, buyer):
    ledger.setApprovalForAll(maker, True, {"from": trader})
    with reverts_with("Delegation__NotOwner", shown(maker), buyer):
        delegation.revoke(buyer, stranger, {"from": maker})


def test_revoke__nothing_there__reverts_NotDelegate(delegation, trader, maker, stranger, buyer):
    with reverts_with("Delegation__NotDelegate", shown(maker), buyer):
        delegation.revoke(buyer, maker, {"from": trader})
    delegation.revoke(buyer, stranger, {"from": trader})
    with reverts_with("Delegation__NotDelegate", shown(stranger), buyer):
        delegation.revoke(buyer, stranger, {"from": stranger})
