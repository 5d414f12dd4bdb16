"""LiquidityToken over a token that calls back in the middle of a transfer, and over other decimals."""

from __future__ import annotations

import brownie
import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.uniswap import create_pool, deploy_liquidity, deploy_uniswap, tokens_in_order

AMOUNT = 1_000 * 10**18


@pytest.fixture(scope="module")
def pool(accounts, isolate_module):
    """A pool of dollars of 18 decimals and a coin that calls back."""
    admin, project = accounts[0], brownie.project.get_loaded_projects()[0]
    base = admin.deploy(project.ReenteringToken)
    cash = admin.deploy(project.LocalToken, "Mock Dollar", "DAI", 18)
    return create_pool(deploy_uniswap(admin, base), base, cash, 1_900.0)


@pytest.fixture(scope="module")
def token(pool, accounts):
    made = deploy_liquidity(accounts[0], pool, pool.ends(1_500.0, 2_400.0))
    pool.fund(accounts[1], made)
    made.mint(AMOUNT, accounts[1], 2**255, 2**255, {"from": accounts[1]})
    return made


def calls(token, owner):
    return [
        token.mint.encode_input(1, owner, 2**255, 2**255),
        token.burn.encode_input(1, owner, 0, 0),
        token.mintFrom.encode_input(1, 1, owner, 2**255, 2**255),
    ]


@pytest.mark.parametrize("number", range(3))
def test_reentered__every_call_reverts(pool, token, accounts, number):
    owner = accounts[1]
    pool.base.arm(token, calls(token, owner)[number], {"from": owner})
    with reverts_with("ReentrancyGuardReentrantCall"):
        token.mint(AMOUNT, owner, 2**255, 2**255, {"from": owner})
    # The pool swallows the reason of a failed transfer of its own.
    with brownie.reverts():
        token.burn(AMOUNT, owner, 0, 0, {"from": owner})
    assert token.balanceOf(owner) == AMOUNT


def test_worth__looked_at_in_the_middle__is_what_it_always_is(pool, token, accounts):
    """Nothing that happens while a call is under way changes what is read: there is nothing to read but the ends."""
    prices = [10**18 * p for p in (1_000, 1_500, 1_900, 2_400, 3_000)]
    before = token.valuesAt(10**18, prices)
    pool.base.arm(token, token.valuesAt.encode_input(10**18, prices), {"from": accounts[1]})
    token.mint(AMOUNT, accounts[1], 2**255, 2**255, {"from": accounts[1]})
    assert token.valuesAt(10**18, prices) == before


@pytest.mark.parametrize(("decimals", "own"), [((18, 18), 18), ((6, 6), 6), ((8, 6), 7)])
def test_decimals__are_half_of_both_together(accounts, decimals, own):
    admin = accounts[0]
    base, cash = tokens_in_order(admin, *decimals, base_first=True)
    pool = create_pool(deploy_uniswap(admin, base), base, cash, 1_900.0)
    token = deploy_liquidity(admin, pool, pool.ends(1_500.0, 2_400.0))
    pool.fund(accounts[1], token)
    paid = token.mint(10 * 10**own, accounts[1], 2**255, 2**255, {"from": accounts[1]}).return_value
    whole = {pool.token(i): amount / 10 ** pool.token(i).decimals() for i, amount in enumerate(paid)}
    counted = token.valuesAt(10**19, [1_900 * 10**18])[2][0] / 1e18
    assert token.decimals() == own
    assert whole[base] * 1_900 + whole[cash] == pytest.approx(counted, rel=1e-3)


def test_decimals__odd__reverts(accounts):
    admin = accounts[0]
    base, cash = tokens_in_order(admin, 9, 6, base_first=True)
    pool = create_pool(deploy_uniswap(admin, base), base, cash, 1_900.0)
    with reverts_with("LiquidityToken__OddDecimals", 9, 6):
        deploy_liquidity(admin, pool, pool.ends(1_500.0, 2_400.0))
