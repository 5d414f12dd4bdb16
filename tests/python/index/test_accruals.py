"""What funding and interest do to the cash of the rebuilt state between events."""

from types import SimpleNamespace

import pytest

from plimsoll.chain.words import Word, pack
from plimsoll.constants import FUND_ID, WAD, YEAR_SEC
from plimsoll.index.reader import ChainEvent
from plimsoll.index.state import State, apply
from plimsoll.model import Kind

ETH, HOUR = 1, 3_600
LENDER, DEBTOR = 2, 3


def event(name, ts, contract="Accounts", **values):
    return ChainEvent(1, 0, ts, "0x", "0x", contract, name, values)


def cash(account_id, amount, ts):
    return event("CashChanged", ts, accountId=account_id, deltaWad=amount, cashWad=amount, reason=0)


@pytest.fixture
def state():
    found = State()
    for account_id in (0, FUND_ID, LENDER, DEBTOR):
        apply(found, event("AccountOpened", 100, accountId=account_id, owner="0x1", mode=0))
    return found


def test_cash_of__perpetual__pays_by_the_index_since_it_was_opened(state):
    apply(state, event("FundingRateSet", 100, underlyingId=ETH, indexWad=5 * WAD, rateWad=24 * WAD))
    word = pack(Word(ETH, Kind.PERP, 0, 10**8, -2 * WAD))
    apply(state, event("PositionChanged", 100 + HOUR // 2, accountId=LENDER, oldWord=0, newWord=word))
    assert state.cash_of(LENDER) == 0
    state.ts = 100 + HOUR
    assert (state.funding_index(ETH), state.cash_of(LENDER)) == (6 * WAD, WAD)
    # Half an hour for two units short; then nobody has renewed the rate.
    state.ts += HOUR
    assert state.cash_of(LENDER) == WAD
    apply(state, event("FundingSettled", state.ts, accountId=LENDER, underlyingId=ETH, paidWad=-WAD, indexWad=6 * WAD))
    apply(state, cash(LENDER, WAD, state.ts))
    assert state.cash_of(LENDER) == WAD


def test_cash_of__debt__grows_and_lenders_and_fund_share_it(state):
    apply(state, event("RateCurveSet", 100, curve=SimpleNamespace(reserveBps=1_000)))
    apply(state, cash(LENDER, 1_000 * WAD, 100))
    apply(state, cash(DEBTOR, -500 * WAD, 100))
    apply(state, event("LoansChanged", 100, debtWad=500 * WAD, positiveCashWad=1_000 * WAD, rateE6=100_000))
    state.ts = 100 + YEAR_SEC
    assert [state.cash_of(i) // WAD for i in (LENDER, DEBTOR, FUND_ID)] == [1_045, -550, 5]
    booked = {"interestWad": 50 * WAD, "reserveWad": 5 * WAD}
    indices = {"cashIndexWad": 1_045 * WAD // 1_000, "debtIndexWad": 11 * WAD // 10}
    apply(state, event("InterestAccrued", state.ts, **booked, **indices))
    apply(state, cash(FUND_ID, 5 * WAD, state.ts))
    assert [state.cash_of(i) // WAD for i in (LENDER, DEBTOR, FUND_ID)] == [1_045, -550, 5]


def test_account_closed__is_forgotten(state):
    apply(state, event("AccountClosed", 100, accountId=DEBTOR))
    assert (sorted(state.accounts), state.closed_count) == ([0, FUND_ID, LENDER], 1)
