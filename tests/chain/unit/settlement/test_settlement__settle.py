"""Settlement.settle: anyone, in batches, once."""

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import ETH, WAD, option, stored_total, words
from tests.chain.unit.conftest import FUNDS_WAD


def test_settle__batch__pays_everybody(ledger, oracle, settlement, margin, module, stranger, buyer, seller, expiry):
    ledger.applyTrade((buyer, seller, option(expiry, 2000), 2 * WAD, WAD), {"from": module})
    oracle.setPrice(ETH, expiry, 2050 * WAD, {"from": stranger})
    # Settling asks for no margin number: an account below its margin settles like any other.
    margin.setInitial(seller, 5, {"from": stranger})
    tx = settlement.settle(ETH, expiry, [buyer, 1, seller], {"from": stranger})
    assert tx.return_value == 2
    assert [event["accountId"] for event in tx.events["AccountSettled"]] == [buyer, seller]
    assert words(ledger, buyer) == words(ledger, seller) == []
    assert ledger.cashOf(buyer) == FUNDS_WAD + 98 * WAD
    assert ledger.cashOf(seller) == FUNDS_WAD - 98 * WAD
    assert stored_total(ledger) == 2 * FUNDS_WAD


def test_settle__twice__changes_nothing(ledger, oracle, settlement, module, stranger, buyer, seller, expiry):
    ledger.applyTrade((buyer, seller, option(expiry, 2000), WAD, WAD), {"from": module})
    oracle.setPrice(ETH, expiry, 2050 * WAD, {"from": stranger})
    settlement.settle(ETH, expiry, [buyer, buyer], {"from": stranger})
    tx = settlement.settle(ETH, expiry, [buyer], {"from": stranger})
    assert (tx.return_value, len(tx.events)) == (0, 0)
    assert ledger.cashOf(buyer) == FUNDS_WAD + 49 * WAD


def test_settle__no_price__reverts_NotSettled(settlement, stranger, buyer, expiry):
    with reverts_with("Oracle__NotSettled", ETH, expiry):
        settlement.settle(ETH, expiry, [buyer], {"from": stranger})


def test_settle__no_such_account__reverts_UnknownAccount(ledger, oracle, settlement, stranger, expiry):
    oracle.setPrice(ETH, expiry, WAD, {"from": stranger})
    with reverts_with("Accounts__UnknownAccount", 99, ledger.nextAccountId()):
        settlement.settle(ETH, expiry, [99], {"from": stranger})
