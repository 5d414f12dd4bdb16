"""What an operator does with each role, and all that its role does not reach."""

from __future__ import annotations

import pytest
from brownie import accounts, chain, web3

from plimsoll.chain.client import Client
from plimsoll.index.reader import LogReader
from plimsoll.index.state import State, apply
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, perp, shown, snapshot, words
from tests.chain.helpers.operators import ALL_ROLES, ISOLATE, MODE, WITHDRAW, terms
from tests.chain.helpers.orders import PLAIN, sign_order
from tests.chain.helpers.signed import numbers
from tests.chain.helpers.untouched import refused

DAY = 86_400
LIMIT_RAW = 500


@pytest.fixture
def until():
    return chain[-1].timestamp + 10 * DAY


@pytest.fixture
def bot():
    return accounts.add()


@pytest.fixture
def approved(ledger, operators, vault, usdc, weth, trader, buyer):
    """The trader's account with tokens in the vault, and the approval that all roles need."""
    ledger.setApprovalForAll(operators, True, {"from": trader})
    for token in (usdc, weth):
        token.mint(trader, 10**6, {"from": trader})
        token.approve(vault, 10**6, {"from": trader})
        vault.deposit(buyer, token, 10**6, {"from": trader})


@pytest.fixture
def grant(approved, operators, bot, trader, buyer, until):
    def give(roles=ALL_ROLES, *allowances, to=None, life=None):
        chosen = allowances or ([(0, LIMIT_RAW)] if roles & WITHDRAW else [])
        given = terms(until if life is None else chain[-1].timestamp + life, roles, *chosen)
        operators.grant(buyer, to or bot, given, {"from": trader})

    return give


def next_midnight():
    chain.mine()
    chain.sleep(DAY - chain[-1].timestamp % DAY + 5)
    chain.mine()


@pytest.fixture
def calls(operators, usdc, bot, buyer):
    """One call of every role."""
    return {
        WITHDRAW: lambda: operators.withdraw(buyer, usdc, 1, {"from": bot}),
        MODE: lambda: operators.setMode(buyer, 1, {"from": bot}),
        ISOLATE: lambda: operators.isolate(buyer, perp(), 2, 0, 0, {"from": bot}),
    }


@pytest.fixture
def contracts(ledger, vault, operators, usdc, weth):
    return [ledger, vault, operators, usdc, weth]


def test_withdraw__goes_to_the_owner_up_to_the_days_limit(operators, usdc, grant, bot, trader, buyer, contracts):
    next_midnight()
    grant()
    held = usdc.balanceOf(trader)
    tx = operators.withdraw(buyer, usdc, 300, {"from": bot})
    assert tx.events["OperatorWithdrew"] == {
        "accountId": buyer,
        "operator": bot,
        "tokenId": 0,
        "amountRaw": 300,
        "usedRaw": 300,
    }
    assert tx.events["Withdrawn"]["to"] == trader
    assert (usdc.balanceOf(trader) - held, usdc.balanceOf(bot)) == (300, 0)
    with refused(contracts, "Operators__AboveAllowance", 201, 200):
        operators.withdraw(buyer, usdc, 201, {"from": bot})
    assert operators.withdraw(buyer, usdc, 200, {"from": bot}).events["OperatorWithdrew"]["usedRaw"] == 500
    assert numbers(operators.allowanceOf(buyer, bot, 0)) == [0, LIMIT_RAW]
    chain.sleep(DAY - 600)
    chain.mine()
    with refused(contracts, "Operators__AboveAllowance", 1, 0):
        operators.withdraw(buyer, usdc, 1, {"from": bot})
    next_midnight()
    assert numbers(operators.allowanceOf(buyer, bot, 0)) == [LIMIT_RAW, LIMIT_RAW]
    operators.withdraw(buyer, usdc, LIMIT_RAW, {"from": bot})


def test_withdraw__each_token_by_its_own_limit(operators, usdc, weth, wbtc, grant, bot, buyer):
    grant(WITHDRAW, (0, 10), (2, 20))
    operators.withdraw(buyer, usdc, 10, {"from": bot})
    operators.withdraw(buyer, weth, 20, {"from": bot})
    with reverts_with("Operators__AboveAllowance", 1, 0):
        operators.withdraw(buyer, weth, 1, {"from": bot})
    with reverts_with("Operators__AboveAllowance", 1, 0):
        operators.withdraw(buyer, wbtc, 1, {"from": bot})


