"""Every event changes no more of the state than it is said to: undoing and storing rest on that."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest

from plimsoll.chain.words import Word, pack
from plimsoll.constants import WAD
from plimsoll.index.ledger import Ledger
from plimsoll.index.reader import ChainEvent
from plimsoll.index.rows import account_of, account_row, fact_row, set_fact
from plimsoll.index.state import _FOLD, State, apply
from plimsoll.index.touches import _TOUCHES, ABSENT, SETS, SINGLE, entry_of, touched
from plimsoll.model import Kind

OWNER, OTHER = "0x" + "1" * 40, "0x" + "2" * 40
PERP = pack(Word(1, Kind.PERP, 0, 10**8, WAD))
CALL = pack(Word(1, Kind.CALL, 1_800_000_000, 10**8, WAD))


def struct(**fields):
    return SimpleNamespace(**fields)


def story():
    """Every event that the fold knows, in an order in which each finds what it needs."""
    a, o, n, u = ({"accountId": 2}, {"accountId": 2, "delegate": OTHER}, {"tokenId": 1}, {"underlyingId": 1})
    op = {"accountId": 2, "operator": OTHER}
    limits = [struct(underlyingId=1, maxDeltaWad=1, maxGammaWad=2, maxVegaWad=3)]
    grant = struct(untilTs=900, kinds=3, maxLossWad=7, limits=limits)
    roles = struct(untilTs=900, roles=3, allowances=[struct(tokenId=0, maxRaw=5)])
    terms = struct(linkedUnderlying=1, haircutWad=2, linkedHaircutWad=3, ratioWad=WAD)
    posted = struct(underlyingId=1, ts=5, spotWad=6, perpWad=6, confWad=6, meanWad=6, surfaces=[struct(expiryTs=9)])
    return [
        ("Accounts", "AccountOpened", {**a, "owner": OWNER, "mode": 0}),
        ("Accounts", "AccountOpened", {"accountId": 3, "owner": OWNER, "mode": 0}),
        ("Accounts", "RateCurveSet", {"curve": struct(reserveBps=1_000)}),
        ("Accounts", "LoansChanged", {"debtWad": 5, "positiveCashWad": 9, "rateE6": 3}),
        ("Accounts", "CashChanged", {**a, "cashWad": 7 * WAD}),
        ("Accounts", "CollateralChanged", {**a, **n, "amountWad": 4}),
        ("Accounts", "FundingRateSet", {**u, "indexWad": 5, "rateWad": 6}),
        ("Accounts", "PositionChanged", {**a, "oldWord": 0, "newWord": PERP}),
        ("Accounts", "PositionChanged", {**a, "oldWord": 0, "newWord": CALL}),
        ("Accounts", "FundingSettled", {**a, **u, "indexWad": 8}),
        ("Accounts", "ModeChanged", {**a, "newMode": 1}),
        ("Accounts", "InterestAccrued", {"cashIndexWad": 2, "debtIndexWad": 3, "interestWad": 4, "reserveWad": 1}),
        ("Accounts", "LossSocialised", {"newIndexWad": 9, "lossWad": 2}),
        ("PerpMarket", "FundingUpdated", {**u, "roundTs": 5}),
        ("Oracle", "RoundPosted", {**u, "round": posted}),
        ("Oracle", "TokenPricePosted", {**n, "ts": 4, "priceWad": 5}),
        ("Oracle", "SettlementPosted", {**u, "expiryTs": 4, "priceWad": 5}),
        ("ScenarioBook", "CollateralSet", {**n, "newParams": terms}),
        ("ScenarioBook", "RatioSet", {**n, "newRatioWad": 2 * WAD}),
        ("RateFeed", "SourceSet", {**n, "terms": struct(source=OTHER, gapSec=60, fallGapSec=24)}),
        ("RateFeed", "RateObserved", {**n, "rateWad": WAD, "ts": 40}),
        ("Delegation", "Granted", {**o, "terms": grant}),
        ("Delegation", "DelegateTraded", {**o, "totalLossWad": 3}),
        ("Delegation", "Revoked", dict(o)),
        ("Delegation", "Granted", {**o, "terms": grant}),
        ("Operators", "Granted", {**op, "terms": roles}),
        ("Operators", "OperatorWithdrew", {**op, "tokenId": 0, "usedRaw": 3}),
        ("Operators", "Revoked", dict(op)),
        ("Operators", "Granted", {**op, "terms": roles}),
        ("Operators", "OperatorWithdrew", {**op, "tokenId": 0, "usedRaw": 4}),
        ("Intents", "IntentFilled", {"digest": b"\x07" * 32}),
        ("Auction", "AuctionStarted", dict(a)),
        ("Guarantees", "LineGiven", {"lineId": 3, "sponsorId": 4, "beneficiaryId": 2, "endTs": 9, "rampSec": 5}),
        ("Guarantees", "LineExtended", {"lineId": 3, "endTs": 99}),
        ("Auction", "BidFilled", {**a, "isSolvent": True, "cashWad": 9, "fractionWad": 1}),
        ("Auction", "ClocksSet", {**a, "solventTs": 1, "insolventTs": 2, "vouchedTs": 3}),
        ("Auction", "LossNoted", {**a, "lossWad": 2}),
        ("Auction", "LossCovered", {**a, "fromReserveWad": 2}),
        ("Accounts", "Transfer", {"from": OWNER, "to": OTHER, "tokenId": 2}),
        ("Auction", "AuctionEnded", dict(a)),
        ("Guarantees", "LineEnded", {"lineId": 3}),
        ("Accounts", "CollateralChanged", {**a, **n, "amountWad": 0}),
        ("Accounts", "AccountClosed", {"accountId": 3}),
    ]


def events():
    return [ChainEvent(n, 0, 100 + n, "0x", "0x", c, name, values) for n, (c, name, values) in enumerate(story(), 1)]


def entries(state):
    found = {}
    for section in vars_of(state):
        held = getattr(state, section)
        if section in SINGLE:
            found[section, None] = held
        elif section in SETS:
            found.update({(section, key): True for key in held})
        else:
            found.update({(section, key): value for key, value in held.items()})
    return found


def vars_of(state):
    return [name for name in state.__dataclass_fields__ if name != "ts"]


def test_story__names_every_event_of_the_fold():
    assert {(contract, name) for contract, name, _ in story()} == set(_FOLD) == set(_TOUCHES)


def test_touched__every_event__covers_what_it_changes():
    state = State()
    for event in events():
        before = copy.deepcopy(entries(state))
        named = set(touched(state, event))
        apply(state, event)
        after = entries(state)
        changed = {key for key in before.keys() | after.keys() if before.get(key, ABSENT) != after.get(key, ABSENT)}
        assert changed <= named, event
        assert len(named) <= 2 or event.name == "Transfer"


@pytest.mark.parametrize("back_to", [0, 7, 20, 33, 40])
def test_roll_back__to_any_block__is_the_state_of_that_block(back_to):
    whole, part = Ledger(State()), State()
    for event in events()[:back_to]:
        apply(part, event)
    whole.fold(events())
    assert not whole.suspects
    at_final = whole.final_entries(back_to)
    assert {key: value for key, value in at_final.items() if value is not ABSENT} == {
        key: entry_of(part, key) for key in at_final if entry_of(part, key) is not ABSENT
    }
    whole.roll_back(back_to, part.ts)
    assert whole.state == part


def test_rows__every_entry__comes_back_from_the_database():
    ledger = Ledger(State())
    back = State()
    for event in events():
        ledger.fold([event])
        for entry, value in entries(ledger.state).items():
            if entry[0] == "accounts":
                row = SimpleNamespace(**account_row(entry[1], value))
                assert account_of(row) == value
            else:
                back = State()
                set_fact(back, SimpleNamespace(**fact_row(entry, value)))
                assert entry_of(back, entry) == value


def test_put__value_of_the_chain__is_undone_with_its_block():
    ledger = Ledger(State())
    ledger.fold(events()[:5])
    before = copy.deepcopy(ledger.state)
    ledger.put(9, ("accounts", 2), ABSENT)
    assert 2 not in ledger.state.accounts
    ledger.roll_back(5, before.ts)
    assert ledger.state == before
    assert 2 in ledger.take_changed()
