"""Accounts.creditToken, debitToken and moveCash: what the vault, the auction and the fund call."""

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, shown, snapshot
from tests.chain.unit.conftest import FUNDS_WAD

TOO_LARGE = 2**127


def test_credit_token__collateral__enters_the_snapshot(ledger, module, buyer):
    for token_id in (3, 1):
        ledger.creditToken(buyer, token_id, token_id * WAD, {"from": module})
    seen = snapshot(ledger, buyer)
    assert (seen["tokenIds"], seen["amountsWad"]) == ([1, 3], [WAD, 3 * WAD])


def test_credit_token__32nd_token__reverts_TokenOutOfRange(ledger, module, buyer):
    ledger.creditToken(buyer, 31, 1, {"from": module})
    with reverts_with("Accounts__TokenOutOfRange", 32, 32):
        ledger.creditToken(buyer, 32, 1, {"from": module})


def test_credit_token__too_large__reverts_Overflow(ledger, module, buyer):
    with reverts_with("Accounts__Overflow", TOO_LARGE, TOO_LARGE - 1):
        ledger.creditToken(buyer, 0, TOO_LARGE, {"from": module})


def test_debit_token__all__leaves_the_snapshot(ledger, module, buyer):
    ledger.creditToken(buyer, 3, WAD, {"from": module})
    tx = ledger.debitToken(buyer, 3, WAD, {"from": module})
    assert tx.events["CollateralChanged"]["amountWad"] == 0
    assert snapshot(ledger, buyer)["tokenIds"] == []


def test_debit_token__more_than_there_is__reverts(ledger, module, buyer):
    with reverts_with("Accounts__InsufficientCash", FUNDS_WAD, FUNDS_WAD + 1):
        ledger.debitToken(buyer, 0, FUNDS_WAD + 1, {"from": module})
    with reverts_with("Accounts__InsufficientCollateral", 0, 1):
        ledger.debitToken(buyer, 3, 1, {"from": module})


def test_move_cash__may_leave_a_debt(ledger, module, buyer, seller):
    tx = ledger.moveCash(buyer, seller, FUNDS_WAD + 1, {"from": module})
    assert [event["deltaWad"] for event in tx.events["CashChanged"]] == [-FUNDS_WAD - 1, FUNDS_WAD + 1]
    assert ledger.cashOf(buyer) == -1
    assert ledger.positiveCashWad() == 2 * FUNDS_WAD + 1


@pytest.mark.parametrize("name", ["creditToken", "debitToken"])
def test_tokens__nothing__reverts_ZeroAmount(ledger, module, buyer, name):
    with reverts_with("Accounts__ZeroAmount", 0, 1):
        getattr(ledger, name)(buyer, 0, 0, {"from": module})


@pytest.mark.parametrize("name", ["creditToken", "debitToken", "moveCash"])
def test_modules_only__stranger__reverts_NotModule(ledger, stranger, buyer, name):
    with reverts_with("Accounts__NotModule", shown(stranger)):
        getattr(ledger, name)(buyer, 0, 1, {"from": stranger})
