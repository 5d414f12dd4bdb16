"""Liquidity of a real pool as token 2 of a stack, beside dollars and coins in the custody of the protocol."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.chain.helpers.signed import WAD
from tests.chain.helpers.uniswap import create_pool, deploy_liquidity, deploy_uniswap, tokens_in_order

LP = 2
USDC = 10**6
HAIRCUT, LINKED_HAIRCUT = 2 * 10**17, 5 * 10**16
STIPEND = 40_000
#: sqrt(2,400) - sqrt(1,500) is 10.26.
CEILING_E6 = 11 * 10**6
LOWER, UPPER = 1_500.0, 2_400.0
#: A linked token that is worth what its source says.
TERMS = (True, 1, HAIRCUT, LINKED_HAIRCUT, 0)


def deploy_bent(stack: Any, *, base_first: bool = True) -> SimpleNamespace:
    """List dollars, coins, and liquidity between 1,500 and 2,400."""
    admin = stack.admin
    base, dollars = tokens_in_order(admin, 18, 6, base_first=base_first)
    pool = create_pool(deploy_uniswap(admin, base), base, dollars, 1_900.0)
    token = deploy_liquidity(admin, pool, pool.ends(LOWER, UPPER))
    for listed in (dollars, base, token):
        stack.vault.listToken(listed, 10**30, {"from": admin})
        stack.vault.setOutflow(stack.vault.tokenIdOf(listed), 10**6, 24 * 10**6, {"from": admin})
    stack.book.setCollateral(LP, TERMS, {"from": admin})
    stack.sources.setSource(LP, (token, STIPEND, CEILING_E6), {"from": admin})
    return SimpleNamespace(pool=pool, token=token, dollars=dollars, base=base)


def bring_bent(stack: Any, bent: Any, owner: Any, dollars: int = 0, liquidity: int = 0, mode: int = 0) -> int:
    """Open an account with dollars, and liquidity in whole units of about ten dollars each."""
    account_id = stack.open(owner, 0, mode)
    if dollars:
        bent.dollars.mint(owner, dollars * USDC, {"from": owner})
        bent.dollars.approve(stack.vault, dollars * USDC, {"from": owner})
        stack.vault.deposit(account_id, bent.dollars, dollars * USDC, {"from": owner})
    if liquidity:
        raw = liquidity * 10**12
        bent.pool.fund(owner, bent.token, amount=10**7)
        bent.token.mint(raw, owner, 2**255, 2**255, {"from": owner})
        bent.token.approve(stack.vault, raw, {"from": owner})
        stack.vault.deposit(account_id, bent.token, raw, {"from": owner})
    return account_id


def worth(stack: Any, bent: Any, liquidity_wad: int, price: int) -> int:
    """What liquidity is worth at a whole price, wad."""
    return int(bent.token.valuesAt(liquidity_wad, [price * WAD])[2][0])
