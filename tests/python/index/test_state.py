"""Folding of grants of trader keys and operators, and of intents; the ledger itself is replayed by the chain tests."""

from types import SimpleNamespace

import pytest

from plimsoll.constants import DAY_SEC
from plimsoll.index.reader import ChainEvent
from plimsoll.index.state import GrantState, OperatorState, RateState, State, TermsState, apply

OWNER, BUYER, KEY, OTHER = ("0x" + digit * 40 for digit in "1234")


def event(contract, name, **values):
    return ChainEvent(1, 0, 100, "0x", "0x", contract, name, values)


def granted(account_id, delegate, delta):
    limits = [SimpleNamespace(underlyingId=1, maxDeltaWad=delta, maxGammaWad=5, maxVegaWad=6)]
    terms = SimpleNamespace(untilTs=900, kinds=3, maxLossWad=7, limits=limits)
    return event("Delegation", "Granted", accountId=account_id, delegate=delegate, terms=terms)


@pytest.fixture
def state():
    found = State()
    for account_id in (2, 3):
        apply(found, event("Accounts", "AccountOpened", accountId=account_id, owner=OWNER, mode=0))
        apply(found, granted(account_id, KEY, 4))
    apply(found, granted(2, OTHER, 9))
    return found


def test_apply__granted__replaces_and_starts_from_no_loss(state):
    apply(state, event("Delegation", "DelegateTraded", accountId=2, delegate=KEY, lossWad=1, totalLossWad=3))
    assert state.grants[2, KEY] == GrantState(900, 3, 7, {1: (4, 5, 6)}, 3)
    apply(state, granted(2, KEY, 8))
    assert state.grants[2, KEY] == GrantState(900, 3, 7, {1: (8, 5, 6)}, 0)


def test_apply__revoked__takes_one(state):
    apply(state, event("Delegation", "Revoked", accountId=2, delegate=KEY))
    assert set(state.grants) == {(2, OTHER), (3, KEY)}


def test_apply__account_changes_hands__voids_all_its_grants(state):
    apply(state, event("Accounts", "Transfer", **{"from": OWNER, "to": BUYER, "tokenId": 2}))
    assert set(state.grants) == {(3, KEY)}
    assert state.accounts[2].owner == BUYER


def roles_granted(account_id, operator, most):
    allowances = [SimpleNamespace(tokenId=0, maxRaw=most), SimpleNamespace(tokenId=2, maxRaw=5)]
    terms = SimpleNamespace(untilTs=900, roles=3, allowances=allowances)
    return event("Operators", "Granted", accountId=account_id, operator=operator, terms=terms)


def test_apply__operator_withdrew__counts_for_its_day_and_grant(state):
    apply(state, roles_granted(2, KEY, 40))
    used = {"accountId": 2, "operator": KEY, "tokenId": 0, "amountRaw": 10, "usedRaw": 30}
    apply(state, event("Operators", "OperatorWithdrew", **used))
    found = state.operators[2, KEY]
    assert found == OperatorState(900, 3, {0: 40, 2: 5}, {0: (0, 30)})
    assert [found.left_of(0, now) for now in (100, DAY_SEC - 1, DAY_SEC)] == [10, 10, 40]
    assert [found.left_of(token_id, 100) for token_id in (1, 2)] == [0, 5]
    apply(state, roles_granted(2, KEY, 7))
    assert state.operators[2, KEY].left_of(0, 100) == 7


def test_apply__operators__end_by_revocation_and_by_transfer(state):
    for account_id, operator in ((2, KEY), (2, OTHER), (3, KEY)):
        apply(state, roles_granted(account_id, operator, 1))
    apply(state, event("Operators", "Revoked", accountId=3, operator=KEY))
    assert set(state.operators) == {(2, KEY), (2, OTHER)}
    apply(state, event("Accounts", "Transfer", **{"from": OWNER, "to": BUYER, "tokenId": 2}))
    assert state.operators == {}


def test_apply__intent_filled__is_remembered_the_same_from_chain_and_database(state):
    for digest in (b"\x01" * 32, "0x" + "01" * 32):
        apply(state, event("Intents", "IntentFilled", digest=digest, accountId=2, solverId=3, costWad=-1))
    assert state.intents == {"0x" + "01" * 32}


def test_apply__terms_of_a_token__follow_governors_and_rates(state):
    params = SimpleNamespace(listed=True, linkedUnderlying=1, haircutWad=2, linkedHaircutWad=3, ratioWad=4)
    apply(state, event("ScenarioBook", "CollateralSet", tokenId=1, version=1, oldParams=None, newParams=params))
    assert state.terms == {1: TermsState(1, 2, 3, 4)}
    apply(state, event("ScenarioBook", "RatioSet", tokenId=1, version=2, oldRatioWad=4, newRatioWad=5))
    assert state.terms == {1: TermsState(1, 2, 3, 5)}
    # A ratio without terms: the index was begun before it read the book.
    apply(state, event("ScenarioBook", "RatioSet", tokenId=2, version=3, oldRatioWad=4, newRatioWad=5))
    assert set(state.terms) == {1}


def test_apply__rates__say_when_the_next_observation_may_be_made(state):
    def source(address):
        terms = SimpleNamespace(source=address, gapSec=60, fallGapSec=24)
        return event("RateFeed", "SourceSet", tokenId=1, terms=terms)

    apply(state, source(KEY))
    assert state.rates == {1: RateState(60, 24, 0, 100)}
    assert state.rates[1].due_ts(5) == 100
    apply(state, event("RateFeed", "RateObserved", tokenId=1, rateWad=5, ts=90))
    assert state.rates == {1: RateState(60, 24, 5, 90)}
    # Of a fall the second observation is due after the short gap.
    assert [state.rates[1].due_ts(ratio) for ratio in (4, 5, 6)] == [150, 150, 114]
    apply(state, source("0x" + "0" * 40))
    assert state.rates == {}
