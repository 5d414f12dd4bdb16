"""Vault.withdraw: by the owner or an operator, within the margin, to the raw unit."""

import brownie
import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, perp, shown, snapshot


@pytest.fixture
def account_id(vault, usdc, weth, trader):
    for token in (usdc, weth):
        token.mint(trader, 10**9, {"from": trader})
        token.approve(vault, 10**9, {"from": trader})
    opened = vault.openAndDeposit(0, usdc, 10**9, {"from": trader}).return_value
    vault.deposit(opened, weth, 10**9, {"from": trader})
    return opened


@pytest.mark.parametrize("name", ["usdc", "weth"])
def test_withdraw__owner__pays_out(request, ledger, vault, trader, stranger, account_id, name):
    token = request.getfixturevalue(name)
    tx = vault.withdraw(account_id, token, 4 * 10**8, stranger, {"from": trader})
    assert token.balanceOf(stranger) == 4 * 10**8
    assert token.balanceOf(vault) == vault.tokenOf(vault.tokenIdOf(token))["heldRaw"] == 6 * 10**8
    assert tx.events["Withdrawn"]["to"] == stranger
    seen = snapshot(ledger, account_id)
    assert (seen["cashWad"] == 600 * WAD) is (name == "usdc")
    assert (seen["amountsWad"] == [6 * 10**8]) is (name == "weth")


def test_withdraw__operator__pays_out(ledger, vault, usdc, trader, stranger, account_id):
    ledger.setApprovalForAll(stranger, True, {"from": trader})
    vault.withdraw(account_id, usdc, 1, stranger, {"from": stranger})
    assert usdc.balanceOf(stranger) == 1


def test_withdraw__stranger__reverts_NotAuthorised(vault, usdc, stranger, account_id):
    with reverts_with("Vault__NotAuthorised", shown(stranger), account_id):
        vault.withdraw(account_id, usdc, 1, stranger, {"from": stranger})


def test_withdraw__below_initial_margin__reverts_BelowInitial(margin, vault, usdc, trader, account_id):
    margin.setInitial(account_id, 5, {"from": trader})
    with reverts_with("MarginEngine__BelowInitial", 0, 5):
        vault.withdraw(account_id, usdc, 1, trader, {"from": trader})


def test_withdraw__more_than_cash__reverts_InsufficientCash(vault, usdc, trader, account_id):
    with reverts_with("Accounts__InsufficientCash", 1000 * WAD, 1000 * WAD + 10**12):
        vault.withdraw(account_id, usdc, 10**9 + 1, trader, {"from": trader})


def test_withdraw__more_than_collateral__reverts_InsufficientCollateral(vault, weth, trader, account_id):
    with reverts_with("Accounts__InsufficientCollateral", 10**9, 10**9 + 1):
        vault.withdraw(account_id, weth, 10**9 + 1, trader, {"from": trader})


def test_withdraw__nothing__reverts_ZeroAmount(vault, usdc, trader, account_id):
    with reverts_with("Vault__ZeroAmount", 0, 1):
        vault.withdraw(account_id, usdc, 0, trader, {"from": trader})


@pytest.mark.parametrize("receiver", ["zero", "vault"])
def test_withdraw__to_nobody__reverts_BadReceiver(vault, usdc, trader, account_id, receiver):
    to = shown(vault) if receiver == "vault" else brownie.ZERO_ADDRESS
    with reverts_with("Vault__BadReceiver", to, shown(vault)):
        vault.withdraw(account_id, usdc, 1, to, {"from": trader})


def test_withdraw__paused__idle_cash_leaves_all_the_same(governor, vault, usdc, trader, account_id):
    vault.pause({"from": governor})
    assert "Withdrawn" in vault.withdraw(account_id, usdc, 1, trader, {"from": trader}).events


def test_withdraw__paused__collateral__reverts_OnlyIdleCash(governor, vault, weth, trader, account_id):
    vault.pause({"from": governor})
    with reverts_with("Vault__OnlyIdleCash", shown(weth), 0):
        vault.withdraw(account_id, weth, 1, trader, {"from": trader})


def test_withdraw__paused__with_a_position__reverts_OnlyIdleCash(
    governor, module, ledger, vault, usdc, trader, account_id, seller
):
    ledger.applyTrade((account_id, seller, perp(), WAD, 2_000 * WAD), {"from": module})
    vault.pause({"from": governor})
    with reverts_with("Vault__OnlyIdleCash", shown(usdc), 1):
        vault.withdraw(account_id, usdc, 1, trader, {"from": trader})
