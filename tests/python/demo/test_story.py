"""What the demo makes of events: quotes, loans, funding, expiries and the fund's book, to the wei."""

from types import SimpleNamespace

import pytest

from plimsoll.chain.words import Word, pack
from plimsoll.demo.facts import Side
from plimsoll.demo.story import Reason, borrowing_of, expiries_of, facts_of, fund_of, funding_of, quotes_of
from plimsoll.index.reader import ChainEvent
from plimsoll.model import Kind

WAD = 10**18
CLEARING, FUND, LONG, SHORT, BORROWER = 0, 1, 2, 3, 4
SYMBOLS = {1: "ETH"}
SIDE = Side(10 * WAD, WAD, 9 * WAD, 2 * WAD)


def event(contract, name, tx="0x1", block=7, **values):
    return ChainEvent(block, 0, 100, "0x", tx, contract, name, values)


class Ledger:
    """Emits changes of cash with running balances."""

    def __init__(self):
        self.events, self.cash = [], {}

    def move(self, account_id, delta, reason):
        self.cash[account_id] = self.cash.get(account_id, 0) + delta
        values = {"accountId": account_id, "deltaWad": delta, "cashWad": self.cash[account_id], "reason": reason}
        self.events.append(event("Accounts", "CashChanged", **values))

    def note(self, contract, name, **values):
        self.events.append(event(contract, name, **values))


@pytest.fixture
def ledger():
    return Ledger()


def fund(ledger, account_id, delta):
    ledger.move(account_id, delta, Reason.FUNDING)
    ledger.move(CLEARING, -delta, Reason.CLEARING)


def test_funding_of__payer_and_receiver__sum_to_nothing_with_clearing(ledger):
    ledger.note("PerpMarket", "FundingUpdated", underlyingId=1, roundTs=1, rateWad=1)
    fund(ledger, LONG, -101)
    fund(ledger, SHORT, 100)
    # Another change of clearing has nothing to do with it.
    ledger.move(CLEARING, 55, Reason.CLEARING)
    found = funding_of(ledger.events)
    assert (found.net_wad, found.paid_wad, found.received_wad) == ({LONG: 101, SHORT: -100}, 101, 100)
    assert (found.updates, found.kept_wad, found.residue_wad) == (1, 1, 0)


def test_funding_of__clearing_does_not_take_the_other_side__leaves_a_residue(ledger):
    ledger.move(LONG, -101, Reason.FUNDING)
    ledger.move(CLEARING, 100, Reason.CLEARING)
    assert funding_of(ledger.events).residue_wad == -1
    facts = facts_of(ledger.events, SYMBOLS, {}, 0)
    assert facts.problems() == ["I-05 funding: payments and clearing sum to -1 wei, not 0"]


def test_borrowing_of__loan_and_repayment__splits_the_interest(ledger):
    ledger.note("Accounts", "CollateralChanged", accountId=BORROWER, tokenId=1, deltaWad=5, amountWad=5 * WAD)
    ledger.move(LONG, 1_000, Reason.DEPOSIT)
    ledger.move(BORROWER, 30, Reason.DEPOSIT)
    ledger.move(BORROWER, -130, Reason.WITHDRAWAL)
    ledger.note("Accounts", "LoansChanged", debtWad=100, positiveCashWad=1_000, rateE6=20_000)
    ledger.move(BORROWER, -12, Reason.INTEREST)
    ledger.move(LONG, 9, Reason.INTEREST)
    ledger.move(FUND, 2, Reason.RESERVE)
    ledger.move(BORROWER, 150, Reason.DEPOSIT)
    found = borrowing_of(ledger.events)
    # Thirty of what went out was the account's own, thirty-eight of what came in was more than it owed.
    assert (found.drawn_wad, found.repaid_wad) == ({BORROWER: 100}, {BORROWER: 112})
    assert (found.paid_wad, found.earned_wad, found.reserve_wad, found.kept_wad) == ({BORROWER: 12}, {LONG: 9}, 2, 1)
    assert (found.highest_debt_wad, found.highest_rate_e6) == (100, 20_000)
    assert found.collateral_wad == {BORROWER: {1: 5 * WAD}}


def test_borrowing_of__lenders_get_more_than_is_paid__is_a_problem(ledger):
    ledger.move(BORROWER, -1, Reason.INTEREST)
    ledger.move(LONG, 2, Reason.INTEREST)
    assert facts_of(ledger.events, SYMBOLS, {}, 0).problems() == ["I-13 interest: clearing paid 1 wei"]


def settle(ledger, account_id, delta, kind=Kind.PUT):
    word = pack(Word(1, kind, 900, 2_000 * 10**8, WAD))
    ledger.note("Accounts", "PositionChanged", accountId=account_id, oldWord=word, newWord=0)
    if delta:
        ledger.move(account_id, delta, Reason.SETTLEMENT)
    values = {"accountId": account_id, "underlyingId": 1, "expiryTs": 900, "priceWad": 1_900 * WAD, "settled": 1}
    ledger.note("Settlement", "AccountSettled", **values)


