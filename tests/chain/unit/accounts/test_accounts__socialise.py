"""Accounts.socialise and accrue: one index, lazily booked, exact in the sum."""

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, shown, stored_total
from tests.chain.unit.conftest import FUNDS_WAD


def test_socialise__positive_cash__bears_its_share(ledger, module, buyer, seller):
    creditor = ledger.open(module, 0, {"from": module}).return_value
    ledger.socialise(creditor, 20_000 * WAD, {"from": module})
    # Nothing but the payment is booked yet, but everybody already sees the loss.
    assert ledger.storedCashOf(buyer) == FUNDS_WAD
    assert ledger.cashOf(buyer) == ledger.cashOf(seller) == 90_000 * WAD
    assert ledger.cashOf(creditor) == 20_000 * WAD
    assert ledger.cashOf(0) == -20_000 * WAD
    assert stored_total(ledger) == 2 * FUNDS_WAD


def test_accrue__after_a_loss__books_it_against_clearing(ledger, module, stranger, buyer, seller):
    ledger.socialise(buyer, 7, {"from": module})
    ledger.socialise(buyer, WAD // 3, {"from": module})
    ledger.accrue([buyer, seller, buyer, 0, 1], {"from": stranger})
    for account_id in (buyer, seller):
        assert ledger.storedCashOf(account_id) == ledger.cashOf(account_id)
    assert stored_total(ledger) == 2 * FUNDS_WAD
    # Rounded against the accounts: clearing keeps the dust and never pays for it.
    assert 0 <= ledger.cashOf(0) < 10**6
    held = ledger.cashOf(buyer) + ledger.cashOf(seller)
    assert 0 <= ledger.positiveCashWad() - held < 10**6


def test_socialise__debtor__bears_nothing(ledger, module, buyer, seller):
    debtor = ledger.open(module, 0, {"from": module}).return_value
    ledger.moveCash(debtor, buyer, 100 * WAD, {"from": module})
    ledger.socialise(seller, 1000 * WAD, {"from": module})
    ledger.accrue([debtor], {"from": module})
    assert ledger.cashOf(debtor) == -100 * WAD


def test_socialise__account_opened_later__bears_nothing(ledger, module, buyer, seller):
    ledger.socialise(buyer, 1000 * WAD, {"from": module})
    late = ledger.open(module, 0, {"from": module}).return_value
    ledger.creditToken(late, 0, WAD, {"from": module})
    assert ledger.cashOf(late) == WAD


def test_socialise__more_than_all_cash__reverts_LossTooLarge(ledger, module, buyer, seller):
    with reverts_with("Accounts__LossTooLarge", 2 * FUNDS_WAD + 1, 2 * FUNDS_WAD):
        ledger.socialise(buyer, 2 * FUNDS_WAD + 1, {"from": module})


def test_socialise__nothing__reverts_ZeroAmount(ledger, module, buyer):
    with reverts_with("Accounts__ZeroAmount", 0, 1):
        ledger.socialise(buyer, 0, {"from": module})


def test_socialise__stranger__reverts_NotModule(ledger, stranger, buyer):
    with reverts_with("Accounts__NotModule", shown(stranger)):
        ledger.socialise(buyer, 1, {"from": stranger})


def test_accrue__no_such_account__reverts_UnknownAccount(ledger, stranger):
    with reverts_with("Accounts__UnknownAccount", 99, ledger.nextAccountId()):
        ledger.accrue([99], {"from": stranger})
