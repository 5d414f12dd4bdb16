"""Accounts.close: an account that holds nothing ends for good; dust goes to the fund."""

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, perp, shown, stored_total

FUND = 1
DUST = 10**12
NOBODY = "0x" + "0" * 40


@pytest.fixture
def account_id(ledger, trader):
    return ledger.open(trader, 0, {"from": trader}).return_value


def test_close__empty__burns_the_token_and_the_id(ledger, module, trader, account_id):
    tx = ledger.close(account_id, {"from": trader})
    assert tx.events["AccountClosed"] == {"accountId": account_id}
    assert tx.events["Transfer"]["to"] == NOBODY
    following = ledger.nextAccountId()
    assert following == account_id + 1
    for call in (
        lambda: ledger.snapshotOf(account_id),
        lambda: ledger.creditToken(account_id, 0, 1, {"from": module}),
        lambda: ledger.moveCash(FUND, account_id, 1, {"from": module}),
    ):
        with reverts_with("Accounts__UnknownAccount", account_id, following):
            call()
    with reverts_with("Accounts__NotOwner", shown(trader), account_id):
        ledger.close(account_id, {"from": trader})
    assert not ledger.isAuthorised(account_id, NOBODY)
    assert not ledger.isAuthorised(account_id, trader)


def test_close__dust__goes_to_the_fund(ledger, module, trader, account_id):
    ledger.creditToken(account_id, 0, DUST, {"from": module})
    with reverts_with("Accounts__NotEmpty", 0, DUST):
        ledger.close(account_id, {"from": trader})
    ledger.debitToken(account_id, 0, 1, {"from": module})
    total, positive = stored_total(ledger), ledger.positiveCashWad()
    ledger.close(account_id, {"from": trader})
    assert ledger.cashOf(FUND) == DUST - 1
    assert (stored_total(ledger), ledger.positiveCashWad()) == (total, positive)


def test_close__holding_anything__reverts_NotEmpty(ledger, module, trader, account_id, buyer, seller):
    ledger.creditToken(account_id, 3, 1, {"from": module})
    with reverts_with("Accounts__NotEmpty", 1, 0):
        ledger.close(account_id, {"from": trader})
    ledger.debitToken(account_id, 3, 1, {"from": module})
    ledger.applyTrade((account_id, seller, perp(), WAD, WAD), {"from": module})
    with reverts_with("Accounts__NotEmpty", 1, 0):
        ledger.close(account_id, {"from": trader})
    ledger.applyTrade((seller, account_id, perp(), WAD, WAD), {"from": module})
    ledger.moveCash(account_id, buyer, 1, {"from": module})
    with reverts_with("Accounts__NotEmpty", 0, -1):
        ledger.close(account_id, {"from": trader})
    ledger.creditToken(account_id, 0, 1, {"from": module})
    ledger.close(account_id, {"from": trader})


def test_close__stranger_or_reserved__reverts(ledger, governor, stranger, account_id):
    with reverts_with("Accounts__NotOwner", shown(stranger), account_id):
        ledger.close(account_id, {"from": stranger})
    for reserved in (0, FUND):
        with reverts_with("Accounts__Reserved", reserved, 2):
            ledger.close(reserved, {"from": governor})