def test_expiries_of__holder_and_writer__shows_who_got_what(ledger):
    ledger.note("Oracle", "SettlementPosted", underlyingId=1, expiryTs=900, priceWad=1_900 * WAD)
    settle(ledger, LONG, 100 * WAD)
    settle(ledger, SHORT, -100 * WAD)
    settle(ledger, BORROWER, 0)
    (found,) = expiries_of(ledger.events, SYMBOLS)
    assert (found.underlying, found.expiry_ts, found.price_wad, found.positions) == ("ETH", 900, 1_900 * WAD, 3)
    assert found.cash_wad == {LONG: 100 * WAD, SHORT: -100 * WAD, BORROWER: 0}
    assert found.paid_out_wad == found.collected_wad == 100 * WAD
    assert not found.has_futures


@pytest.mark.parametrize(("kind", "count"), [(Kind.PUT, 1), (Kind.FUTURE, 0)])
def test_problems__more_paid_out_than_collected__counts_for_options(ledger, kind, count):
    ledger.note("Oracle", "SettlementPosted", underlyingId=1, expiryTs=900, priceWad=1)
    settle(ledger, LONG, 5, kind)
    settle(ledger, SHORT, -4, kind)
    assert len(facts_of(ledger.events, SYMBOLS, {}, 0).problems()) == count


def test_fund_of__every_income_and_a_loss__explains_the_balance(ledger):
    ledger.move(FUND, 1_000, Reason.DEPOSIT)
    ledger.note("Exchange", "FeePaid", digest="0x", accountId=LONG, toId=FUND, feeWad=7)
    ledger.move(FUND, 7, Reason.TRANSFER)
    ledger.note("Exchange", "FeePaid", digest="0x", accountId=LONG, toId=LONG, feeWad=50)
    ledger.note("Auction", "BidFilled", accountId=SHORT, feeWad=3)
    ledger.move(FUND, 3, Reason.TRANSFER)
    ledger.move(FUND, 2, Reason.RESERVE)
    ledger.move(FUND, 1, Reason.INTEREST)
    ledger.note("InsuranceFund", "FundDrawn", accountId=SHORT, paidWad=400, leftWad=613)
    ledger.move(FUND, -400, Reason.TRANSFER)
    found = fund_of(ledger.events, 613)
    incomes = (found.deposited_wad, found.trade_fees_wad, found.liquidation_fees_wad)
    assert incomes == (1_000, 7, 3)
    assert (found.reserve_wad, found.interest_wad, found.drawn_wad, found.other_wad) == (2, 1, 400, 0)
    assert (found.balance_wad, found.gap_wad) == (613, 0)


def test_fund_of__balance_that_no_event_explains__is_a_problem(ledger):
    ledger.move(FUND, 1_000, Reason.DEPOSIT)
    assert facts_of(ledger.events, SYMBOLS, {}, 999).problems() == ["fund: -1 wei of the balance are in no event"]


def test_quotes_of__two_legs__are_what_the_taker_holds():
    put, call = (pack(Word(1, kind, 900, 2_000 * 10**8, 0)) for kind in (Kind.PUT, Kind.CALL))

    def settled(tx, instrument, buyer, seller, price):
        values = {"instrument": instrument, "buyerId": buyer, "sellerId": seller}
        return event("Exchange", "Settled", tx, **values, quantityWad=3 * WAD, priceWad=price * WAD)

    events = [
        settled("0x9", put, LONG, SHORT, 1),
        settled("0xa", put, LONG, SHORT, 40),
        settled("0xa", call, SHORT, LONG, 50),
        event("Exchange", "FeePaid", "0xa", digest="0x", accountId=LONG, toId=FUND, feeWad=6),
        event("Exchange", "QuoteFilled", "0xa", block=8, digest="0x", makerId=SHORT, takerId=LONG, caller="0x"),
    ]
    (found,) = quotes_of(events, SYMBOLS, {8: (SIDE, SIDE)})
    legs = [(leg.position.kind, leg.position.price, leg.position.quantity, leg.price) for leg in found.legs]
    assert legs == [(Kind.PUT, 2_000.0, 3.0, 40.0), (Kind.CALL, 2_000.0, -3.0, 50.0)]
    assert (found.taker_id, found.maker_id, found.fee_wad, found.taker) == (LONG, SHORT, 6, SIDE)
    assert found.as_json()["takerMargin"]["initialMarginAfter"] == 2.0


def test_reasons__equal_the_contract():
    """The numbers are read off the interface, so that a new reason in the middle cannot shift them."""
    from pathlib import Path

    source = (Path(__file__).parents[3] / "interfaces" / "IAccounts.sol").read_text(encoding="utf-8")
    names = source.partition("enum Reason {")[2].partition("}")[0].replace(",", " ").split()
    assert {name: number for number, name in enumerate(names)} == dict(Reason.__members__)


def test_side__as_json__is_in_cash_units():
    assert SimpleNamespace(**SIDE.as_json()).equityBefore == 10.0