def test_withdraw__two_operators__have_a_limit_each(operators, usdc, grant, bot, stranger, buyer):
    grant()
    grant(to=stranger)
    operators.withdraw(buyer, usdc, LIMIT_RAW, {"from": bot})
    operators.withdraw(buyer, usdc, LIMIT_RAW, {"from": stranger})


def test_withdraw__huge_or_zero_amount__reverts(operators, usdc, grant, bot, buyer, contracts):
    grant()
    with refused(contracts, "Operators__AboveAllowance", 2**256 - 1, LIMIT_RAW):
        operators.withdraw(buyer, usdc, 2**256 - 1, {"from": bot})
    with refused(contracts, "Vault__ZeroAmount", 0, 1):
        operators.withdraw(buyer, usdc, 0, {"from": bot})


def test_withdraw__too_little_margin__reverts_and_uses_nothing(operators, usdc, margin, grant, bot, buyer, contracts):
    grant()
    margin.setInitial(buyer, 9, {"from": bot})
    with refused(contracts, "MarginEngine__BelowInitial", 0, 9):
        operators.withdraw(buyer, usdc, 1, {"from": bot})
    assert numbers(operators.allowanceOf(buyer, bot, 0)) == [LIMIT_RAW, LIMIT_RAW]


def test_set_mode__operator__changes_it(ledger, operators, grant, bot, buyer):
    grant(MODE)
    tx = operators.setMode(buyer, 2, {"from": bot})
    assert tx.events["OperatorSetMode"] == {"accountId": buyer, "operator": bot, "mode": 2}
    assert snapshot(ledger, buyer)["mode"] == 2


def test_set_mode__too_little_margin__reverts(operators, margin, grant, bot, buyer, contracts):
    grant(MODE)
    margin.setInitial(buyer, 9, {"from": bot})
    with refused(contracts, "Accounts__Unhealthy", 0, 9):
        operators.setMode(buyer, 2, {"from": bot})


def test_isolate__operator__the_new_account_is_the_owners(ledger, operators, module, grant, bot, trader, buyer, seller):
    ledger.applyTrade((buyer, seller, perp(), WAD, WAD), {"from": module})
    grant()
    tx = operators.isolate(buyer, perp(), 2, 10**6, 7 * WAD, {"from": bot})
    new_id = tx.return_value
    assert tx.events["OperatorIsolated"] == {"accountId": buyer, "operator": bot, "newAccountId": new_id}
    assert ledger.ownerOf(new_id) == trader
    assert (words(ledger, buyer), words(ledger, new_id)) == ([], [perp(1, WAD)])
    assert (ledger.cashOf(new_id), snapshot(ledger, new_id)["amountsWad"]) == (7 * WAD, [10**6])
    # Roles stay with the account they were given for.
    with reverts_with("Operators__NotOperator", shown(bot), new_id):
        operators.setMode(new_id, 2, {"from": bot})


@pytest.mark.parametrize("role", [WITHDRAW, MODE, ISOLATE])
def test_any__role_missing__reverts_RoleMissing(grant, calls, contracts, role):
    others = ALL_ROLES & ~role
    grant(others)
    with refused(contracts, "Operators__RoleMissing", role, others):
        calls[role]()


@pytest.mark.parametrize("role", [WITHDRAW, MODE, ISOLATE])
def test_any__nobody_granted__reverts_NotOperator(approved, calls, contracts, bot, buyer, role):
    with refused(contracts, "Operators__NotOperator", shown(bot), buyer):
        calls[role]()


@pytest.mark.parametrize("role", [WITHDRAW, MODE, ISOLATE])
def test_any__out_of_date__reverts_Expired(ledger, module, grant, calls, contracts, buyer, seller, role):
    ledger.applyTrade((buyer, seller, perp(), WAD, WAD), {"from": module})
    grant(life=1_000)
    chain.sleep(900)
    calls[role]()
    grant(life=1_000)
    chain.sleep(1_100)
    chain.mine()
    with refused(contracts, "Operators__Expired"):
        calls[role]()


@pytest.mark.parametrize("role", [WITHDRAW, MODE, ISOLATE])
def test_any__approval_taken_back__reverts_NotApproved(ledger, operators, grant, calls, contracts, trader, buyer, role):
    grant()
    ledger.setApprovalForAll(operators, False, {"from": trader})
    with refused(contracts, "Operators__NotApproved", shown(operators), buyer):
        calls[role]()


