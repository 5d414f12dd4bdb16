"""MorphoPosition on Morpho's own contracts: what it is worth, who steers, and what goes out for a part of it."""

from __future__ import annotations

import random

import brownie
import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.lent import PRICE, WHOLE, build_loan, deploy_lent
from tests.chain.helpers.morpho import BUFFER, COST, LLTV, NOBODY, deploy_position
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import deploy_stack
from tests.chain.helpers.swift import undone
from tests.python.oracle import fixed

UNITS, CASH = 100, 120_000
DAY = 86_400
MAX = 2**256 - 1
INVALID, LOOP, SHORT, HUGE = "0xfe", "0x5b5f56", "0x601f5ff3", "0x5f195f5260205ff3"


@pytest.fixture(scope="module", params=[True, False], ids=["coins against cash", "cash against coins"])
def lent(request, accounts, chain, isolate_module):
    stack = deploy_stack(brownie.project.get_loaded_projects()[0], accounts[0], chain)
    found = deploy_lent(stack, accounts[1], is_long=request.param)
    found.stack, found.admin = stack, accounts[0]
    return found


@pytest.fixture(scope="module")
def loan(lent, accounts):
    """Half of the collateral is owed, or a little more."""
    build_loan(lent, accounts[1], UNITS, CASH if lent.is_long else 2 * CASH)
    lent.market.fund(accounts[2], lent.token)
    return lent


def worth(lent, price=PRICE, amount=WHOLE):
    return int(lent.token.valuesAt(amount, [int(price * WAD)])[2][0])


def amounts(token):
    """Collateral and debt, as plain numbers."""
    held, owed = token.amounts()
    return int(held), int(owed)


def sides(lent):
    """Units of the base and cash of the loan, wad."""
    held, owed = amounts(lent.token)
    held, owed = (a * 10 ** (18 - t.decimals()) for a, t in ((held, lent.market.collateral), (owed, lent.market.debt)))
    return (held, owed) if lent.is_long else (owed, held)


