"""LiquidityToken on Uniswap's own contracts: in and out to the wei, fees to whom they belong, and what is refused."""

from __future__ import annotations

import random

import brownie
import mpmath as mp
import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.published import MAX
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.uniswap import create_pool, deploy_liquidity, deploy_uniswap, tokens_in_order
from tests.python.oracle import fixed

PRICE, LOWER, UPPER = 1_900.0, 1_500.0, 2_400.0
#: A little over a hundred coins and as much cash; the token has 12 decimals.
AMOUNT = 40_000 * 10**12
INVALID = "0xfe"


@pytest.fixture(scope="module", params=[True, False], ids=["base first", "cash first"])
def pool(request, accounts, isolate_module):
    admin = accounts[0]
    base, cash = tokens_in_order(admin, 18, 6, base_first=request.param)
    return create_pool(deploy_uniswap(admin, base), base, cash, PRICE)


@pytest.fixture(scope="module")
def token(pool, accounts):
    made = deploy_liquidity(accounts[0], pool, pool.ends(LOWER, UPPER))
    for owner in accounts[1:4]:
        pool.fund(owner, made)
    return made


def held(pool, owner):
    return [pool.token(i).balanceOf(owner) for i in (0, 1)]


def position(pool, token):
    """Liquidity of the token's position in the pool, and what can be collected of it."""
    key = brownie.web3.solidity_keccak(
        ["address", "int24", "int24"], [token.address, token.tickLower(), token.tickUpper()]
    )
    liquidity, _, _, owed0, owed1 = pool.pool.positions(key)
    return liquidity, owed0, owed1


def earn(pool, by):
    """Let swaps go up and down and end where they began, which leaves fees with whoever provides."""
    for price in (PRICE * 1.02, PRICE * 0.98, PRICE):
        pool.push(by, price)


def test_constructor__states_what_it_is(pool, token):
    lower, upper = (mp.mpf(root) / 10**27 for root in token.rootsRay())
    assert (token.decimals(), token.pool()) == (12, pool.pool)
    # A spacing of 60 ticks is 0.6 % of a price.
    assert float(lower**2) == pytest.approx(LOWER, rel=4e-3)
    assert float(upper**2) == pytest.approx(UPPER, rel=4e-3)
    ends = (token.tickLower(), token.tickUpper())
    ticks = ends if pool.base_first else (-ends[1], -ends[0])
    assert list(token.rootsRay()) == [fixed.root_at_tick(tick, 12) for tick in ticks]


def test_mint_and_burn__every_wei(pool, token, accounts):
    owner, to = accounts[1], accounts[5]
    before = held(pool, owner)
    tx = token.mint(AMOUNT, owner, 2**255, 2**255, {"from": owner})
    paid = [a - b for a, b in zip(before, held(pool, owner), strict=True)]
    assert list(tx.return_value) == paid
    assert token.balanceOf(owner) == token.totalSupply() == position(pool, token)[0] == AMOUNT
    assert dict(tx.events["LiquidityMinted"]) == {
        "payer": owner, "to": owner, "liquidityRaw": AMOUNT, "amount0Raw": paid[0], "amount1Raw": paid[1],
    }  # fmt: skip
    out = token.burn(AMOUNT, to, 0, 0, {"from": owner})
    assert list(out.return_value) == held(pool, to)
    # The pool rounds down what goes out and up what comes in.
    assert all(0 <= a - b <= 1 for a, b in zip(paid, held(pool, to), strict=True))
    assert token.totalSupply() == 0
    assert position(pool, token) == (0, 0, 0)
    assert held(pool, token) == [0, 0]


