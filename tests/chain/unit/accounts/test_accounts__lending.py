"""Interest of cash in the ledger: the curve, both indices, the share of the fund, and conservation."""

import random

import pytest
from brownie import chain

from plimsoll.index.interest import Curve, Lending, accrual, after_index, climbed, rate
from plimsoll.model import Kind
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, option, shown, snapshot, stored_total
from tests.chain.unit.conftest import FUNDS_WAD

CLEARING, FUND = 0, 1
SOCIALISED, INTEREST, RESERVE = 6, 9, 10
YEAR = 31_536_000
#: 2% to 7% at a utilisation of 80%, then to 100%; a tenth for the fund; nobody lifts utilisation above 80%.
CURVE = (20_000, 800_000, 70_000, 1_000_000, 1_000, 800_000)
POSITIVE = 2 * FUNDS_WAD


def pass_time(sec):
    chain.sleep(sec)
    chain.mine()


@pytest.fixture
def lent(ledger, governor, buyer, seller):
    ledger.setRateCurve(CURVE, {"from": governor})


@pytest.fixture
def debtor(ledger, lent, module, stranger):
    """Owes 160,000: a utilisation of exactly 80%."""
    account_id = ledger.open(stranger, 0, {"from": stranger}).return_value
    ledger.borrowCash(account_id, 160_000 * WAD, {"from": module})
    return account_id


def loan(ledger):
    return tuple(ledger.lendingOf()[0])


def test_set_rate_curve__event_and_view__tell_it(ledger, governor):
    tx = ledger.setRateCurve(CURVE, {"from": governor})
    assert tuple(tx.events["RateCurveSet"]["curve"]) == CURVE
    assert tuple(ledger.lendingOf()[1]) == CURVE


@pytest.mark.parametrize(
    ("changed", "name", "args"),
    [
        ({1: 0}, "BadKink", (0, 10**6)),
        ({1: 10**6}, "BadKink", (10**6, 10**6)),
        ({0: 70_001}, "RateAboveNext", (70_001, 70_000)),
        ({2: 1_000_001}, "RateAboveNext", (1_000_001, 1_000_000)),
        ({3: 4_000_001}, "RateAboveNext", (4_000_001, 4_000_000)),
        ({4: 5_001}, "ReserveTooLarge", (5_001, 5_000)),
        ({5: 0}, "BadUtilisation", (0, 10**6)),
        ({5: 10**6 + 1}, "BadUtilisation", (10**6 + 1, 10**6)),
        ({2: 70_001}, "LiftTooLarge", (50_001, 50_000)),
        ({5: 800_001}, "LiftTooLarge", (50_005, 50_000)),
    ],
)
def test_set_rate_curve__out_of_domain__reverts(ledger, governor, changed, name, args):
    curve = list(CURVE)
    for place, value in changed.items():
        curve[place] = value
    with reverts_with(f"Accounts__{name}", *args):
        ledger.setRateCurve(curve, {"from": governor})
    assert tuple(ledger.lendingOf()[1]) == (0,) * 6


def test_set_rate_curve__at_the_limits__is_taken(ledger, governor):
    for curve in ((3_950_000, 1, 4_000_000, 4_000_000, 5_000, 10**6), (0, 999_999, 0, 0, 0, 1)):
        ledger.setRateCurve(curve, {"from": governor})
        assert tuple(ledger.lendingOf()[1]) == curve


def test_set_rate_curve__stranger__reverts(ledger, stranger):
    with reverts_with("AccessManagedUnauthorized"):
        ledger.setRateCurve(CURVE, {"from": stranger})


@pytest.mark.parametrize(
    ("debt", "rate_e6"),
    [
        (1, 20_001),
        (80_000 * WAD, 45_000),
        (160_000 * WAD, 70_000),
    ],
)
def test_borrow_cash__utilisation__sets_the_rate(ledger, lent, module, stranger, debt, rate_e6):
    account_id = ledger.open(stranger, 0, {"from": stranger}).return_value
    tx = ledger.borrowCash(account_id, debt, {"from": module})
    assert tx.events["LoansChanged"] == {"debtWad": debt, "positiveCashWad": POSITIVE, "rateE6": rate_e6}
    assert loan(ledger) == (debt, WAD, rate_e6, tx.timestamp)
    assert rate(debt, POSITIVE, Curve(*CURVE)) == rate_e6


