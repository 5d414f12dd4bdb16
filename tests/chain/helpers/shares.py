"""A real ERC-4626 vault whose shares are the linked token of a stack, as collateral that can be slashed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from brownie import web3

from tests.chain.helpers.signed import WAD

ERC4626 = 1
GAP, FALL_GAP = 3_600, 24
RISE, FALL = 10**16, 3 * 10**17
TOKEN = 1
USDC = 10**6
#: Assets and shares of the vault at the start.
HELD = 1_000


def deploy_shares(stack: Any) -> SimpleNamespace:
    """Let the shares of a vault of OpenZeppelin's be token 1, at a rate of 1, and dollars token 0."""
    admin, project = stack.admin, stack.project
    asset = admin.deploy(project.LocalToken, "Mock Ether", "ETH", 18)
    vault = admin.deploy(project.LossyVault, asset)
    asset.mint(admin, 10**6 * WAD, {"from": admin})
    asset.approve(vault, 2**255, {"from": admin})
    vault.deposit(HELD * WAD, admin, {"from": admin})
    dollars = admin.deploy(project.LocalToken, "Mock USD Coin", "USDC", 6)
    for token in (dollars, vault):
        stack.vault.listToken(token, 10**30, {"from": admin})
        stack.vault.setOutflow(stack.vault.tokenIdOf(token), 10**6, 24 * 10**6, {"from": admin})
    stack.rates.setSource(TOKEN, (vault, ERC4626, GAP, FALL_GAP, RISE, FALL), {"from": admin})
    return SimpleNamespace(asset=asset, vault=vault, dollars=dollars, dropper=admin.deploy(project.RateDropper))


def bring(stack: Any, shares: Any, owner: Any, dollars: int = 0, tokens: int = 0, mode: int = 0) -> int:
    """Open an account with dollars and shares, all in the custody of the protocol."""
    account_id = stack.open(owner, 0, mode)
    if dollars:
        shares.dollars.mint(owner, dollars * USDC, {"from": owner})
        shares.dollars.approve(stack.vault, dollars * USDC, {"from": owner})
        stack.vault.deposit(account_id, shares.dollars, dollars * USDC, {"from": owner})
    if tokens:
        shares.asset.mint(owner, tokens * WAD, {"from": owner})
        shares.asset.approve(shares.vault, tokens * WAD, {"from": owner})
        shares.vault.mint(tokens * WAD, owner, {"from": owner})
        shares.vault.approve(stack.vault, tokens * WAD, {"from": owner})
        stack.vault.deposit(account_id, shares.vault, tokens * WAD, {"from": owner})
    return account_id


def slash(stack: Any, shares: Any, percent: int) -> None:
    """Take a part of the vault's assets away for good."""
    shares.vault.slash(shares.vault.totalAssets() * percent // 100, {"from": stack.admin})


def settle_fall(stack: Any, by: Any) -> int:
    """Observe a fall in two blocks, the short gap apart; return the ratio that the book has then."""
    stack.rates.update(TOKEN, {"from": by})
    stack.chain.sleep(FALL_GAP)
    stack.rates.update(TOKEN, {"from": by})
    return int(stack.book.collateralOf(TOKEN)[4])


def set_code(stack: Any, shares: Any, code: str) -> None:
    """Put other code where the vault is."""
    web3.provider.make_request("anvil_setCode", [shares.vault.address, code])
