"""Accounts.isolate: one position and chosen collateral move into an account of their own."""

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, option, perp, shown, snapshot, stored_total, words
from tests.chain.unit.conftest import FUNDS_WAD


def test_isolate__position_with_collateral__moves_both(ledger, module, trader, buyer, seller, expiry):
    ledger.creditToken(buyer, 2, 5 * WAD, {"from": module})
    ledger.applyTrade((buyer, seller, option(expiry, 2000), WAD, WAD), {"from": module})
    ledger.applyTrade((buyer, seller, perp(), WAD, 1900 * WAD), {"from": module})
    tx = ledger.isolate(buyer, perp(), 2, 2 * WAD, 100 * WAD, {"from": trader})
    new = tx.return_value
    assert ledger.ownerOf(new) == trader
    assert words(ledger, new) == [perp(1900, WAD)]
    assert words(ledger, buyer) == [option(expiry, 2000, quantity_wad=WAD)]
    assert snapshot(ledger, new)["amountsWad"] == [2 * WAD]
    assert snapshot(ledger, buyer)["amountsWad"] == [3 * WAD]
    assert ledger.cashOf(new) == 100 * WAD
    assert stored_total(ledger) == 2 * FUNDS_WAD


def test_isolate__no_such_position__reverts_NoPosition(ledger, trader, buyer):
    with reverts_with("Accounts__NoPosition", buyer, perp()):
        ledger.isolate(buyer, perp(), 0, 0, 0, {"from": trader})


def test_isolate__more_cash_than_there_is__reverts_InsufficientCash(ledger, module, trader, buyer, seller):
    ledger.applyTrade((buyer, seller, perp(), WAD, 1900 * WAD), {"from": module})
    with reverts_with("Accounts__InsufficientCash", FUNDS_WAD, FUNDS_WAD + 1):
        ledger.isolate(buyer, perp(), 0, 0, FUNDS_WAD + 1, {"from": trader})


def test_isolate__more_collateral_than_there_is__reverts_InsufficientCollateral(ledger, module, trader, buyer, seller):
    ledger.applyTrade((buyer, seller, perp(), WAD, 1900 * WAD), {"from": module})
    with reverts_with("Accounts__InsufficientCollateral", 0, 1):
        ledger.isolate(buyer, perp(), 2, 1, 0, {"from": trader})


def test_isolate__new_account_too_weak__reverts_Unhealthy(ledger, margin, module, trader, buyer, seller):
    ledger.applyTrade((buyer, seller, perp(), WAD, 1900 * WAD), {"from": module})
    margin.setInitial(ledger.nextAccountId(), 7, {"from": trader})
    with reverts_with("Accounts__Unhealthy", 0, 7):
        ledger.isolate(buyer, perp(), 0, 0, 0, {"from": trader})


def test_isolate__old_account_too_weak__reverts_BelowInitial(ledger, margin, module, trader, buyer, seller):
    ledger.applyTrade((buyer, seller, perp(), WAD, 1900 * WAD), {"from": module})
    margin.setInitial(buyer, 7, {"from": trader})
    with reverts_with("MarginEngine__BelowInitial", 0, 7):
        ledger.isolate(buyer, perp(), 0, 0, 0, {"from": trader})


def test_isolate__stranger__reverts_NotOwner(ledger, stranger, buyer):
    with reverts_with("Accounts__NotOwner", shown(stranger), buyer):
        ledger.isolate(buyer, perp(), 0, 0, 0, {"from": stranger})
