"""Vault.borrow: cash that the account does not have, against its other collateral."""

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, shown, stored_total

RAW = 10**6


@pytest.fixture
def funded(vault, ledger, usdc, governor, maker, trader):
    """The trader's account, empty; somebody else's cash of 1,000 is in the vault, all of which may leave at once."""
    vault.setOutflow(0, 10**6, 24 * 10**6, {"from": governor})
    usdc.mint(maker, 1_000 * RAW, {"from": maker})
    usdc.approve(vault, 2**256 - 1, {"from": maker})
    vault.openAndDeposit(0, usdc, 1_000 * RAW, {"from": maker})
    return ledger.open(trader, 0, {"from": trader}).return_value


def test_borrow__cash_of_others__leaves_a_debt(vault, ledger, usdc, funded, trader, stranger):
    tx = vault.borrow(funded, 300 * RAW, stranger, {"from": trader})
    assert usdc.balanceOf(stranger) == 300 * RAW
    assert ledger.cashOf(funded) == -300 * WAD
    assert stored_total(ledger) == 700 * WAD
    assert tx.events["Withdrawn"] == {
        "accountId": funded,
        "tokenId": 0,
        "to": stranger,
        "amountRaw": 300 * RAW,
    }
    assert vault.tokenOf(0)["heldRaw"] == 700 * RAW


def test_borrow__more_than_the_vault_holds__reverts_Illiquid(vault, funded, trader):
    with reverts_with("Vault__Illiquid", 1_001 * RAW, 1_000 * RAW):
        vault.borrow(funded, 1_001 * RAW, trader, {"from": trader})
    vault.borrow(funded, 1_000 * RAW, trader, {"from": trader})


def test_borrow__lender_leaves_later__waits_for_what_is_lent(vault, ledger, usdc, funded, trader, maker):
    vault.borrow(funded, 300 * RAW, trader, {"from": trader})
    lender = funded - 1
    with reverts_with("Vault__Illiquid", 701 * RAW, 700 * RAW):
        vault.withdraw(lender, usdc, 701 * RAW, maker, {"from": maker})
    usdc.approve(vault, 2**256 - 1, {"from": trader})
    vault.deposit(funded, usdc, 300 * RAW, {"from": trader})
    vault.withdraw(lender, usdc, 1_000 * RAW, maker, {"from": maker})


def test_borrow__too_little_margin__reverts_BelowInitial(vault, margin, funded, trader, stranger):
    margin.setInitial(funded, 9, {"from": stranger})
    with reverts_with("MarginEngine__BelowInitial", 0, 9):
        vault.borrow(funded, 1, trader, {"from": trader})


def test_borrow__bad_calls__revert(vault, funded, trader, stranger):
    with reverts_with("Vault__NotAuthorised", shown(stranger), funded):
        vault.borrow(funded, 1, stranger, {"from": stranger})
    with reverts_with("Vault__ZeroAmount", 0, 1):
        vault.borrow(funded, 0, trader, {"from": trader})
    for receiver in ("0x" + "0" * 40, vault):
        with reverts_with("Vault__BadReceiver"):
            vault.borrow(funded, 1, receiver, {"from": trader})


def test_borrow__from_clearing__reverts_Reserved(vault, funded, governor):
    with reverts_with("Accounts__Reserved", 0, 1):
        vault.borrow(0, 1, governor, {"from": governor})


def test_borrow__paused__reverts(vault, governor, funded, trader):
    vault.pause({"from": governor})
    with reverts_with("ExpiringPause__Paused"):
        vault.borrow(funded, 1, trader, {"from": trader})
