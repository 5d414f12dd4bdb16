"""A loan at Morpho as token 2 of a stack, beside dollars and coins in the custody of the protocol."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.chain.helpers.morpho import create_market, deploy_position
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.uniswap import tokens_in_order

LOAN, WHOLE = 2, WAD
HAIRCUT, LINKED_HAIRCUT = 2 * 10**17, 2 * 10**16
STIPEND = 60_000
#: A million coins at ten times the price.
CEILING_E6 = 19_000 * 10**12
#: A linked token that is worth what its source says.
TERMS = (True, 1, HAIRCUT, LINKED_HAIRCUT, 0)
PRICE = 1_900


def deploy_lent(stack: Any, holder: Any, *, is_long: bool = True) -> SimpleNamespace:
    """List dollars, coins, and a position whose shares somebody holds."""
    admin = stack.admin
    base, dollars = tokens_in_order(admin, 18, 6, base_first=True)
    stack.vault.listToken(dollars, 10**30, {"from": admin})
    stack.vault.listToken(base, 10**30, {"from": admin})
    market = create_market(admin, base, dollars, PRICE, is_long=is_long)
    cap = 10**6 if is_long else 10**9
    token = deploy_position(market, stack, holder, cap)
    stack.vault.listToken(token, 10**30, {"from": admin})
    for listed in (dollars, base, token):
        stack.vault.setOutflow(stack.vault.tokenIdOf(listed), 10**6, 24 * 10**6, {"from": admin})
    stack.book.setCollateral(LOAN, TERMS, {"from": admin})
    stack.sources.setSource(LOAN, (token, STIPEND, CEILING_E6), {"from": admin})
    return SimpleNamespace(market=market, token=token, dollars=dollars, base=base, is_long=is_long)


def build_loan(lent: Any, owner: Any, units: int, cash: int) -> None:
    """Bring a loan of whole units of the base against whole units of cash about, in the owner's wallet."""
    market = lent.market
    held, owed = (units, cash) if lent.is_long else (cash, units)
    market.fund(owner, lent.token)
    market.add(owner, lent.token, held * 10 ** market.collateral.decimals())
    if owed:
        lent.token.take(0, 0, owed * 10 ** market.debt.decimals(), owner, {"from": owner})


def bring_dollars(stack: Any, lent: Any, owner: Any, dollars: int, mode: int = 0) -> int:
    """Open an account with dollars."""
    account_id = stack.open(owner, 0, mode)
    if dollars:
        raw = dollars * 10**6
        lent.dollars.mint(owner, raw, {"from": owner})
        lent.dollars.approve(stack.vault, raw, {"from": owner})
        stack.vault.deposit(account_id, lent.dollars, raw, {"from": owner})
    return account_id


def bring_lent(stack: Any, lent: Any, owner: Any, loan: tuple[int, int], dollars: int = 0, mode: int = 0) -> int:
    """Open an account with dollars and all shares of a loan, given as units of the base and of cash."""
    account_id = bring_dollars(stack, lent, owner, dollars, mode)
    build_loan(lent, owner, *loan)
    lent.token.approve(stack.vault, WHOLE, {"from": owner})
    stack.vault.deposit(account_id, lent.token, WHOLE, {"from": owner})
    return account_id