def reference(lent, price, reserve=0):
    """The loan by the integer reference, from what Morpho has booked."""
    units, cash = sides(lent)
    discount = 3 * 10**17 * (WAD - LLTV) // WAD
    incentive = min(115 * 10**16, WAD * WAD // (WAD - discount))
    threshold, seized = LLTV * (WAD - BUFFER) // WAD, -(-incentive * WAD // (WAD - BUFFER))
    return fixed.lending_value((lent.is_long, units, cash, threshold, seized, reserve), int(price * WAD))


def set_code(contract, code):
    brownie.web3.provider.make_request("anvil_setCode", [contract.address, code])


# --- what it is worth


def test_constructor__states_what_it_is(lent, accounts):
    token, market = lent.token, lent.market
    assert (token.totalSupply(), token.balanceOf(accounts[1]), token.decimals()) == (WHOLE, WHOLE, 18)
    assert tuple(token.venueOf()) == (market.morpho, "0x" + market.id.hex())
    assert (token.collateralToken(), token.loanToken()) == (market.collateral, market.debt)
    cap = 10**24 if lent.is_long else 10**15
    assert tuple(token.termsOf()) == (market.cash, BUFFER, COST, cap)


@pytest.mark.parametrize("price", [0.001, 900, 1_370, 1_423, 1_424, 1_900, 2_022, 2_023, 2_200, 100_000])
def test_values__at_the_spot__are_the_reference(loan, price):
    assert worth(loan, price) == reference(loan, price)


def test_values__at_other_prices__less_what_unwinding_takes(loan):
    units, _ = sides(loan)
    prices = [PRICE, 1_000, 1_200, 1_350, 1_600, 1_900, 2_000, 2_050, 2_300, 3_000]
    stated = loan.token.valuesAt(WHOLE, [price * WAD for price in prices])
    reserve = -(-units * PRICE * COST // WAD)
    assert stated[0] == (units if loan.is_long else -units)
    assert stated[1] == 0
    plain = [reference(loan, price, reserve) for price in prices]
    fell = [price for price, a, b in zip(prices[1:], plain[1:], stated[2][1:], strict=True) if a != b]
    # The venue may begin to take at 1,424 and at 2,023, and nothing is left at 1,297 and at 2,235.
    assert fell == ([1_350, 1_600] if loan.is_long else [2_000, 2_050])
    assert stated[2][prices.index(fell[0 if loan.is_long else 1])] == 0
    assert stated[2][0] == reference(loan, PRICE)


def test_values__a_share__in_proportion(loan):
    rng = random.Random(3)
    whole = loan.token.valuesAt(WHOLE, [PRICE * WAD, 2_000 * WAD])
    for amount in (0, 1, WAD // 3, rng.randrange(WAD), WAD):
        units, gamma, values = loan.token.valuesAt(amount, [PRICE * WAD, 2_000 * WAD])
        found, wanted = [abs(int(units)), *map(int, values)], [abs(int(whole[0])), *map(int, whole[2])]
        # Each side of the loan is rounded against the share, and each value after it.
        assert found == pytest.approx([v * amount // WAD for v in wanted], abs=2 * PRICE)
        assert all(a <= v * amount // WAD + 5 for a, v in zip(found[1:], wanted[1:], strict=True))
        assert gamma == 0


def test_values__nothing_left__no_units_and_no_less_to_gain(loan):
    price, back = (1_000, 2_500) if loan.is_long else (3_000, 1_200)
    units, _, values = loan.token.valuesAt(WHOLE, [price * WAD, back * WAD])
    reserve = -(-sides(loan)[0] * price * COST // WAD)
    assert (units, *values) == (0, 0, reference(loan, back, reserve))


@pytest.mark.parametrize("seconds", [1, 3_600, 400 * DAY])
def test_amounts__interest__to_the_unit_as_morpho_books_it(loan, accounts, seconds):
    """Nobody has updated the market since; then somebody does, in the same second."""
    chain = loan.stack.chain
    before = amounts(loan.token)
    chain.sleep(seconds)
    chain.mine()
    seen = amounts(loan.token)
    assert seen[0] == before[0]
    assert seen[1] > before[1]
    now = chain[-1].timestamp
    brownie.web3.provider.make_request("evm_setNextBlockTimestamp", [now + 10])
    loan.market.morpho.accrueInterest(loan.market.params, {"from": accounts[2]})
    assert amounts(loan.token) == loan.market.booked(loan.token)
    # What was read before is the same formula at its own second.
    assert before[1] < seen[1] < amounts(loan.token)[1]


def test_amounts__market_without_a_model__no_interest(lent, accounts):
    market = lent.market
    params = (market.debt, market.collateral, market.oracle, NOBODY, LLTV)
    market.morpho.enableIrm(NOBODY, {"from": lent.admin})
    market.morpho.createMarket(params, {"from": lent.admin})
    words = [getattr(word, "address", word) for word in params]
    other = type(market)(**(vars(market) | {"irm": NOBODY}))
    other.id = brownie.web3.keccak(
        brownie.web3.codec.encode(["address", "address", "address", "address", "uint256"], words)
    )
    other.fund(lent.admin)
    other.lend(lent.admin, 10**6)
    token = deploy_position(other, lent.stack, accounts[1])
    found = type(lent)(**(vars(lent) | {"market": other, "token": token}))
    build_loan(found, accounts[1], 100, 100_000 if lent.is_long else 300_000)
    before = amounts(token)
    lent.stack.chain.sleep(DAY)
    lent.stack.chain.mine()
    assert amounts(token) == before == other.booked(token)


@pytest.mark.parametrize("code", ["0x", INVALID, LOOP, SHORT, HUGE], ids=["none", "invalid", "loop", "short", "huge"])
def test_values__hostile_model__no_answer(loan, code):
    loan.stack.chain.sleep(10)
    loan.stack.chain.mine()
    set_code(loan.market.irm, code)
    request = {"to": loan.token.address, "data": loan.token.valuesAt.encode_input(WHOLE, [PRICE * WAD])}
    answer = brownie.web3.provider.make_request("eth_call", [request | {"gas": hex(100_000)}, "latest"])
    assert "error" in answer


def test_values__gift_of_collateral__counts_up_to_the_cap(loan, accounts):
    before, giver = worth(loan), accounts[2]
    step = 10 * 10**18 if loan.is_long else 10_000 * 10**6
    loan.market.add(giver, loan.token, step)
    gained = worth(loan) - before
    # The chain went on by some seconds of interest.
    assert gained == pytest.approx(10 * PRICE * WAD if loan.is_long else 10_000 * WAD, rel=1e-4)
    cap = loan.token.termsOf()[3]
    loan.market.collateral.mint(giver, 2 * cap, {"from": giver})
    loan.market.add(giver, loan.token, 2 * cap)
    units, cash = sides(loan)
    most = cap * PRICE - cash if loan.is_long else cap * 10**12 - units * PRICE
    assert worth(loan) == most


def test_values__lent_or_sent_on_its_behalf__count_nothing(loan, accounts):
    giver, market = accounts[2], loan.market
    market.morpho.accrueInterest(market.params, {"from": giver})
    before = sides(loan)
    raw = 10 ** market.debt.decimals()
    market.morpho.supply(market.params, raw, 0, loan.token, b"", {"from": giver})
    for token in (market.base, market.cash):
        token.transfer(loan.token, 10 ** token.decimals(), {"from": giver})
    held, owed = (0, 1) if loan.is_long else (1, 0)
    after = sides(loan)
    # What is owed grows by a second's interest, and nothing is taken off it.
    assert after[held] == before[held]
    assert before[owed] <= after[owed] < before[owed] * (1 + 1e-6)


# --- the venue's liquidations

#: Prices of the venue at which it may liquidate, some of the collateral or more than there is.
TAKEN = {True: (1_390, 1_350, 1_300), False: (2_070, 2_150, 2_190)}
LOST = {True: 1_200, False: 2_400}
#: Interest of the seconds that go by in a test.
SECONDS = 10**17


def better(lent, price):
    """Our price where the venue's is worse by the whole buffer."""
    return price * WAD / (WAD - BUFFER) if lent.is_long else price * (WAD - BUFFER) / WAD


@pytest.mark.parametrize("part", [1, 3])
def test_liquidated__at_a_price_worse_by_the_buffer__is_worth_what_was_counted(loan, accounts, part):
    for venue in TAKEN[loan.is_long]:
        with undone():
            loan.market.price(venue)
            ours = better(loan, venue)
            counted = worth(loan, ours)
            _, shares, _ = loan.market.morpho.position(loan.market.id, loan.token)
            loan.market.liquidate(accounts[2], loan.token, shares // part)
            left = worth(loan, ours)
            assert left >= counted - SECONDS
            if part == 1:
                assert left == pytest.approx(counted, abs=SECONDS)
                assert amounts(loan.token)[1] <= 1
            # At a price of the venue that is ours, it is worth more.
            assert counted < worth(loan, venue) + abs(ours - venue) * UNITS * WAD


def test_liquidated__bad_debt__nothing_is_left_and_nothing_owed(loan, accounts):
    price = LOST[loan.is_long]
    loan.market.price(price)
    assert worth(loan, price) == 0
    loan.market.liquidate(accounts[2], loan.token)
    assert amounts(loan.token) == (0, 0)
    units, _, values = loan.token.valuesAt(WHOLE, [PRICE * WAD, 2_000 * WAD])
    assert (units, *values) == (0, 0, 0)
    # Whoever holds it may begin again.
    build_loan(loan, accounts[1], UNITS, CASH // 4 if loan.is_long else 8 * CASH)
    loan.market.price(PRICE)
    assert worth(loan) > 0


def test_lenders__all_is_borrowed__collateral_comes_out(loan, accounts):
    """Collateral is not lent: that nothing is left to borrow keeps nobody's collateral in."""
    owner, other, market = accounts[1], accounts[3], loan.market
    sums = market.morpho.market(market.id)
    free = sums[0] - sums[2]
    market.fund(other)
    market.collateral.mint(other, 2**100, {"from": other})
    market.morpho.supplyCollateral(market.params, 2**100, other, b"", {"from": other})
    market.morpho.borrow(market.params, free, 0, other, other, {"from": other})
    with brownie.reverts("insufficient liquidity"):
        loan.token.take(0, 0, 1, owner, {"from": owner})
    held = amounts(loan.token)[0]
    loan.token.take(0, held // 100, 0, owner, {"from": owner})
    loan.token.redeem(WAD // 10, owner, MAX, {"from": owner})
    assert amounts(loan.token)[0] == pytest.approx(held * 99 // 100 * 9 // 10, abs=2)


# --- who steers


def test_take__holder_of_all__both_sides(loan, accounts):
    owner, to, market = accounts[1], accounts[5], loan.market
    held, owed = amounts(loan.token)
    tx = loan.token.take(0, held // 50, owed // 50, to, {"from": owner})
    assert dict(tx.events["CollateralTaken"]) == {
        "caller": owner, "accountId": 0, "to": to, "collateralRaw": held // 50, "debtRaw": owed // 50,
    }  # fmt: skip
    assert (market.collateral.balanceOf(to), market.debt.balanceOf(to)) == (held // 50, owed // 50)
    assert amounts(loan.token)[0] == held - held // 50


def test_take__beyond_the_venue__reverts(loan, accounts):
    with brownie.reverts("insufficient collateral"):
        loan.token.take(0, amounts(loan.token)[0] // 2, 0, accounts[1], {"from": accounts[1]})


def test_take__anybody_else_or_nothing__reverts(loan, accounts):
    owner, thief, token = accounts[1], accounts[4], loan.token
    with reverts_with("LendingPosition__NotWhole", 0, WHOLE):
        token.take(0, 1, 0, thief, {"from": thief})
    with reverts_with("LendingPosition__ZeroAmount", 0, 1):
        token.take(0, 0, 0, owner, {"from": owner})
    for to in (NOBODY, token):
        with reverts_with("LendingPosition__BadReceiver", to):
            token.take(0, 1, 0, to, {"from": owner})
        with reverts_with("LendingPosition__BadReceiver", to):
            token.redeem(1, to, MAX, {"from": owner})
    token.transfer(thief, 1, {"from": owner})
    for caller, has in ((owner, WHOLE - 1), (thief, 1)):
        with reverts_with("LendingPosition__NotWhole", has, WHOLE):
            token.take(0, 1, 0, caller, {"from": caller})
    with reverts_with("LendingPosition__ZeroAmount", 0, 1):
        token.redeem(0, owner, MAX, {"from": owner})


# --- what goes out for a part of it


def test_redeem__a_part__repays_and_takes_its_part_and_others_lose_nothing(loan, accounts):
    owner, other, to, token, market = accounts[1], accounts[2], accounts[6], loan.token, loan.market
    token.transfer(other, WHOLE // 3, {"from": owner})
    (held, _), before = amounts(token), worth(loan, amount=WHOLE - WHOLE // 3)
    has = market.debt.balanceOf(other)
    tx = token.redeem(WHOLE // 3, to, MAX, {"from": other})
    collateral, debt = tx.return_value
    assert (market.collateral.balanceOf(to), has - market.debt.balanceOf(other)) == (collateral, debt)
    assert collateral == held * (WHOLE // 3) // WHOLE
    assert dict(tx.events["PositionRedeemed"]) == {
        "holder": other, "to": to, "sharesWad": WHOLE // 3, "collateralRaw": collateral, "debtRaw": debt,
    }  # fmt: skip
    assert token.totalSupply() == WHOLE - WHOLE // 3
    # All there is belongs to who stayed, who has what he had but for seconds of interest.
    assert worth(loan, amount=token.totalSupply()) == pytest.approx(before, abs=SECONDS)
    assert market.debt.balanceOf(token) == market.debt.allowance(token, market.morpho) == 0


def test_redeem__many_parts__never_cost_who_stays(loan, accounts):
    owner, other, token = accounts[1], accounts[2], loan.token
    token.transfer(other, WHOLE // 2, {"from": owner})
    rng = random.Random(8)
    for _ in range(12):
        (held, owed), supply = amounts(token), token.totalSupply()
        shares = rng.choice([1, 7, rng.randrange(1, WHOLE // 30)])
        token.redeem(shares, other, MAX, {"from": other})
        now_held, now_owed = amounts(token)
        left = token.totalSupply()
        assert left == supply - shares
        assert now_held * supply >= held * left
        # One unit, and the interest of a second or two.
        assert now_owed * supply <= (owed + owed // 10**7 + 1) * left + supply


def test_redeem__all__leaves_nothing(loan, accounts):
    owner, token = accounts[1], loan.token
    token.redeem(WHOLE, owner, MAX, {"from": owner})
    assert amounts(token) == (0, 0)
    assert token.totalSupply() == 0
    with brownie.reverts():
        token.valuesAt(1, [WAD])


def test_redeem__more_than_allowed__reverts(loan, accounts):
    owner, token = accounts[1], loan.token
    debt = token.redeem.call(WHOLE // 7, owner, MAX, {"from": owner})[1]
    with reverts_with("LendingPosition__AboveMaximum"):
        token.redeem(WHOLE // 7, owner, debt - 1, {"from": owner})
    with reverts_with("ERC20InsufficientBalance", accounts[4], 0, 1):
        loan.market.fund(accounts[4], token)
        token.redeem(1, owner, MAX, {"from": accounts[4]})


def test_redeem__unsafe_at_the_venue__only_all_of_it(loan, accounts):
    """Morpho lets nothing out of a loan that it may liquidate, but everything once nothing is owed."""
    owner, token = accounts[1], loan.token
    loan.market.price(TAKEN[loan.is_long][0])
    with brownie.reverts("insufficient collateral"):
        token.redeem(WHOLE // 2, owner, MAX, {"from": owner})
    with undone():
        loan.market.repay(accounts[2], token, amounts(token)[1] // 5)
        token.redeem(WHOLE // 2, owner, MAX, {"from": owner})
    token.redeem(WHOLE, owner, MAX, {"from": owner})
    assert amounts(token) == (0, 0)


# --- what is refused


@pytest.mark.parametrize(
    ("terms", "cap", "name", "observed", "limit"),
    [
        ((5 * 10**17 + 1, 0), 1, "bufferWad", 5 * 10**17 + 1, 5 * 10**17),
        ((0, 5 * 10**17 + 1), 1, "costWad", 5 * 10**17 + 1, 5 * 10**17),
        ((0, 0), 0, "capRaw", 0, 1),
    ],
)
def test_constructor__bad_terms__reverts(lent, accounts, terms, cap, name, observed, limit):
    named = name.encode().ljust(32, b"\0")
    with reverts_with("LendingPosition__BadTerms", named, observed, limit):
        deploy_position(lent.market, lent.stack, accounts[1], cap, terms=terms)


def test_constructor__no_market_or_no_cash__reverts(lent, accounts):
    market = lent.market
    unknown = type(market)(**(vars(market) | {"id": b"\1" * 32}))
    with reverts_with("LendingPosition__UnknownMarket", unknown.id):
        deploy_position(unknown, lent.stack, accounts[1])
    foreign = type(market)(**(vars(market) | {"cash": lent.admin.deploy(lent.stack.project.LocalToken, "D", "D", 6)}))
    with reverts_with("LendingPosition__NoCash", foreign.cash):
        deploy_position(foreign, lent.stack, accounts[1])
