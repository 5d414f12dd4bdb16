"""Funding of perpetuals in the ledger: the index, what a position owes, and that clearing keeps only roundings."""

import random

import pytest
from brownie import chain

from plimsoll.index.funding import LIFE_SEC, index_at, owed
from plimsoll.model import Kind
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import ETH, WAD, option, perp, shown, snapshot, stored_total
from tests.chain.unit.conftest import FUNDS_WAD

RATE = 24 * WAD
MAX_RATE = 2**103 - 1
BTC = 2
CLEARING, FUNDING = 0, 8


def pass_time(sec):
    chain.sleep(sec)
    chain.mine()


def btc_perp():
    return perp() + (1 << 248)


def paid(tx):
    return {(e["accountId"], e["underlyingId"]): e["paidWad"] for e in tx.events["FundingSettled"]}


@pytest.fixture
def held(ledger, module, buyer, seller):
    """Two perpetuals long and short, at 2,000."""
    ledger.applyTrade((buyer, seller, perp(), 2 * WAD, 2_000 * WAD), {"from": module})


def test_set_funding_rate__index__moves_in_time_and_books_at_a_change(ledger, module):
    tx = ledger.setFundingRate(ETH, RATE, {"from": module})
    assert tx.events["FundingRateSet"] == {"underlyingId": ETH, "indexWad": 0, "rateWad": RATE}
    pass_time(600)
    elapsed = chain[-1].timestamp - tx.timestamp
    assert tuple(ledger.fundingOf(ETH)) == (RATE * elapsed // 86_400, RATE, tx.timestamp)
    assert tuple(ledger.fundingOf(BTC)) == (0, 0, 0)
    second = ledger.setFundingRate(ETH, -RATE, {"from": module})
    top = RATE * (second.timestamp - tx.timestamp) // 86_400
    assert second.events["FundingRateSet"]["indexWad"] == top
    pass_time(600)
    assert ledger.fundingOf(ETH)[0] == index_at(top, -RATE, second.timestamp, chain[-1].timestamp) < top


def test_set_funding_rate__nobody_renews_it__ends_after_an_hour(ledger, module):
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    assert ledger.fundingOf(ETH)[0] == WAD
    pass_time(LIFE_SEC)
    assert ledger.fundingOf(ETH)[0] == WAD


def test_set_funding_rate__out_of_range__reverts(ledger, module):
    for rate in (MAX_RATE + 1, -MAX_RATE - 1):
        with reverts_with("Accounts__FundingRateOutOfRange", rate, MAX_RATE):
            ledger.setFundingRate(ETH, rate, {"from": module})
    for rate in (MAX_RATE, -MAX_RATE):
        ledger.setFundingRate(ETH, rate, {"from": module})


def test_set_funding_rate__stranger__reverts_NotModule(ledger, stranger):
    with reverts_with("Accounts__NotModule", shown(stranger)):
        ledger.setFundingRate(ETH, 1, {"from": stranger})


def test_snapshot__unsettled_funding__is_in_its_cash(ledger, module, held, buyer, seller):
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    for account_id, due in ((buyer, 2 * WAD), (seller, -2 * WAD)):
        assert snapshot(ledger, account_id)["cashWad"] == ledger.cashOf(account_id) == FUNDS_WAD - due
        assert ledger.storedCashOf(account_id) == FUNDS_WAD


def test_accrue__funding__moves_from_longs_to_shorts_through_clearing(ledger, module, held, buyer, seller, stranger):
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    clearing, total = ledger.storedCashOf(CLEARING), stored_total(ledger)
    tx = ledger.accrue([buyer], {"from": stranger})
    assert tx.events["FundingSettled"] == {
        "accountId": buyer,
        "underlyingId": ETH,
        "paidWad": 2 * WAD,
        "indexWad": WAD,
    }
    change = tx.events["CashChanged"][0]
    assert (change["accountId"], change["deltaWad"], change["reason"]) == (buyer, -2 * WAD, FUNDING)
    assert ledger.storedCashOf(CLEARING) == clearing + 2 * WAD
    ledger.accrue([seller, buyer], {"from": stranger})
    assert [ledger.storedCashOf(i) for i in (buyer, seller)] == [FUNDS_WAD - 2 * WAD, FUNDS_WAD + 2 * WAD]
    assert (ledger.storedCashOf(CLEARING), stored_total(ledger)) == (clearing, total)
    assert "FundingSettled" not in ledger.accrue([buyer], {"from": stranger}).events


def test_accrue__negative_rate__shorts_pay(ledger, module, held, buyer, seller, stranger):
    ledger.setFundingRate(ETH, -RATE, {"from": module})
    pass_time(LIFE_SEC)
    ledger.accrue([buyer, seller], {"from": stranger})
    assert [ledger.storedCashOf(i) - FUNDS_WAD for i in (buyer, seller)] == [2 * WAD, -2 * WAD]


def test_apply_trade__perpetual__settles_first_and_starts_at_the_index_of_now(
    ledger, module, held, buyer, seller, stranger
):
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    tx = ledger.applyTrade((buyer, seller, perp(), WAD, 2_000 * WAD), {"from": module})
    assert paid(tx) == {(buyer, ETH): 2 * WAD, (seller, ETH): -2 * WAD}
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    # Three units for the second hour only.
    assert paid(ledger.accrue([buyer], {"from": stranger})) == {(buyer, ETH): 3 * WAD}


def test_apply_trade__closed_and_opened_again__owes_nothing_for_the_time_between(
    ledger, module, held, buyer, seller, stranger
):
    ledger.applyTrade((seller, buyer, perp(), 2 * WAD, 2_000 * WAD), {"from": module})
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    assert ledger.cashOf(buyer) == ledger.storedCashOf(buyer)
    ledger.applyTrade((buyer, seller, perp(), WAD, 2_000 * WAD), {"from": module})
    assert "FundingSettled" not in ledger.accrue([buyer, seller], {"from": stranger}).events


def test_apply_trade__option__settles_the_perpetual_too(ledger, module, held, buyer, seller, expiry):
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    tx = ledger.applyTrade((buyer, seller, option(expiry, 2_000, Kind.PUT), WAD, WAD), {"from": module})
    assert paid(tx) == {(buyer, ETH): 2 * WAD, (seller, ETH): -2 * WAD}


def test_debit_token__cash__is_what_is_left_after_funding(ledger, module, held, buyer):
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    left = FUNDS_WAD - 2 * WAD
    with reverts_with("Accounts__InsufficientCash", left, left + 1):
        ledger.debitToken(buyer, 0, left + 1, {"from": module})
    ledger.debitToken(buyer, 0, left, {"from": module})
    assert ledger.storedCashOf(buyer) == 0


def test_transfer_slice__perpetual__both_sides_settle_first(ledger, module, held, buyer, seller, stranger):
    bidder = ledger.open(stranger, 0, {"from": stranger}).return_value
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    total = stored_total(ledger)
    tx = ledger.transferSlice(buyer, bidder, WAD // 2, 0, {"from": module})
    assert paid(tx) == {(buyer, ETH): 2 * WAD}
    assert ledger.storedCashOf(buyer) == ledger.storedCashOf(bidder) == (FUNDS_WAD - 2 * WAD) // 2
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    due = ledger.accrue([buyer, bidder, seller], {"from": stranger})
    assert paid(due) == {(buyer, ETH): WAD, (bidder, ETH): WAD, (seller, ETH): -4 * WAD}
    assert stored_total(ledger) == total


def test_isolate__perpetual__takes_its_index_along(ledger, module, held, buyer, trader, stranger):
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    new = ledger.isolate(buyer, perp(), 0, 0, WAD, {"from": trader}).return_value
    assert ledger.storedCashOf(buyer) == FUNDS_WAD - 3 * WAD
    ledger.setFundingRate(ETH, RATE, {"from": module})
    pass_time(LIFE_SEC)
    assert ledger.cashOf(new) == WAD - 2 * WAD
    assert ledger.cashOf(buyer) == FUNDS_WAD - 3 * WAD


def test_funding__two_underlyings__each_by_its_own_index(ledger, module, held, buyer, seller, stranger):
    ledger.applyTrade((seller, buyer, btc_perp(), WAD, 60_000 * WAD), {"from": module})
    ledger.setFundingRate(ETH, RATE, {"from": module})
    ledger.setFundingRate(BTC, 10 * RATE, {"from": module})
    pass_time(LIFE_SEC)
    assert ledger.cashOf(buyer) == FUNDS_WAD - 2 * WAD + 10 * WAD
    tx = ledger.accrue([buyer], {"from": stranger})
    assert paid(tx) == {(buyer, ETH): 2 * WAD, (buyer, BTC): -10 * WAD}
    # One closed, the other goes on.
    ledger.applyTrade((seller, buyer, perp(), 2 * WAD, 2_000 * WAD), {"from": module})
    ledger.setFundingRate(BTC, RATE, {"from": module})
    pass_time(LIFE_SEC)
    assert ledger.cashOf(buyer) == FUNDS_WAD + 8 * WAD + WAD


def test_funding__any_path__equals_the_exact_integers_and_clearing_never_loses(ledger, module, buyer, seller, stranger):
    ledger.open(stranger, 0, {"from": stranger})
    seed = random.Random(7)
    trio = [buyer, seller, ledger.nextAccountId() - 1]
    mine = dict.fromkeys(trio, 0)
    held, seen = dict.fromkeys(trio, 0), dict.fromkeys(trio, 0)
    rate, since, index = 0, 0, 0
    for _ in range(40):
        step = seed.choice(["rate", "trade", "touch"])
        if step == "rate":
            new_rate = seed.randrange(-(10**22), 10**22)
            tx = ledger.setFundingRate(ETH, new_rate, {"from": module})
            index = index_at(index, rate, since, tx.timestamp)
            rate, since = new_rate, tx.timestamp
        elif step == "trade":
            a, b = seed.sample(trio, 2)
            quantity = seed.randrange(1, 3 * WAD)
            tx = ledger.applyTrade((a, b, perp(), quantity, 2_000 * WAD), {"from": module})
            changed = {a: quantity, b: -quantity}
        else:
            tx = ledger.accrue([seed.choice(trio)], {"from": stranger})
            changed = dict.fromkeys([e["accountId"] for e in tx.events["FundingSettled"]] if tx.events else [], 0)
        if step != "rate":
            now = index_at(index, rate, since, tx.timestamp)
            for account_id, change in changed.items():
                mine[account_id] -= owed(held[account_id], now - seen[account_id])
                held[account_id], seen[account_id] = held[account_id] + change, now
        chain.sleep(seed.randrange(1, 5_000))
    settled = sum(mine.values())
    # All trades were at one price: what cash moved is funding.
    assert [ledger.storedCashOf(i) for i in trio] == [
        mine[i] + (FUNDS_WAD if i in (buyer, seller) else 0) for i in trio
    ]
    pass_time(1)
    now = index_at(index, rate, since, chain[-1].timestamp)
    due = {i: owed(held[i], now - seen[i]) for i in trio}
    assert {i: ledger.storedCashOf(i) - ledger.cashOf(i) for i in trio} == due
    assert -120 <= settled - sum(due.values()) <= 0
