"""Accounts.transferSlice: fractions of positions, collateral and cash; nothing is created or lost."""

import pytest

from plimsoll.model import Kind
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, empty, option, perp, positions, shown, snapshot, stored_total, words
from tests.chain.unit.conftest import FUNDS_WAD

THIRD_WAD = WAD // 3


def test_transfer_slice__all__moves_everything_but_the_reserve(ledger, module, buyer, seller, expiry):
    ledger.applyTrade((buyer, seller, option(expiry, 2000), 3 * WAD, WAD), {"from": module})
    ledger.applyTrade((buyer, seller, perp(), 2 * WAD, 1900 * WAD), {"from": module})
    ledger.creditToken(buyer, 2, 5 * WAD, {"from": module})
    bidder = ledger.open(module, 0, {"from": module}).return_value
    moved = words(ledger, buyer)
    ledger.transferSlice(buyer, bidder, WAD, 40 * WAD, {"from": module})
    assert sorted(words(ledger, bidder)) == sorted(moved)
    assert snapshot(ledger, buyer) == empty(0, 40 * WAD)
    assert snapshot(ledger, bidder)["amountsWad"] == [5 * WAD]
    assert ledger.cashOf(bidder) == FUNDS_WAD - 3 * WAD - 40 * WAD


def test_transfer_slice__third__truncates_toward_zero(ledger, module, buyer, seller, expiry):
    ledger.applyTrade((buyer, seller, option(expiry, 2000), WAD, WAD), {"from": module})
    bidder = ledger.open(module, 0, {"from": module}).return_value
    ledger.transferSlice(seller, bidder, THIRD_WAD, 0, {"from": module})
    assert words(ledger, bidder) == [option(expiry, 2000, quantity_wad=-THIRD_WAD)]
    assert words(ledger, seller) == [option(expiry, 2000, quantity_wad=THIRD_WAD - WAD)]
    ledger.transferSlice(buyer, bidder, 1, 0, {"from": module})
    assert positions(ledger, bidder)[0].quantity_wad == 1 - THIRD_WAD


def test_transfer_slice__debt__rounds_for_the_liquidated(ledger, module, buyer, seller):
    debtor = ledger.open(module, 0, {"from": module}).return_value
    ledger.moveCash(debtor, buyer, 10, {"from": module})
    ledger.transferSlice(debtor, seller, THIRD_WAD, 0, {"from": module})
    assert ledger.cashOf(debtor) == -6
    assert ledger.cashOf(seller) == FUNDS_WAD - 4


def test_transfer_slice__bidder_holds_the_other_side__realises_at_the_entry(ledger, module, buyer, seller):
    ledger.applyTrade((buyer, seller, perp(), 2 * WAD, 1900 * WAD), {"from": module})
    third = ledger.open(module, 0, {"from": module}).return_value
    ledger.applyTrade((third, seller, perp(), 2 * WAD, 2000 * WAD), {"from": module})
    total = stored_total(ledger)
    before = ledger.cashOf(seller)
    ledger.transferSlice(buyer, seller, WAD // 2, FUNDS_WAD, {"from": module})
    # The seller is short 4 at 1950 and gets 1 long at 1900: a profit of 50.
    assert ledger.cashOf(seller) - before == 50 * WAD
    assert words(ledger, seller) == [perp(1950, -3 * WAD)]
    assert words(ledger, buyer) == [perp(1900, WAD)]
    assert stored_total(ledger) == total


@pytest.mark.skip_coverage  # a trace of this length does not come in time
def test_transfer_slice__bidder_at_the_limit__reverts_TooManyPositions(ledger, module, buyer, seller, expiry):
    third = ledger.open(module, 0, {"from": module}).return_value
    for i in range(128):
        ledger.applyTrade((buyer, seller, option(expiry, 1000 + i), WAD, WAD), {"from": module})
    ledger.applyTrade((third, seller, option(expiry, 1000), WAD, WAD), {"from": module})
    ledger.transferSlice(third, buyer, WAD // 2, 0, {"from": module})
    ledger.applyTrade((third, module_account(ledger, module), option(expiry, 900, Kind.PUT), WAD, 1), {"from": module})
    with reverts_with("Accounts__TooManyPositions", 129, 128):
        ledger.transferSlice(third, buyer, WAD // 2, 0, {"from": module})


@pytest.mark.skip_coverage  # a trace of this length does not come in time
def test_transfer_slice__full_accounts__fits_a_block(ledger, module, buyer, seller, expiry):
    other = module_account(ledger, module)
    for i in range(64):
        ledger.applyTrade((buyer, seller, option(expiry, 1000 + i), WAD, WAD), {"from": module})
        ledger.applyTrade((other, seller, option(expiry, 1000 + i), WAD, WAD), {"from": module})
    tx = ledger.transferSlice(buyer, other, WAD // 2, 0, {"from": module})
    assert len(words(ledger, other)) == 64
    assert tx.gas_used < 3_000_000


def test_transfer_slice__stranger__reverts_NotModule(ledger, stranger, buyer, seller):
    with reverts_with("Accounts__NotModule", shown(stranger)):
        ledger.transferSlice(buyer, seller, WAD, 0, {"from": stranger})


def test_transfer_slice__above_one__reverts_BadFraction(ledger, module, buyer, seller):
    with reverts_with("Accounts__BadFraction", WAD + 1, WAD):
        ledger.transferSlice(buyer, seller, WAD + 1, 0, {"from": module})


def test_transfer_slice__zero__reverts_ZeroAmount(ledger, module, buyer, seller):
    with reverts_with("Accounts__ZeroAmount", 0, 1):
        ledger.transferSlice(buyer, seller, 0, 0, {"from": module})


def test_transfer_slice__to_itself__reverts_SelfTrade(ledger, module, buyer):
    with reverts_with("Accounts__SelfTrade", buyer):
        ledger.transferSlice(buyer, buyer, WAD, 0, {"from": module})


def test_transfer_slice__to_clearing__reverts_Reserved(ledger, module, buyer):
    with reverts_with("Accounts__Reserved", 0, 1):
        ledger.transferSlice(buyer, 0, WAD, 0, {"from": module})


def module_account(ledger, owner):
    return ledger.open(owner, 0, {"from": owner}).return_value
