"""Accounts.applyTrade: premium, entry averaging, realised cash, and what it refuses."""

import pytest
from brownie import chain

from plimsoll.model import Kind
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, future, option, perp, positions, shown, stored_total, words
from tests.chain.unit.conftest import FUNDS_WAD


def test_apply_trade__option__moves_premium_and_opens_both_sides(ledger, module, buyer, seller, expiry):
    tx = ledger.applyTrade((buyer, seller, option(expiry, 2000), 3 * WAD, 50 * WAD), {"from": module})
    assert words(ledger, buyer) == [option(expiry, 2000, quantity_wad=3 * WAD)]
    assert words(ledger, seller) == [option(expiry, 2000, quantity_wad=-3 * WAD)]
    assert ledger.cashOf(buyer) == FUNDS_WAD - 150 * WAD
    assert ledger.cashOf(seller) == FUNDS_WAD + 150 * WAD
    assert ledger.cashOf(0) == 0
    assert [event.name for event in tx.events] == ["PositionChanged", "CashChanged"] * 2


def test_apply_trade__premium_with_dust__clearing_takes_the_wei(ledger, module, buyer, seller, expiry):
    ledger.applyTrade((buyer, seller, option(expiry, 2000), 1, WAD // 2), {"from": module})
    assert ledger.cashOf(buyer) == FUNDS_WAD - 1
    assert ledger.cashOf(seller) == FUNDS_WAD
    assert ledger.cashOf(0) == 1
    assert stored_total(ledger) == 2 * FUNDS_WAD


def test_apply_trade__close__removes_the_word(ledger, module, buyer, seller, expiry):
    first, second = option(expiry, 2000), option(expiry, 2100, Kind.PUT)
    ledger.applyTrade((buyer, seller, first, WAD, WAD), {"from": module})
    ledger.applyTrade((buyer, seller, second, WAD, WAD), {"from": module})
    ledger.applyTrade((seller, buyer, first, WAD, WAD), {"from": module})
    assert words(ledger, buyer) == [option(expiry, 2100, Kind.PUT, WAD)]
    assert words(ledger, seller) == [option(expiry, 2100, Kind.PUT, -WAD)]


def test_apply_trade__linear_grows__averages_entry_against_the_holder(ledger, module, buyer, seller):
    for quantity, price in ((1, 1900), (2, 1901)):
        ledger.applyTrade((buyer, seller, perp(), quantity * WAD, price * WAD), {"from": module})
    (long,), (short,) = positions(ledger, buyer), positions(ledger, seller)
    assert (long.price_e8, short.price_e8) == (190066666667, 190066666666)
    # The step taken off the entry comes back as cash: 3 * 1/3 and 3 * 2/3 of 1e-8.
    assert ledger.cashOf(buyer) - FUNDS_WAD == 10**10
    assert ledger.cashOf(seller) - FUNDS_WAD == 2 * 10**10
    assert stored_total(ledger) == 2 * FUNDS_WAD


def test_apply_trade__linear_reduces__realises_against_clearing(ledger, module, buyer, seller):
    ledger.applyTrade((buyer, seller, perp(), 2 * WAD, 1900 * WAD), {"from": module})
    third = ledger.open(module, 0, {"from": module}).return_value
    ledger.applyTrade((third, buyer, perp(), WAD, 1950 * WAD), {"from": module})
    assert ledger.cashOf(buyer) == FUNDS_WAD + 50 * WAD
    assert ledger.cashOf(0) == -50 * WAD
    assert words(ledger, buyer) == [perp(1900, WAD)]
    assert stored_total(ledger) == 2 * FUNDS_WAD


def test_apply_trade__linear_flips__reopens_at_the_trade_price(ledger, module, buyer, seller):
    ledger.applyTrade((buyer, seller, perp(), WAD, 1900 * WAD), {"from": module})
    ledger.applyTrade((seller, buyer, perp(), 3 * WAD, 1880 * WAD), {"from": module})
    assert words(ledger, buyer) == [perp(1880, -2 * WAD)]
    assert words(ledger, seller) == [perp(1880, 2 * WAD)]
    assert ledger.cashOf(buyer) == FUNDS_WAD - 20 * WAD
    assert ledger.cashOf(seller) == FUNDS_WAD + 20 * WAD


@pytest.mark.skip_coverage  # a trace of this length does not come in time
def test_apply_trade__129_instruments__reverts_TooManyPositions(ledger, module, buyer, seller, expiry):
    for i in range(128):
        ledger.applyTrade((buyer, seller, option(expiry, 1000 + i), WAD, WAD), {"from": module})
    assert len(words(ledger, buyer)) == 128
    ledger.applyTrade((buyer, seller, option(expiry, 1000), WAD, WAD), {"from": module})
    with reverts_with("Accounts__TooManyPositions", 129, 128):
        ledger.applyTrade((buyer, seller, option(expiry, 2000), WAD, WAD), {"from": module})


def test_apply_trade__stranger__reverts_NotModule(ledger, stranger, buyer, seller, expiry):
    with reverts_with("Accounts__NotModule", shown(stranger)):
        ledger.applyTrade((buyer, seller, option(expiry, 2000), WAD, WAD), {"from": stranger})


def test_apply_trade__one_account__reverts_SelfTrade(ledger, module, buyer, expiry):
    with reverts_with("Accounts__SelfTrade", buyer):
        ledger.applyTrade((buyer, buyer, option(expiry, 2000), WAD, WAD), {"from": module})


def test_apply_trade__no_quantity__reverts_ZeroAmount(ledger, module, buyer, seller, expiry):
    with reverts_with("Accounts__ZeroAmount", 0, 1):
        ledger.applyTrade((buyer, seller, option(expiry, 2000), 0, WAD), {"from": module})


def test_apply_trade__clearing_account__reverts_Reserved(ledger, module, buyer, expiry):
    with reverts_with("Accounts__Reserved", 0, 1):
        ledger.applyTrade((buyer, 0, option(expiry, 2000), WAD, WAD), {"from": module})


def test_apply_trade__no_such_account__reverts_UnknownAccount(ledger, module, buyer, expiry):
    with reverts_with("Accounts__UnknownAccount", 99, ledger.nextAccountId()):
        ledger.applyTrade((buyer, 99, option(expiry, 2000), WAD, WAD), {"from": module})


def test_apply_trade__price_between_steps__reverts_PriceStep(ledger, module, buyer, seller):
    with reverts_with("Accounts__PriceStep", 1900 * WAD + 1, 10**10):
        ledger.applyTrade((buyer, seller, perp(), WAD, 1900 * WAD + 1), {"from": module})


def test_apply_trade__expired__reverts_Expired(ledger, module, buyer, seller):
    now = chain[-1].timestamp
    with reverts_with("Accounts__Expired"):
        ledger.applyTrade((buyer, seller, option(now, 2000), WAD, WAD), {"from": module})


@pytest.mark.parametrize(
    "word",
    [
        pytest.param(lambda ts: option(ts, 0), id="no-strike"),
        pytest.param(lambda ts: option(ts, 2000, quantity_wad=1), id="with-quantity"),
        pytest.param(lambda ts: future(ts, 1900), id="linear-with-price"),
        pytest.param(lambda ts: perp() | ts << 200, id="perp-with-expiry"),
        pytest.param(lambda _: future(0), id="future-without-expiry"),
        pytest.param(lambda ts: option(ts, 2000) | 4 << 240, id="unknown-kind"),
        pytest.param(lambda ts: option(ts, 2000) & ~(0xFF << 248), id="no-underlying"),
    ],
)
def test_apply_trade__malformed__reverts_BadInstrument(ledger, module, buyer, seller, expiry, word):
    with reverts_with("Accounts__BadInstrument", word(expiry)):
        ledger.applyTrade((buyer, seller, word(expiry), WAD, WAD), {"from": module})