@pytest.mark.parametrize("price", [1_000.0, LOWER, 1_600.0, PRICE, UPPER, 3_000.0])
def test_value__is_never_above_what_comes_out_at_the_true_price(pool, token, accounts, price):
    """Wherever the pool is pushed, what the tokens are worth at the true price is no less than what is counted."""
    owner, to = accounts[1], accounts[6]
    token.mint(AMOUNT, owner, 2**255, 2**255, {"from": owner})
    pool.push(accounts[2], price)
    token.burn(AMOUNT, to, 0, 0, {"from": owner})
    base, cash = pool.base.balanceOf(to) / 1e18, pool.cash.balanceOf(to) / 1e6
    rng = random.Random(7)
    for true in (price, PRICE, *(rng.uniform(900, 3_500) for _ in range(8))):
        counted = token.valuesAt(AMOUNT * 10**6, [int(true * WAD)])[2][0] / WAD
        # Two smallest units of both tokens; fees of the push come on top.
        assert base * true + cash >= counted - 4e-6
    counted = token.valuesAt(AMOUNT * 10**6, [int(price * WAD)])[2][0] / WAD
    assert base * price + cash == pytest.approx(counted, rel=1e-2)


def test_mint_from__moves_the_liquidity_of_a_position__and_leaves_its_fees(pool, token, accounts):
    owner, positions = accounts[1], pool.uniswap.positions
    place = pool.mint_position(owner, (token.tickLower(), token.tickUpper()), 100, 200_000)
    liquidity = positions.positions(place)[7]
    earn(pool, accounts[2])
    positions.approve(token, place, {"from": owner})
    before = held(pool, owner)
    moved = liquidity // 3
    tx = token.mintFrom(place, moved, owner, 2, 2, {"from": owner})
    paid = [a - b for a, b in zip(before, held(pool, owner), strict=True)]
    assert list(tx.return_value) == paid
    assert all(0 <= amount <= 1 for amount in paid)
    assert (token.balanceOf(owner), positions.ownerOf(place)) == (moved, owner)
    assert positions.positions(place)[7] == liquidity - moved
    assert held(pool, token) == [0, 0]
    # What it earned is still its own.
    assert all(owed > 0 for owed in positions.positions(place)[10:12])
    positions.collect((place, owner, MAX, MAX), {"from": owner})


def test_mint_from__not_the_owner_or_another_range__reverts(pool, token, accounts):
    owner, thief, positions = accounts[1], accounts[2], pool.uniswap.positions
    place = pool.mint_position(owner, (token.tickLower(), token.tickUpper()), 10, 20_000)
    other = pool.mint_position(owner, (token.tickLower(), token.tickUpper() + 60), 10, 20_000)
    for number in (place, other):
        positions.approve(token, number, {"from": owner})
    with reverts_with("LiquidityToken__NotThePosition", place, thief):
        token.mintFrom(place, 1_000, thief, 2**255, 2**255, {"from": thief})
    with reverts_with("LiquidityToken__NotThePosition", other, owner):
        token.mintFrom(other, 1_000, owner, 2**255, 2**255, {"from": owner})
    # Sold with the approval still open: it is the new owner's, and whoever had it has nothing to bring.
    positions.transferFrom(owner, thief, place, {"from": owner})
    with reverts_with("LiquidityToken__NotThePosition", place, owner):
        token.mintFrom(place, 1_000, owner, 2**255, 2**255, {"from": owner})
    with brownie.reverts("Not approved"):
        token.mintFrom(place, 1_000, thief, 2**255, 2**255, {"from": thief})
    with brownie.reverts("Invalid token ID"):
        token.mintFrom(10**6, 1_000, owner, 2**255, 2**255, {"from": owner})


def test_mint_from__forged_manager__takes_nothing_from_the_pot(pool, accounts):
    """It says that a position was emptied and pays nothing: the caller pays, and fees of others stay."""
    admin, owner, thief = accounts[0], accounts[1], accounts[2]
    project = brownie.project.get_loaded_projects()[0]
    forged = admin.deploy(project.ForgedPositions)
    ends = pool.ends(LOWER, UPPER)
    token = deploy_liquidity(admin, pool, ends, forged)
    for who in (owner, thief):
        pool.fund(who, token)
    token.mint(AMOUNT, owner, 2**255, 2**255, {"from": owner})
    earn(pool, accounts[3])
    forged.set(pool.pool, *ends, 10**18, thief, {"from": admin})
    plain = token.mint.call(AMOUNT, thief, 2**255, 2**255, {"from": thief})
    assert token.mintFrom(1, AMOUNT, thief, 2**255, 2**255, {"from": thief}).return_value == plain
    pot = held(pool, token)
    token.burn(AMOUNT, thief, 0, 0, {"from": thief})
    token.burn(AMOUNT, owner, 0, 0, {"from": owner})
    assert min(pot) > 0
    assert held(pool, token) == [0, 0]