def test_borrow_cash__above_the_cap_of_utilisation__reverts(ledger, lent, module, debtor):
    with reverts_with("Accounts__UtilisationAboveCap"):
        ledger.borrowCash(debtor, WAD, {"from": module})


def test_borrow_cash__no_curve__bears_nothing(ledger, module, buyer, seller):
    ledger.borrowCash(buyer, FUNDS_WAD + WAD, {"from": module})
    pass_time(YEAR)
    assert (ledger.cashOf(buyer), ledger.cashOf(seller)) == (-WAD, FUNDS_WAD)


def test_borrow_cash__own_cash_first__only_the_rest_is_debt(ledger, lent, module, buyer):
    ledger.borrowCash(buyer, FUNDS_WAD - 1, {"from": module})
    assert loan(ledger)[0] == 0
    ledger.borrowCash(buyer, 8, {"from": module})
    assert (loan(ledger)[0], ledger.cashOf(buyer)) == (7, -7)


def test_borrow_cash__bad_calls__revert(ledger, module, stranger, buyer):
    with reverts_with("Accounts__NotModule", shown(stranger)):
        ledger.borrowCash(buyer, 1, {"from": stranger})
    with reverts_with("Accounts__ZeroAmount", 0, 1):
        ledger.borrowCash(buyer, 0, {"from": module})
    with reverts_with("Accounts__Reserved", 0, 1):
        ledger.borrowCash(CLEARING, 1, {"from": module})


def test_interest__a_year__debt_grows_lenders_and_fund_share_it(ledger, debtor, buyer, seller, stranger):
    outside = stored_total(ledger)
    pass_time(YEAR)
    elapsed = chain[-1].timestamp - loan(ledger)[3]
    moved = accrual(Lending(WAD, WAD, 160_000 * WAD, POSITIVE, 70_000, 0, 1_000), elapsed)
    seen = {i: ledger.cashOf(i) for i in (FUND, buyer, seller, debtor)}
    assert seen[debtor] == after_index(-160_000 * WAD, WAD, moved)
    assert seen[buyer] == seen[seller] == after_index(FUNDS_WAD, WAD, moved)
    assert seen[FUND] == moved.reserve_wad
    # 7% of 160,000 a year, nine tenths of that for the lenders.
    assert abs(seen[debtor] + 171_200 * WAD) < WAD // 100
    assert abs(seen[buyer] - 105_040 * WAD) < WAD // 100
    assert ledger.storedCashOf(buyer) == FUNDS_WAD
    assert ledger.positiveCashWad() == POSITIVE + moved.interest_wad
    assert ledger.cashIndexWad() == moved.cash_index_wad
    tx = ledger.accrue([debtor, buyer, seller], {"from": stranger})
    assert [e["reason"] for e in tx.events["CashChanged"] if e["accountId"] == debtor] == [INTEREST]
    assert [e["reason"] for e in tx.events["CashChanged"] if e["accountId"] == FUND] == [RESERVE]
    booked = [ledger.storedCashOf(i) for i in (FUND, buyer, seller, debtor)]
    # A second went by between; what is booked is what is seen.
    assert booked == [ledger.cashOf(i) for i in (FUND, buyer, seller, debtor)]
    assert all(abs(b - s) < WAD for b, s in zip(booked, seen.values(), strict=True))
    assert 0 <= ledger.storedCashOf(CLEARING) < 10**6
    assert stored_total(ledger) == outside


def test_interest__booked_or_not__grows_alike(ledger, debtor, module, buyer, seller, stranger):
    """Booking compounds; nothing else tells an account that was touched from one that was not."""
    pass_time(86_400)
    ledger.accrue([buyer], {"from": stranger})
    pass_time(86_400)
    assert abs(ledger.cashOf(buyer) - ledger.cashOf(seller)) <= 1


