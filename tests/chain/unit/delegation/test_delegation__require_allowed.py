"""Delegation.requireAllowed, and the exchange on it: scope, time, transfers, contract keys, replays."""

from __future__ import annotations

import pytest
from brownie import WalletStub, WritingWallet, accounts, chain, web3

from tests.chain.helpers.delegation import CALL, PERP, limits, terms
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, option, perp, shown, words
from tests.chain.helpers.orders import ANY_INSTRUMENT, PLAIN, UNCONDITIONAL, sign_order
from tests.chain.unit.conftest import FUNDS_WAD

PRICE = 50 * WAD
ACCOUNT, INSTRUMENT, SIGNER = 0, 1, 7


def mine_at(ts):
    web3.provider.make_request("evm_setNextBlockTimestamp", [ts])
    chain.mine()


@pytest.fixture(scope="module")
def key():
    return accounts.add()


@pytest.fixture
def until():
    return chain[-1].timestamp + 3_600


@pytest.fixture
def fill(ledger, exchange, buyer, seller, maker, module, key, until):
    """Settle an order of the buyer's account that a delegate signed against one of the maker."""

    def run(instrument, account=buyer, signer=None, by=key, order=None):
        plain = (*PLAIN[:3], ledger.transferCountOf(account), *UNCONDITIONAL)
        buy = order or [account, instrument, True, 9 * WAD, PRICE, 7, until + 9_999, (signer or by).address, *plain]
        sell = [seller, instrument, False, 9 * WAD, PRICE, chain.height, until + 9_999, maker.address, *PLAIN]
        signatures = [sign_order(exchange, k, tuple(o)) for k, o in ((by, buy), (maker, sell))]
        return exchange.settle(buy, signatures[0], sell, signatures[1], WAD, {"from": module})

    return run


def test_require_allowed__within_scope__fills(ledger, delegation, fill, trader, key, buyer, until):
    delegation.grant(buyer, key, terms(until, limits(1), kinds=CALL | PERP), {"from": trader})
    tx = fill(perp())
    event = {"accountId": buyer, "delegate": key, "lossWad": 0, "totalLossWad": 0}
    assert tx.events["DelegateTraded"] == event
    fill(option(until, 2_000))
    assert words(ledger, buyer) == [perp(50, WAD), option(until, 2_000, quantity_wad=WAD)]


def test_require_allowed__owner_signs__delegation_is_not_asked(delegation, fill, trader, key, buyer, until):
    delegation.grant(buyer, key, terms(until, limits(1), kinds=CALL), {"from": trader})
    assert "DelegateTraded" not in fill(perp(), by=trader).events


def test_require_allowed__out_of_scope__reverts(delegation, exchange, governor, fill, trader, key, buyer, until):
    exchange.setRules(2, ANY_INSTRUMENT, {"from": governor})
    delegation.grant(buyer, key, terms(until, limits(1), kinds=CALL), {"from": trader})
    with reverts_with("Delegation__KindNotAllowed", 3, CALL):
        fill(perp())
    with reverts_with("Delegation__UnderlyingNotAllowed", 2, shown(key)):
        fill(option(until, 2_000) + (1 << 248))


def test_require_allowed__last_second__is_included(delegation, trader, key, buyer, until):
    delegation.grant(buyer, key, terms(until), {"from": trader})
    mine_at(until)
    delegation.requireAllowed(buyer, key, perp())
    mine_at(until + 1)
    with reverts_with("Delegation__Expired", until, until + 1):
        delegation.requireAllowed(buyer, key, perp())


def test_require_allowed__revoked__signed_orders_are_void_at_once(delegation, fill, trader, key, buyer, until):
    delegation.grant(buyer, key, terms(until), {"from": trader})
    fill(perp())
    delegation.revoke(buyer, key, {"from": trader})
    with reverts_with("Delegation__NotDelegate", shown(key), buyer):
        fill(perp())


def test_require_allowed__account_sold__void_and_stays_void_when_it_comes_back(
    ledger, delegation, fill, trader, stranger, key, buyer, until
):
    delegation.grant(buyer, key, terms(until), {"from": trader})
    ledger.transferFrom(trader, stranger, buyer, {"from": trader})
    with reverts_with("Delegation__NotDelegate", shown(key), buyer):
        fill(perp())
    ledger.transferFrom(stranger, trader, buyer, {"from": stranger})
    with reverts_with("Delegation__NotDelegate", shown(key), buyer):
        fill(perp())
    assert ledger.transferCountOf(buyer) == 2
    delegation.grant(buyer, key, terms(until), {"from": trader})
    fill(perp())