def test_fees__belong_to_who_held_while_they_were_earned(pool, token, accounts):
    first, second, trader = accounts[1], accounts[2], accounts[3]
    token.mint(AMOUNT, first, 2**255, 2**255, {"from": first})
    earn(pool, trader)
    pool.push(trader, PRICE)
    spent = token.mint(3 * AMOUNT, second, 2**255, 2**255, {"from": second}).return_value
    pot = held(pool, token)
    assert min(pot) > 0
    # Who came later gets back what he brought, the share of the pot included, but for a unit of each.
    back = token.burn(3 * AMOUNT, second, 0, 0, {"from": second}).return_value
    assert all(0 <= a - b <= 3 for a, b in zip(spent, back, strict=True))
    # Three quarters of the pot were his.
    kept = held(pool, token)
    assert all(abs(4 * a - b) <= 8 for a, b in zip(kept, pot, strict=True))
    before = held(pool, first)
    token.burn(AMOUNT, first, 0, 0, {"from": first})
    gained = [a - b for a, b in zip(held(pool, first), before, strict=True)]
    assert held(pool, token) == [0, 0]
    assert position(pool, token) == (0, 0, 0)
    assert all(a > b for a, b in zip(gained, kept, strict=True))


def test_fees__follow_the_token_through_other_hands(pool, token, accounts):
    first, second = accounts[1], accounts[2]
    token.mint(AMOUNT, first, 2**255, 2**255, {"from": first})
    earn(pool, accounts[3])
    token.transfer(second, AMOUNT // 2, {"from": first})
    out = [token.burn(AMOUNT // 2, who, 0, 0, {"from": who}).return_value for who in (first, second)]
    assert all(abs(a - b) <= 2 for a, b in zip(*out, strict=True))


def test_donation__changes_no_worth_and_goes_to_holders(pool, token, accounts):
    owner, giver = accounts[1], accounts[2]
    token.mint(AMOUNT, owner, 2**255, 2**255, {"from": owner})
    before = token.valuesAt(WAD, [1_900 * WAD])
    for i in (0, 1):
        pool.token(i).transfer(token, 10**9, {"from": giver})
    assert token.valuesAt(WAD, [1_900 * WAD]) == before
    plain = [a + 10**9 for a in token.burn.call(AMOUNT // 2, owner, 0, 0, {"from": owner})]
    assert all(a >= 5 * 10**8 for a in plain)
    token.burn(AMOUNT, owner, 0, 0, {"from": owner})
    assert held(pool, token) == [0, 0]


def test_mint__first_of_all__tiny_and_a_donation__dilutes_nobody(pool, token, accounts):
    """One unit and a large gift: of shares whose rate can be pushed this takes the next one's deposit."""
    thief, victim = accounts[1], accounts[2]
    amount, most = 10**6, 10**15
    token.mint(1, thief, 2**255, 2**255, {"from": thief})
    pool.cash.transfer(token, 10**6, {"from": thief})
    pool.base.transfer(token, 10**18, {"from": thief})
    with reverts_with("LiquidityToken__AboveMaximum"):
        token.mint(amount, victim, most, most, {"from": victim})
    assert token.balanceOf(victim) == 0
    token.burn(1, thief, 0, 0, {"from": thief})
    token.mint(amount, victim, most, most, {"from": victim})
    assert token.balanceOf(victim) == amount


def test_limits__of_what_is_paid_and_what_comes_out(pool, token, accounts):
    owner = accounts[1]
    paid = token.mint.call(AMOUNT, owner, 2**255, 2**255, {"from": owner})
    for index in (0, 1):
        most = [2**255, 2**255]
        most[index] = paid[index] - 1
        with reverts_with("LiquidityToken__AboveMaximum", index, paid[index], paid[index] - 1):
            token.mint(AMOUNT, owner, *most, {"from": owner})
    token.mint(AMOUNT, owner, *paid, {"from": owner})
    out = token.burn.call(AMOUNT, owner, 0, 0, {"from": owner})
    for index in (0, 1):
        least = [0, 0]
        least[index] = out[index] + 1
        with reverts_with("LiquidityToken__BelowMinimum", index, out[index], out[index] + 1):
            token.burn(AMOUNT, owner, *least, {"from": owner})
    for to in (token, "0x" + 40 * "0"):
        with reverts_with("LiquidityToken__BadReceiver", to):
            token.burn(AMOUNT, to, 0, 0, {"from": owner})
    with reverts_with("ERC20InsufficientBalance"):
        token.burn(AMOUNT, owner, 0, 0, {"from": accounts[2]})
    token.burn(AMOUNT, owner, *out, {"from": owner})


def test_mint__nothing_or_more_than_a_pool_holds__reverts(pool, token, accounts):
    owner = accounts[1]
    with brownie.reverts():
        token.mint(0, owner, 2**255, 2**255, {"from": owner})
    with brownie.reverts():
        token.mint(2**128 - 1, owner, 2**255, 2**255, {"from": owner})


def test_callback__of_anybody_else__reverts(pool, token, accounts):
    data = "0x" + accounts[1].address[2:].rjust(64, "0") + 128 * "0"
    with reverts_with("LiquidityToken__NotPool", accounts[2], pool.pool):
        token.uniswapV3MintCallback(1, 1, data, {"from": accounts[2]})


def test_constructor__what_is_no_pool_or_range__reverts(pool, accounts):
    admin, ends = accounts[0], pool.ends(LOWER, UPPER)
    project = brownie.project.get_loaded_projects()[0]
    uniswap = pool.uniswap

    def make(factory=uniswap.factory, at=pool.pool, cash=pool.cash, ends=ends):
        return admin.deploy(project.LiquidityToken, "", "", (factory, at, uniswap.positions, cash, *ends))

    other = deploy_uniswap(admin, pool.base)
    with reverts_with("LiquidityToken__NotThePool", pool.pool, "0x" + 40 * "0"):
        make(factory=other.factory)
    forged = create_pool(other, pool.base, pool.cash, PRICE)
    with reverts_with("LiquidityToken__NotThePool", forged.pool, pool.pool):
        make(at=forged.pool)
    with reverts_with("LiquidityToken__NoCash", admin):
        make(cash=admin)
    with reverts_with("LiquidityToken__BadRange", ends[0] + 1, ends[1], 60):
        make(ends=(ends[0] + 1, ends[1]))
    with reverts_with("LiquidityRange__NotInOrder"):
        make(ends=ends[::-1])


def test_values_at__edges_and_what_no_pool_can_hold(pool, token):
    lower, upper = token.rootsRay()
    prices = [root * root // 10**36 for root in (lower, upper)]
    units, gamma, values = token.valuesAt(WAD, [prices[0] - 1, *prices, prices[1] + 1])
    assert units == fixed.liquidity_units(lower, upper, WAD, prices[0] - 1)
    assert gamma == 0
    assert list(values) == [
        fixed.liquidity_value(lower, upper, WAD, p) for p in (prices[0] - 1, *prices, prices[1] + 1)
    ]
    assert [int(value) for value in token.valuesAt(0, prices)[2]] == [0, 0]
    assert token.valuesAt(2**128 - 1, prices)[2][1] > 0
    with reverts_with("LiquidityRange__TooMuch", 2**128, 2**128 - 1):
        token.valuesAt(2**128, prices)
