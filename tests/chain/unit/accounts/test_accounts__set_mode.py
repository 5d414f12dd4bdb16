"""Accounts.setMode: initial margin passes before and after."""

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import shown, snapshot


def test_set_mode__owner__changes_it(ledger, trader, buyer):
    tx = ledger.setMode(buyer, 1, {"from": trader})
    assert tx.events["ModeChanged"] == {"accountId": buyer, "oldMode": 0, "newMode": 1}
    assert snapshot(ledger, buyer)["mode"] == 1


def test_set_mode__operator__changes_it(ledger, trader, stranger, buyer):
    ledger.approve(stranger, buyer, {"from": trader})
    ledger.setMode(buyer, 2, {"from": stranger})
    assert snapshot(ledger, buyer)["mode"] == 2


def test_set_mode__stranger__reverts_NotOwner(ledger, stranger, buyer):
    with reverts_with("Accounts__NotOwner", shown(stranger), buyer):
        ledger.setMode(buyer, 1, {"from": stranger})


def test_set_mode__unhealthy__reverts_Unhealthy(ledger, margin, trader, buyer):
    margin.setInitial(buyer, 5, {"from": trader})
    with reverts_with("Accounts__Unhealthy", 0, 5):
        ledger.setMode(buyer, 1, {"from": trader})
