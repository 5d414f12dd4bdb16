"""The queue behind the bucket: in order, in parts, and nobody in it can stop the others."""

from contextlib import suppress

import pytest
from brownie import chain
from brownie.exceptions import VirtualMachineError

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, shown
from tests.chain.helpers.swift import undone

RAW = 10**6
HELD = 100_000 * RAW
LEVEL = HELD // 10


@pytest.fixture
def pair(vault, ledger, usdc, module, maker, trader, stranger):
    """Two accounts with 30,000 each that somebody else brought."""
    usdc.mint(maker, HELD, {"from": maker})
    usdc.approve(vault, 2**256 - 1, {"from": maker})
    lender = vault.openAndDeposit(0, usdc, HELD, {"from": maker}).return_value
    ids = [ledger.open(owner, 0, {"from": owner}).return_value for owner in (trader, stranger)]
    for account_id in ids:
        ledger.moveCash(lender, account_id, 30_000 * WAD, {"from": module})
    return ids


def request(vault, usdc, account_id, owner, amount=30_000 * RAW):
    return vault.requestWithdrawal(account_id, usdc, amount, owner, {"from": owner})


def pay(vault, usdc, by, count=10):
    return vault.payRequests(usdc, count, {"from": by})


def test_queue__larger_than_the_bucket__is_paid_in_parts_and_in_order(
    vault, usdc, ledger, pair, trader, stranger, maker
):
    first, second = pair
    tx = request(vault, usdc, first, trader)
    event = tx.events["WithdrawalRequested"]
    assert (event["tokenId"], event["requestId"], event["accountId"], event["amountRaw"]) == (0, 0, first, 30_000 * RAW)
    request(vault, usdc, second, stranger)
    assert tuple(vault.queueOf(0)) == (0, 2)
    # It keeps a place, not the cash.
    assert ledger.cashOf(first) == 30_000 * WAD
    pay(vault, usdc, maker)
    assert usdc.balanceOf(trader) == LEVEL
    assert (tuple(vault.queueOf(0)), usdc.balanceOf(stranger)) == ((0, 2), 0)
    for _ in range(6):
        chain.sleep(86_400)
        pay(vault, usdc, maker)
        # Nobody gets anything before the one who came first has all.
        assert usdc.balanceOf(trader) == 30_000 * RAW or usdc.balanceOf(stranger) == 0
    assert usdc.balanceOf(trader) == 30_000 * RAW
    assert 20_000 * RAW < usdc.balanceOf(stranger) <= 30_000 * RAW


def test_queue__somebody_waits__nobody_passes_but_with_small_change(vault, usdc, pair, trader, stranger):
    first, second = pair
    request(vault, usdc, first, trader)
    with reverts_with("Vault__AboveOutflow", RAW + 1, 0):
        vault.withdraw(second, usdc, RAW + 1, stranger, {"from": stranger})
    assert vault.limitOf(second, 0) == RAW
    vault.withdraw(second, usdc, RAW, stranger, {"from": stranger})
    assert usdc.balanceOf(stranger) == RAW
    assert (tuple(vault.queueOf(0)), usdc.balanceOf(trader)) == ((0, 1), 0)


def test_queue__idle_account__takes_what_it_brought_all_the_same(vault, usdc, pair, trader, maker):
    request(vault, usdc, pair[0], trader)
    before = usdc.balanceOf(maker)
    vault.withdraw(pair[0] - 1, usdc, 30_000 * RAW, maker, {"from": maker})
    assert usdc.balanceOf(maker) == before + 30_000 * RAW
    assert (tuple(vault.queueOf(0)), usdc.balanceOf(trader)) == ((0, 1), 0)


def test_queue__cash_gone_when_its_turn_comes__is_dropped_and_stops_nobody(
    vault, usdc, ledger, module, pair, trader, stranger, maker
):
    first, second = pair
    request(vault, usdc, first, trader, 5_000 * RAW)
    request(vault, usdc, second, stranger, 5_000 * RAW)
    ledger.moveCash(first, second, 30_000 * WAD, {"from": module})
    tx = pay(vault, usdc, maker)
    assert tx.events["RequestDropped"] == {"tokenId": 0, "requestId": 0, "amountRaw": 5_000 * RAW}
    assert usdc.balanceOf(stranger) == 5_000 * RAW
    assert tuple(vault.queueOf(0)) == (2, 2)


