"""The bucket of a token: what may leave at once, how it refills, and the door beside it for what was brought."""

import pytest
from brownie import chain

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, perp

RAW = 10**6
HELD = 100_000 * RAW
#: A tenth at once, a quarter a day.
LEVEL, DAILY = HELD // 10, HELD // 4


@pytest.fixture
def winner(vault, ledger, usdc, module, maker, trader):
    """The trader has 60,000 that somebody else brought: won, or taken by a false price."""
    usdc.mint(maker, HELD, {"from": maker})
    usdc.approve(vault, 2**256 - 1, {"from": maker})
    lender = vault.openAndDeposit(0, usdc, HELD, {"from": maker}).return_value
    account_id = ledger.open(trader, 0, {"from": trader}).return_value
    ledger.moveCash(lender, account_id, 60_000 * WAD, {"from": module})
    return account_id


def level(vault):
    return vault.outflowOf(0)[0]


def test_outflow__a_gain__leaves_through_the_bucket(vault, usdc, winner, trader):
    assert tuple(vault.outflowOf(0)) == (LEVEL, 100_000, 250_000)
    with reverts_with("Vault__AboveOutflow", LEVEL + 1, LEVEL):
        vault.withdraw(winner, usdc, LEVEL + 1, trader, {"from": trader})
    assert vault.limitOf(winner, 0) == LEVEL
    vault.withdraw(winner, usdc, LEVEL, trader, {"from": trader})
    assert level(vault) < DAILY // 86_400 * 3


def test_outflow__time__refills_up_to_the_share(vault, usdc, winner, trader):
    """What a captured quorum takes in the first hour: a tenth and a 96th of what is left."""
    vault.withdraw(winner, usdc, LEVEL, trader, {"from": trader})
    chain.sleep(3_600)
    chain.mine()
    left = HELD - LEVEL
    assert abs(level(vault) - left // 96) < 10 * RAW
    chain.sleep(86_400)
    chain.mine()
    assert level(vault) == left // 10


def test_outflow__what_an_idle_account_brought__passes_beside_it(vault, usdc, ledger, module, maker, winner, trader):
    lender = winner - 1
    vault.withdraw(winner, usdc, LEVEL, trader, {"from": trader})
    assert vault.broughtOf(lender, 0) == HELD
    before = level(vault)
    vault.withdraw(lender, usdc, 40_000 * RAW, maker, {"from": maker})
    assert level(vault) >= min(before, (HELD - LEVEL - 40_000 * RAW) // 10)
    assert vault.broughtOf(lender, 0) == HELD - 40_000 * RAW


def test_outflow__brought_and_with_positions__goes_through_the_bucket(
    vault, usdc, ledger, module, maker, winner, seller
):
    lender = winner - 1
    ledger.applyTrade((lender, seller, perp(), WAD, WAD), {"from": module})
    with reverts_with("Vault__AboveOutflow", 40_000 * RAW, LEVEL):
        vault.withdraw(lender, usdc, 40_000 * RAW, maker, {"from": maker})


def test_outflow__coming_and_going__empties_no_bucket(vault, usdc, winner, stranger):
    """Else anybody with a tenth of the vault could keep everybody inside."""
    usdc.mint(stranger, HELD, {"from": stranger})
    usdc.approve(vault, 2**256 - 1, {"from": stranger})
    account_id = vault.openAndDeposit(0, usdc, HELD, {"from": stranger}).return_value
    vault.withdraw(account_id, usdc, HELD, stranger, {"from": stranger})
    for _ in range(3):
        vault.deposit(account_id, usdc, HELD, {"from": stranger})
        vault.withdraw(account_id, usdc, HELD, stranger, {"from": stranger})
    assert level(vault) == LEVEL


def test_outflow__a_deposit__does_not_fill_the_bucket_at_once(vault, usdc, winner, trader, stranger):
    vault.withdraw(winner, usdc, LEVEL, trader, {"from": trader})
    usdc.mint(stranger, 10 * HELD, {"from": stranger})
    usdc.approve(vault, 2**256 - 1, {"from": stranger})
    vault.openAndDeposit(0, usdc, 9 * HELD, {"from": stranger})
    assert level(vault) < 100 * RAW


def test_outflow__a_loan__goes_through_the_bucket(vault, ledger, winner, trader, stranger):
    account_id = ledger.open(stranger, 0, {"from": stranger}).return_value
    with reverts_with("Vault__AboveOutflow", LEVEL + 1, LEVEL):
        vault.borrow(account_id, LEVEL + 1, stranger, {"from": stranger})
    vault.borrow(account_id, LEVEL, stranger, {"from": stranger})


def test_outflow__never_used__is_full_however_much_comes(vault, usdc, maker):
    usdc.mint(maker, HELD, {"from": maker})
    usdc.approve(vault, HELD, {"from": maker})
    account_id = vault.openAndDeposit(0, usdc, HELD // 10, {"from": maker}).return_value
    vault.deposit(account_id, usdc, HELD - HELD // 10, {"from": maker})
    assert level(vault) == LEVEL


@pytest.mark.parametrize(
    ("terms", "limit"),
    [
        ((9_999, 250_000), 10**6),
        ((10**6 + 1, 250_000), 10**6),
        ((10**5, 9_999), 24 * 10**6),
        ((10**5, 24_000_001), 24 * 10**6),
    ],
)
def test_set_outflow__outside__reverts_BadOutflow(vault, governor, terms, limit):
    observed = terms[0] if limit == 10**6 else terms[1]
    with reverts_with("Vault__BadOutflow", observed, limit):
        vault.setOutflow(0, *terms, {"from": governor})


def test_set_outflow__later__counts_the_past_by_the_old_terms(vault, usdc, governor, winner, trader):
    vault.withdraw(winner, usdc, LEVEL, trader, {"from": trader})
    tx = vault.setOutflow(0, 10**6, 24 * 10**6, {"from": governor})
    assert tx.events["OutflowSet"] == {"tokenId": 0, "shareE6": 10**6, "dailyE6": 24 * 10**6}
    assert level(vault) < 100 * RAW
    with reverts_with("Vault__UnknownTokenId", 3, 3):
        vault.setOutflow(3, 10**6, 10**6, {"from": governor})