@pytest.mark.parametrize("role", [WITHDRAW, MODE, ISOLATE])
def test_any__account_sold_and_bought_back__grant_is_void(
    ledger, operators, grant, calls, contracts, trader, maker, bot, buyer, role
):
    grant()
    ledger.transferFrom(trader, maker, buyer, {"from": trader})
    ledger.setApprovalForAll(operators, True, {"from": maker})
    for back in (False, True):
        if back:
            ledger.transferFrom(maker, trader, buyer, {"from": maker})
        with refused(contracts, "Operators__NotOperator", shown(bot), buyer):
            calls[role]()


def test_any__one_account_approved_alone__is_enough_and_only_there(
    ledger, operators, grant, calls, trader, bot, buyer, until
):
    grant(MODE)
    ledger.setApprovalForAll(operators, False, {"from": trader})
    ledger.approve(operators, buyer, {"from": trader})
    calls[MODE]()
    other = ledger.open(trader, 0, {"from": trader}).return_value
    operators.grant(other, bot, terms(until, MODE), {"from": trader})
    with reverts_with("Operators__NotApproved", shown(operators), other):
        operators.setMode(other, 1, {"from": bot})


def test_all_roles__reach_nothing_else(
    ledger, vault, exchange, delegation, operators, usdc, grant, bot, trader, stranger, buyer, seller, maker, until
):
    grant()
    sender = {"from": bot}
    with reverts_with("Vault__NotAuthorised", shown(bot), buyer):
        vault.withdraw(buyer, usdc, 1, bot, sender)
    with reverts_with("Vault__NotAuthorised", shown(bot), buyer):
        vault.borrow(buyer, 1, bot, sender)
    with reverts_with("Accounts__NotOwner", shown(bot), buyer):
        ledger.close(buyer, sender)
    with reverts_with("ERC721InsufficientApproval", shown(bot), buyer):
        ledger.transferFrom(trader, bot, buyer, sender)
    with reverts_with("Operators__NotOwner", shown(bot), buyer):
        operators.grant(buyer, stranger, terms(until, MODE), sender)
    with reverts_with("Delegation__NotOwner", shown(bot), buyer):
        delegation.grant(buyer, stranger, (until, 15, 0, [(1, 0, 0, 0)]), sender)
    # An order that the operator signs for itself, and one in the name of the contract that is approved.
    sell = (seller, perp(), False, WAD, WAD, 1, until, maker.address, *PLAIN)
    for signer, error in ((bot, "Delegation__NotDelegate"), (operators, "Exchange__BadSignature")):
        buy = (buyer, perp(), True, WAD, WAD, 1, until, signer.address, *PLAIN)
        signed = sign_order(exchange, bot, buy), sign_order(exchange, maker, sell)
        with reverts_with(error):
            exchange.settle(buy, signed[0], sell, signed[1], WAD, sender)


def test_replay__grants_uses_and_transfers__equal_the_contract(
    ledger, operators, usdc, grant, bot, stranger, trader, maker, buyer, seller, until
):
    gone = accounts.add()
    grant(ALL_ROLES, (0, 900), (1, 8))
    grant(ALL_ROLES, (0, 700), (2, 9))
    grant(MODE, to=gone)
    operators.revoke(buyer, gone, {"from": gone})
    operators.grant(seller, stranger, terms(until, MODE), {"from": maker})
    operators.withdraw(buyer, usdc, 300, {"from": bot})
    operators.withdraw(buyer, usdc, 150, {"from": bot})
    ledger.transferFrom(maker, stranger, seller, {"from": maker})

    client = Client(web3.provider.endpoint_uri)
    state = State()
    reader = LogReader(client, {"Accounts": ledger.address, "Operators": operators.address})
    for event in reader.read(0, len(chain) - 1):
        apply(state, event)
    ((account_id, operator),) = state.operators
    assert (account_id, operator.lower()) == (buyer, bot.address.lower())
    ((_, found),) = state.operators.items()
    assert numbers(operators.grantOf(buyer, bot))[2:] == [found.until_ts, found.roles]
    now = chain[-1].timestamp
    for token_id in range(3):
        left, most = numbers(operators.allowanceOf(buyer, bot, token_id))
        assert (found.left_of(token_id, now), found.allowances.get(token_id, 0)) == (left, most)
    assert found.left_of(0, now) == 250
    assert found.left_of(0, now + DAY) == 700