def test_queue__too_little_margin_when_its_turn_comes__is_dropped(vault, usdc, margin, pair, trader, maker):
    """Equity by a false price is gone when the price is true again."""
    request(vault, usdc, pair[0], trader, 5_000 * RAW)
    margin.setInitial(pair[0], 5, {"from": maker})
    assert "RequestDropped" in pay(vault, usdc, maker).events
    assert usdc.balanceOf(trader) == 0


def test_queue__account_closed__is_dropped(vault, usdc, ledger, module, pair, trader, maker):
    request(vault, usdc, pair[0], trader, 5_000 * RAW)
    ledger.moveCash(pair[0], pair[1], 30_000 * WAD, {"from": module})
    ledger.close(pair[0], {"from": trader})
    assert "RequestDropped" in pay(vault, usdc, maker).events
    assert tuple(vault.queueOf(0)) == (1, 1)


def test_queue__account_sold__is_dropped_also_when_it_comes_back(vault, usdc, ledger, pair, trader, stranger, maker):
    request(vault, usdc, pair[0], trader, 5_000 * RAW)
    ledger.transferFrom(trader, stranger, pair[0], {"from": trader})
    ledger.transferFrom(stranger, trader, pair[0], {"from": stranger})
    assert "RequestDropped" in pay(vault, usdc, maker).events
    assert usdc.balanceOf(trader) == 0


def test_queue__too_little_gas__drops_nobody(vault, usdc, pair, trader, maker):
    """The call is given all but a 64th of the gas: what fails for want of it is tried again."""
    request(vault, usdc, pair[0], trader, 5_000 * RAW)
    with undone():
        used = pay(vault, usdc, maker).gas_used
    for gas in range(used // 2, used, used // 20):
        with suppress(VirtualMachineError):
            vault.payRequests(usdc, 10, {"from": maker, "gas_limit": gas})
        assert usdc.balanceOf(trader) == 5_000 * RAW or tuple(vault.queueOf(0)) == (0, 1)


def test_cancel_request__owner_only__leaves_the_queue(vault, usdc, pair, trader, stranger):
    request(vault, usdc, pair[0], trader)
    with reverts_with("Vault__NotAuthorised", shown(stranger), pair[0]):
        vault.cancelRequest(usdc, 0, {"from": stranger})
    tx = vault.cancelRequest(usdc, 0, {"from": trader})
    assert tx.events["RequestDropped"]["amountRaw"] == 30_000 * RAW
    assert tuple(vault.queueOf(0)) == (1, 1)
    vault.withdraw(pair[1], usdc, LEVEL, stranger, {"from": stranger})
    with reverts_with("Vault__UnknownRequest", 1, 1):
        vault.cancelRequest(usdc, 1, {"from": trader})


def test_request__bad__reverts(vault, usdc, weth, governor, pair, trader, stranger):
    first = pair[0]
    with reverts_with("Vault__NotAuthorised", shown(stranger), first):
        vault.requestWithdrawal(first, usdc, RAW, stranger, {"from": stranger})
    with reverts_with("Vault__RequestTooSmall", RAW - 1, RAW):
        vault.requestWithdrawal(first, usdc, RAW - 1, trader, {"from": trader})
    with reverts_with("Vault__RequestAboveHolding", 30_000 * RAW + 1, 30_000 * RAW):
        vault.requestWithdrawal(first, usdc, 30_000 * RAW + 1, trader, {"from": trader})
    with reverts_with("Vault__RequestAboveHolding", 1, 0):
        vault.requestWithdrawal(first, weth, 1, trader, {"from": trader})
    with reverts_with("Vault__NotVault", shown(trader), shown(vault)):
        vault.payRequest(0, 0, {"from": trader})
    vault.pause({"from": governor})
    for call, args in ((vault.requestWithdrawal, (first, usdc, RAW, trader)), (vault.payRequests, (usdc, 1))):
        with reverts_with("ExpiringPause__Paused"):
            call(*args, {"from": trader})


def test_queue__paused__idle_cash_does_not_wait_behind_it(vault, usdc, governor, pair, trader, stranger):
    request(vault, usdc, pair[0], trader)
    vault.pause({"from": governor})
    vault.withdraw(pair[1], usdc, LEVEL, stranger, {"from": stranger})
    assert usdc.balanceOf(stranger) == LEVEL
    assert (tuple(vault.queueOf(0)), usdc.balanceOf(trader)) == ((0, 1), 0)