def test_interest__repaid__stops(ledger, debtor, module, buyer, stranger):
    pass_time(YEAR // 12)
    ledger.accrue([debtor], {"from": stranger})
    owed = -ledger.cashOf(debtor)
    ledger.creditToken(debtor, 0, owed + 10 * WAD, {"from": module})
    debt, index, rate_e6, _ = loan(ledger)
    assert (debt, rate_e6) == (0, 0)
    before = ledger.cashOf(buyer)
    pass_time(YEAR)
    assert (ledger.cashOf(buyer), loan(ledger)[1]) == (before, index)
    assert ledger.cashOf(debtor) <= 10 * WAD


def test_interest__new_debtor__owes_from_now_on(ledger, debtor, module, stranger):
    pass_time(YEAR)
    # The interest alone has lifted utilisation above its cap.
    ledger.creditToken(debtor, 0, 20_000 * WAD, {"from": module})
    late = ledger.open(stranger, 0, {"from": stranger}).return_value
    ledger.borrowCash(late, WAD, {"from": module})
    assert ledger.cashOf(late) == -WAD
    ledger.creditToken(late, 0, 2 * WAD, {"from": module})
    assert abs(ledger.cashOf(late) - WAD) < WAD // 10**6


def test_interest__loss_in_between__both_indices_hold(ledger, debtor, module, buyer, seller, stranger):
    pass_time(YEAR)
    ledger.accrue([buyer, seller, debtor], {"from": stranger})
    total, held = stored_total(ledger), ledger.cashOf(buyer)
    owed = ledger.cashOf(debtor)
    ledger.socialise(stranger_account(ledger, stranger), ledger.positiveCashWad() // 4, {"from": module})
    assert abs(ledger.cashOf(buyer) - held * 3 // 4) < WAD // 10
    assert abs(ledger.cashOf(debtor) - owed) < WAD // 10
    tx = ledger.accrue([buyer], {"from": stranger})
    assert [e["reason"] for e in tx.events["CashChanged"] if e["accountId"] == buyer] == [SOCIALISED]
    assert stored_total(ledger) == total


def stranger_account(ledger, stranger):
    return ledger.open(stranger, 0, {"from": stranger}).return_value


def test_interest__nobody_lends__is_the_funds(ledger, governor, module, buyer, seller, stranger):
    debtor = stranger_account(ledger, stranger)
    ledger.borrowCash(debtor, 160_000 * WAD, {"from": module})
    # The curve comes last: with interest on, a second between reading and moving would leave a lender of dust.
    for account_id in (buyer, seller):
        ledger.moveCash(account_id, CLEARING, ledger.cashOf(account_id), {"from": module})
    ledger.setRateCurve(CURVE, {"from": governor})
    assert (ledger.positiveCashWad(), ledger.cashOf(FUND)) == (0, 0)
    pass_time(3_600)
    assert ledger.cashOf(FUND) > 0
    assert ledger.positiveCashWad() >= ledger.cashOf(FUND)


def test_interest__index_at_the_end_of_its_range__stops_and_blocks_nobody(ledger, governor, module, buyer, stranger):
    ledger.setRateCurve((4_000_000, 1, 4_000_000, 4_000_000, 0, 10**6), {"from": governor})
    account_id = ledger.open(stranger, 0, {"from": stranger}).return_value
    ledger.borrowCash(account_id, WAD, {"from": module})
    for _ in range(6):
        pass_time(2 * YEAR)
        ledger.accrue([account_id], {"from": stranger})
    top = loan(ledger)[1]
    assert top < 2**72
    pass_time(2_000 * YEAR)
    assert loan(ledger)[1] == top
    ledger.accrue([account_id, buyer], {"from": stranger})
    ledger.debitToken(buyer, 0, WAD, {"from": module})


def test_interest__any_path__clearing_keeps_roundings_only(ledger, lent, module, buyer, seller, stranger):
    seed = random.Random(11)
    ids = [buyer, seller, stranger_account(ledger, stranger), stranger_account(ledger, stranger)]
    inside = stored_total(ledger)
    for _ in range(60):
        step, account_id = seed.choice(["borrow", "repay", "touch", "move", "loss"]), seed.choice(ids)
        amount = seed.randrange(1, 40_000 * WAD)
        if step == "borrow" and 2 * (loan(ledger)[0] + amount) < ledger.positiveCashWad() - amount:
            ledger.borrowCash(account_id, amount, {"from": module})
            inside -= amount
        elif step == "repay":
            ledger.creditToken(account_id, 0, amount, {"from": module})
            inside += amount
        elif step == "move":
            ledger.moveCash(account_id, seed.choice(ids), amount, {"from": module})
        elif step == "loss":
            ledger.socialise(account_id, ledger.positiveCashWad() // 1_000 + 1, {"from": module})
        else:
            ledger.accrue([account_id], {"from": stranger})
        chain.sleep(seed.randrange(1, 10**6))
        assert stored_total(ledger) == inside
    ledger.accrue([*ids, FUND], {"from": stranger})
    assert all(ledger.storedCashOf(i) == ledger.cashOf(i) for i in ids)
    # 60 bookings of at most 1e-18 of all cash each, and a few wei.
    assert 0 <= ledger.storedCashOf(CLEARING) < 60 * 10**7
    debts = -sum(min(ledger.cashOf(i), 0) for i in ids)
    lent_out = sum(max(ledger.cashOf(i), 0) for i in [*ids, FUND])
    assert 0 <= debts - loan(ledger)[0] < 60 * 10**7
    assert 0 <= ledger.positiveCashWad() - lent_out < 60 * 10**7


def test_apply_trade__bond_bought_on_credit__leaves_the_rate_of_others_alone(
    ledger, lent, module, buyer, seller, expiry
):
    """A deep put sold to oneself made a debt of nine times all cash and took the rate from 1.4% to 99.6%."""
    attacker = [stranger_account(ledger, module), stranger_account(ledger, module)]
    ledger.borrowCash(buyer, FUNDS_WAD + 10_000 * WAD, {"from": module})
    before = loan(ledger)[2]
    word, price = option(expiry, 10**7, Kind.PUT), 10**7 * WAD
    with reverts_with("Accounts__UtilisationAboveCap"):
        ledger.applyTrade((*attacker, word, WAD, price), {"from": module})
    # What the cap allows lifts the rate by less than five points.
    ledger.applyTrade((*attacker, word, WAD // 1_000, price), {"from": module})
    assert before < loan(ledger)[2] <= before + 50_000


def test_apply_trade__above_the_cap__only_growing_debt_is_refused(ledger, lent, module, buyer, seller, debtor, expiry):
    word = option(expiry, 2_000)
    with reverts_with("Accounts__UtilisationAboveCap"):
        ledger.applyTrade((debtor, seller, word, WAD, WAD), {"from": module})
    ledger.applyTrade((buyer, seller, word, WAD, WAD), {"from": module})
    ledger.applyTrade((seller, debtor, word, WAD, WAD), {"from": module})
    held = [snapshot(ledger, account_id)["positions"] for account_id in (buyer, seller, debtor)]
    assert [len(words) for words in held] == [1, 0, 1]


def test_debit_token__lender_leaves__stops_at_the_cap(ledger, lent, module, buyer, seller, debtor):
    with reverts_with("Accounts__UtilisationAboveCap"):
        ledger.debitToken(buyer, 0, WAD, {"from": module})
    ledger.creditToken(debtor, 0, 80_000 * WAD, {"from": module})
    ledger.debitToken(buyer, 0, 99_000 * WAD, {"from": module})
    # What is left, and the interest of the seconds in between.
    assert 0 <= ledger.cashOf(buyer) - 1_000 * WAD < WAD
    with reverts_with("Accounts__UtilisationAboveCap"):
        ledger.debitToken(seller, 0, 2_000 * WAD, {"from": module})


def test_debit_token__nobody_owes__is_never_held(ledger, lent, module, buyer, seller):
    for account_id in (buyer, seller):
        ledger.debitToken(account_id, 0, FUNDS_WAD, {"from": module})
        assert ledger.cashOf(account_id) == 0
    assert ledger.positiveCashWad() == 0


def test_interest__settlement_above_the_cap__climbs_five_points_a_day(ledger, debtor, module, buyer, stranger):
    """What no action can do, a settlement can: then borrowers have days, not a block."""
    ledger.moveCash(debtor, buyer, 1_840_000 * WAD, {"from": module})
    debt, _, rate_e6, since = loan(ledger)
    curve, wanted = Curve(*CURVE), rate(debt, ledger.positiveCashWad(), Curve(*CURVE))
    assert (rate_e6, wanted) == (70_000, climbed(0, wanted, curve, 365 * 86_400))
    assert wanted > 500_000
    for _ in range(3):
        pass_time(86_400)
        ledger.accrue([buyer], {"from": stranger})
        _, _, now_e6, now_ts = loan(ledger)
        assert now_e6 == climbed(rate_e6, 10**6, curve, now_ts - since)
        rate_e6, since = now_e6, now_ts
    assert 219_000 < rate_e6 < 221_000
    ledger.creditToken(debtor, 0, 1_960_000 * WAD, {"from": module})
    assert loan(ledger)[2] < 70_000
