"""Accounts.settlePositions: intrinsic value and future profit, once."""

from plimsoll.model import Kind
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import ETH, WAD, future, option, perp, shown, snapshot, stored_total, words
from tests.chain.unit.conftest import FUNDS_WAD


def test_settle_positions__whole_series__pays_intrinsic_and_profit(ledger, module, buyer, seller, expiry):
    legs = [
        (option(expiry, 2000), WAD),
        (option(expiry, 2200), WAD),
        (option(expiry, 2300, Kind.PUT), WAD),
        (future(expiry), 2010 * WAD),
        (perp(), 2010 * WAD),
        (option(expiry + 1, 2000), WAD),
    ]
    for instrument, price in legs:
        ledger.applyTrade((buyer, seller, instrument, 2 * WAD, price), {"from": module})
    before = ledger.cashOf(buyer), ledger.cashOf(seller)
    tx = ledger.settlePositions(buyer, ETH, expiry, 2100 * WAD, {"from": module})
    ledger.settlePositions(seller, ETH, expiry, 2100 * WAD, {"from": module})
    gain = 2 * (100 + 0 + 200 + 90) * WAD
    assert tx.return_value == 4
    assert ledger.cashOf(buyer) - before[0] == gain
    assert ledger.cashOf(seller) - before[1] == -gain
    assert ledger.cashOf(0) == 0
    assert sorted(words(ledger, buyer)) == sorted([perp(2010, 2 * WAD), option(expiry + 1, 2000, quantity_wad=2 * WAD)])


def test_settle_positions__twice__changes_nothing(ledger, module, buyer, seller, expiry):
    ledger.applyTrade((buyer, seller, option(expiry, 2000), WAD, WAD), {"from": module})
    ledger.settlePositions(buyer, ETH, expiry, 2100 * WAD, {"from": module})
    before = snapshot(ledger, buyer)
    tx = ledger.settlePositions(buyer, ETH, expiry, 2100 * WAD, {"from": module})
    assert (tx.return_value, len(tx.events), snapshot(ledger, buyer)) == (0, 0, before)


def test_settle_positions__dust__rounds_against_both(ledger, module, buyer, seller, expiry):
    ledger.applyTrade((buyer, seller, option(expiry, 2000), 1, WAD), {"from": module})
    total = stored_total(ledger)
    for account_id in (buyer, seller):
        ledger.settlePositions(account_id, ETH, expiry, 2000 * WAD + WAD // 2, {"from": module})
    assert ledger.cashOf(buyer) == FUNDS_WAD - 1
    assert ledger.cashOf(seller) == FUNDS_WAD
    assert ledger.cashOf(0) == 1
    assert stored_total(ledger) == total


def test_settle_positions__stranger__reverts_NotModule(ledger, stranger, buyer, expiry):
    with reverts_with("Accounts__NotModule", shown(stranger)):
        ledger.settlePositions(buyer, ETH, expiry, WAD, {"from": stranger})
