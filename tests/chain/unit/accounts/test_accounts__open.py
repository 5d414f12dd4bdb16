"""Accounts.open: anyone opens an account for anyone; the reserved ids are taken."""

import brownie

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import empty, snapshot


def test_open__first__gets_id_2(ledger, stranger, trader):
    tx = ledger.open(trader, 1, {"from": stranger})
    assert tx.return_value == 2
    assert tx.events["AccountOpened"] == {"accountId": 2, "owner": trader, "mode": 1}
    assert ledger.ownerOf(2) == trader
    assert snapshot(ledger, 2) == empty(1, 0)
    assert ledger.isAuthorised(2, trader)
    assert not ledger.isAuthorised(2, stranger)


def test_open__nobody__reverts_ERC721InvalidReceiver(ledger, stranger):
    with reverts_with("ERC721InvalidReceiver", brownie.ZERO_ADDRESS):
        ledger.open(brownie.ZERO_ADDRESS, 0, {"from": stranger})