def test_require_allowed__one_key_for_two_owners__an_order_serves_one_account(
    ledger, module, delegation, fill, trader, stranger, key, buyer, until
):
    other = ledger.open(stranger, 0, {"from": stranger}).return_value
    ledger.creditToken(other, 0, FUNDS_WAD, {"from": module})
    for account_id, owner in ((buyer, trader), (other, stranger)):
        delegation.grant(account_id, key, terms(until), {"from": owner})
        fill(perp(), account=account_id)
    delegation.revoke(buyer, key, {"from": trader})
    with reverts_with("Delegation__NotDelegate", shown(key), buyer):
        fill(perp())
    fill(perp(), account=other)


def test_require_allowed__order_moved_to_another_account__reverts_BadSignature(
    ledger, exchange, delegation, module, maker, trader, key, buyer, seller, until
):
    other = ledger.open(trader, 0, {"from": trader}).return_value
    for account_id in (buyer, other):
        delegation.grant(account_id, key, terms(until), {"from": trader})
    buy = [buyer, perp(), True, WAD, PRICE, 1, until, key.address, *PLAIN]
    sell = [seller, perp(), False, WAD, PRICE, 1, until, maker.address, *PLAIN]
    signatures = [sign_order(exchange, k, tuple(o)) for k, o in ((key, buy), (maker, sell))]
    buy[ACCOUNT] = other
    with reverts_with("Exchange__BadSignature"):
        exchange.settle(buy, signatures[0], sell, signatures[1], WAD, {"from": module})
    buy[ACCOUNT] = buyer
    foreign = sign_order(exchange, key, tuple(buy), chain_id=5)
    with reverts_with("Exchange__BadSignature"):
        exchange.settle(buy, foreign, sell, signatures[1], WAD, {"from": module})
    exchange.settle(buy, signatures[0], sell, signatures[1], WAD, {"from": module})


def test_require_allowed__contract_delegate__asks_erc1271(delegation, governor, fill, trader, key, maker, buyer, until):
    wallet = governor.deploy(WalletStub, key)
    delegation.grant(buyer, wallet, terms(until), {"from": trader})
    fill(perp(), signer=wallet)
    with reverts_with("Exchange__BadSignature"):
        fill(perp(), signer=wallet, by=maker)
    # The wallet is the delegate, its key is not.
    with reverts_with("Delegation__NotDelegate", shown(key), buyer):
        fill(perp())


def test_require_allowed__contract_that_writes_while_it_is_asked__reverts_BadSignature(
    delegation, governor, fill, trader, maker, buyer, until
):
    wallet = governor.deploy(WritingWallet, delegation)
    delegation.grant(buyer, wallet, terms(until), {"from": trader})
    fill(perp(), signer=wallet, by=maker)
    wallet.arm(buyer, {"from": trader})
    with reverts_with("Exchange__BadSignature"):
        fill(perp(), signer=wallet, by=maker)


def test_require_allowed__nonce_cancelled_by_the_delegate__reverts_Cancelled(
    exchange, delegation, fill, trader, key, buyer, until
):
    delegation.grant(buyer, key, terms(until), {"from": trader})
    exchange.cancel(7, {"from": key})
    with reverts_with("Exchange__Cancelled", shown(key), 7):
        fill(perp())


def test_require_allowed__account_operator_that_was_a_delegate__has_every_right(
    ledger, delegation, fill, trader, key, buyer, until
):
    delegation.grant(buyer, key, terms(until, kinds=CALL), {"from": trader})
    ledger.approve(key, buyer, {"from": trader})
    fill(perp())


def test_require_allowed__everything_but_trading__is_refused(
    ledger, vault, usdc, delegation, trader, module, key, maker, buyer, seller, until
):
    delegation.grant(buyer, key, terms(until), {"from": trader})
    ledger.applyTrade((buyer, seller, perp(), WAD, WAD), {"from": module})
    delegate = {"from": key}
    with reverts_with("Vault__NotAuthorised"):
        vault.withdraw(buyer, usdc, 1, key, delegate)
    for call in (
        lambda: ledger.setMode(buyer, 1, delegate),
        lambda: ledger.isolate(buyer, perp(), 0, 0, 0, delegate),
    ):
        with reverts_with("Accounts__NotOwner", shown(key), buyer):
            call()
    with reverts_with("Accounts__NotModule", shown(key)):
        ledger.moveCash(buyer, seller, 1, delegate)
    with reverts_with("ERC721InsufficientApproval"):
        ledger.transferFrom(trader, key, buyer, delegate)
    with reverts_with("ERC721InvalidApprover"):
        ledger.approve(key, buyer, delegate)
    with reverts_with("Delegation__NotOwner", shown(key), buyer):
        delegation.grant(buyer, maker, terms(until), delegate)
