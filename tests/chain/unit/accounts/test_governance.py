"""Setters of ledger and vault: governance only; what a listing refuses."""

import brownie
from brownie import LocalToken

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import shown
from tests.chain.unit.conftest import CAP_RAW


def test_set_module__governor__toggles(ledger, governor, stranger, buyer):
    tx = ledger.setModule(stranger, True, {"from": governor})
    assert tx.events["ModuleSet"] == {"module": stranger, "allowed": True}
    ledger.creditToken(buyer, 0, 1, {"from": stranger})
    ledger.setModule(stranger, False, {"from": governor})
    with reverts_with("Accounts__NotModule", shown(stranger)):
        ledger.creditToken(buyer, 0, 1, {"from": stranger})


def test_setters__stranger__reverts_AccessManagedUnauthorized(ledger, vault, exchange, usdc, stranger):
    calls = [
        (ledger.setModule, (stranger, True)),
        (ledger.setMarginEngine, (stranger,)),
        (vault.listToken, (usdc, 1)),
        (vault.setCap, (0, 1)),
        (vault.setOutflow, (0, 10**6, 10**6)),
        (vault.setAuction, (stranger,)),
        (vault.pause, ()),
        (vault.unpause, ()),
        (vault.extendPause, ()),
        (exchange.pause, ()),
        (exchange.unpause, ()),
    ]
    for call, args in calls:
        with reverts_with("AccessManagedUnauthorized", shown(stranger)):
            call(*args, {"from": stranger})


def test_list_token__next__gets_the_next_id(vault, governor):
    token = governor.deploy(LocalToken, "Other", "OTHER", 0)
    tx = vault.listToken(token, 5, {"from": governor})
    assert tx.events["TokenListed"] == {"tokenId": 3, "token": token, "decimals": 0, "capRaw": 5}
    assert [*vault.tokenOf(3)] == [token, 0, 0, 5, 0]
    assert vault.tokenCount() == 4


def test_list_token__twice__reverts_AlreadyListed(vault, governor, wbtc):
    with reverts_with("Vault__AlreadyListed", shown(wbtc), 1):
        vault.listToken(wbtc, 1, {"from": governor})


def test_list_token__19_decimals__reverts_TooManyDecimals(vault, governor):
    token = governor.deploy(LocalToken, "Other", "OTHER", 19)
    with reverts_with("Vault__TooManyDecimals", 19, 18):
        vault.listToken(token, 1, {"from": governor})


def test_set_cap__governor__changes_it(vault, governor):
    tx = vault.setCap(0, 5, {"from": governor})
    assert tx.events["CapSet"] == {"tokenId": 0, "oldCapRaw": CAP_RAW, "newCapRaw": 5}


def test_set_cap__no_such_token__reverts_UnknownTokenId(vault, governor):
    with reverts_with("Vault__UnknownTokenId", 3, 3):
        vault.setCap(3, 5, {"from": governor})


def test_clearing_account__owner__cannot_change_it(ledger, governor):
    with reverts_with("Accounts__Reserved", 0, 1):
        ledger.isolate(0, 1 << 248, 0, 0, 0, {"from": governor})
    assert ledger.ownerOf(1) == governor
    assert not ledger.isAuthorised(0, brownie.ZERO_ADDRESS)
