"""ActionPreview.maxWithdraw: the amount passes, one unit more reverts."""

from __future__ import annotations

import pytest
from brownie import LocalToken, accounts, chain, project

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import option
from tests.chain.helpers.signed import WAD, surface
from tests.chain.helpers.stack import CROSS, SINGLE, STANDARD, deploy_stack

CAP = 10**30
USDC, WETH = 10**6, WAD


@pytest.fixture(scope="module")
def stack():
    found = deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)
    found.usdc = found.admin.deploy(LocalToken, "Mock USD Coin", "USDC", 6)
    found.weth = found.admin.deploy(LocalToken, "Mock Wrapped Ether", "WETH", 18)
    for token in (found.usdc, found.weth):
        found.vault.listToken(token, CAP, {"from": found.admin})
        found.vault.setOutflow(found.vault.tokenIdOf(token), 10**6, 24 * 10**6, {"from": found.admin})
    found.expiry = chain[-1].timestamp + 30 * 86_400
    found.price(1_900, surfaces=[surface(found.expiry)])
    return found


def funded(stack, owner, cash, weth=0, mode=SINGLE):
    account_id = stack.open(owner, 0, mode)
    for token, amount in ((stack.usdc, cash), (stack.weth, weth)):
        if amount:
            token.mint(owner, amount, {"from": owner})
            token.approve(stack.vault, amount, {"from": owner})
            stack.vault.deposit(account_id, token, amount, {"from": owner})
    return account_id


def exact(stack, account_id, token, owner, error="MarginEngine__BelowInitial"):
    """Check both sides of the amount and return it."""
    amount = stack.actions.maxWithdraw(account_id, token)
    with reverts_with(error):
        stack.vault.withdraw(account_id, token, amount + 1, owner, {"from": owner})
    if amount:
        stack.vault.withdraw(account_id, token, amount, owner, {"from": owner})
        assert stack.actions.maxWithdraw(account_id, token) == 0
    return amount


@pytest.mark.parametrize("mode", [SINGLE, STANDARD, CROSS])
@pytest.mark.parametrize("token", ["usdc", "weth"])
def test_max_withdraw__with_positions__to_the_unit(stack, trader, maker, mode, token):
    # In STANDARD the call that is bought offsets nothing.
    cash = 8_000 if mode == STANDARD else 5_000
    account_id = funded(stack, trader, cash * USDC + 1, 2 * WETH + 3, mode)
    other = funded(stack, maker, 1_000_000 * USDC)
    stack.trade(account_id, other, 20, 1_900)
    stack.trade(other, account_id, 8, 60, option(stack.expiry, 2_000))
    amount = exact(stack, account_id, getattr(stack, token), trader)
    assert amount > 0


def test_max_withdraw__collateral_that_hedges__to_the_unit(stack, trader, maker):
    """Ten WETH cover four short calls: taking some away raises the requirement as well."""
    account_id, other = funded(stack, trader, 1_000 * USDC, 10 * WETH), funded(stack, maker, 1_000_000 * USDC)
    stack.trade(other, account_id, 8, 60, option(stack.expiry, 2_000))
    assert 0 < exact(stack, account_id, stack.weth, trader) < 10 * WETH


def test_max_withdraw__no_positions__everything(stack, trader):
    account_id = funded(stack, trader, 500 * USDC + 1, WETH)
    assert exact(stack, account_id, stack.usdc, trader, "Accounts__InsufficientCash") == 500 * USDC + 1
    assert exact(stack, account_id, stack.weth, trader, "Accounts__InsufficientCollateral") == WETH


def test_max_withdraw__more_cash_than_the_vault_holds__what_it_holds(stack, trader):
    account_id = funded(stack, trader, 100 * USDC)
    stack.accounts.creditToken(account_id, 0, 10**9 * WAD, {"from": stack.admin})
    held = stack.vault.tokenOf(0)["heldRaw"]
    assert exact(stack, account_id, stack.usdc, trader, "Vault__Illiquid") == held


def test_max_withdraw__below_initial__nothing(stack, trader, maker):
    account_id, other = funded(stack, trader, 4_000 * USDC), funded(stack, maker, 100_000 * USDC)
    stack.trade(account_id, other, 10, 1_900)
    stack.price(1_850, surfaces=[surface(stack.expiry)])
    margin = stack.margin(account_id)
    assert margin.maintenance < margin.equity < margin.initial
    assert exact(stack, account_id, stack.usdc, trader) == 0


def test_max_withdraw__token_not_held_or_not_listed(stack, trader):
    account_id = funded(stack, trader, 100 * USDC)
    assert stack.actions.maxWithdraw(account_id, stack.weth) == 0
    with reverts_with("Vault__UnknownToken"):
        stack.actions.maxWithdraw(account_id, trader)


def test_max_withdraw__stale_with_positions__reverts_as_the_withdrawal(stack, trader, maker):
    account_id, other = funded(stack, trader, 9_000 * USDC), funded(stack, maker, 100_000 * USDC)
    stack.trade(account_id, other, 1, 1_900)
    chain.sleep(8 * 86_400)
    chain.mine()
    with reverts_with("Oracle__Stale"):
        stack.actions.maxWithdraw(account_id, stack.usdc)
    with reverts_with("Oracle__Stale"):
        stack.vault.withdraw(account_id, stack.usdc, 1, trader, {"from": trader})


def test_max_withdraw__paused__idle_cash_only(stack, trader, maker):
    idle, busy = funded(stack, trader, 100 * USDC, WETH), funded(stack, trader, 9_000 * USDC)
    stack.trade(busy, funded(stack, maker, 100_000 * USDC), 1, 1_900)
    stack.vault.pause({"from": stack.admin})
    assert stack.actions.maxWithdraw(idle, stack.usdc) == 100 * USDC
    assert stack.actions.maxWithdraw(idle, stack.weth) == 0
    assert stack.actions.maxWithdraw(busy, stack.usdc) == 0
    with reverts_with("Vault__OnlyIdleCash"):
        stack.vault.withdraw(busy, stack.usdc, 1, trader, {"from": trader})
    stack.vault.withdraw(idle, stack.usdc, 100 * USDC, trader, {"from": trader})
