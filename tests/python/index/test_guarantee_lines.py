"""Guarantee lines as the index folds them: what stands for whom, what counts, and what is left after an undoing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.constants import DAY_SEC, WAD
from plimsoll.index.lines import Lines, LineState
from plimsoll.index.reader import ChainEvent
from plimsoll.index.state import AccountState, State, apply
from plimsoll.index.touches import ABSENT, set_entry

SPONSOR, BENEFICIARY, LINE, OTHER_LINE = 2, 3, 4, 5
END_TS, RAMP_SEC = 100 * DAY_SEC, 10 * DAY_SEC


def event(name, **values):
    return ChainEvent(1, 0, 0, "0x", "0x", "Guarantees", name, values)


def given_line(line_id, beneficiary_id=BENEFICIARY):
    who = {"sponsorId": SPONSOR, "beneficiaryId": beneficiary_id}
    return event("LineGiven", lineId=line_id, **who, amountWad=9 * WAD, endTs=END_TS, rampSec=RAMP_SEC)


@pytest.fixture
def state():
    """One line of 90 for the beneficiary; the ledger told of its cash."""
    found = State()
    for number, cash in ((SPONSOR, 500), (BENEFICIARY, 1), (LINE, 90), (OTHER_LINE, 10)):
        found.accounts[number] = AccountState("0x", 0, WAD, cash * WAD)
    apply(found, given_line(LINE))
    return found


@pytest.mark.parametrize(
    ("left_sec", "counted"),
    [(11 * DAY_SEC, 90), (RAMP_SEC, 90), (5 * DAY_SEC, 45), (DAY_SEC, 9), (0, 0), (-DAY_SEC, 0)],
)
def test_backing__along_the_ramp__counts_what_is_left_of_it_and_holds_all(state, left_sec, counted):
    state.ts = END_TS - left_sec
    assert state.backing_of(BENEFICIARY) == (counted * WAD, 90 * WAD)
    assert state.backing_of(SPONSOR) == (0, 0)


def test_backing__two_lines__add_up(state):
    apply(state, given_line(OTHER_LINE))
    assert state.backing_of(BENEFICIARY) == (100 * WAD, 100 * WAD)


def test_extended__in_the_ramp__counts_whole_again(state):
    apply(state, event("LineExtended", lineId=LINE, endTs=END_TS + RAMP_SEC))
    state.ts = END_TS
    assert state.backing_of(BENEFICIARY) == (90 * WAD, 90 * WAD)


def test_drawn__cash_of_the_line_left__counts_no_more(state):
    apply(state, event("LineDrawn", lineId=LINE, beneficiaryId=BENEFICIARY, toId=9, paidWad=60 * WAD))
    state.accounts[LINE].cash_wad = 30 * WAD
    assert state.backing_of(BENEFICIARY) == (30 * WAD, 30 * WAD)


def test_ended__nothing_stands_for_the_account_any_more(state):
    apply(state, event("LineEnded", lineId=LINE, toId=SPONSOR, amountWad=90 * WAD))
    assert state.backing_of(BENEFICIARY) == (0, 0)
    assert not state.lines


def test_undone__a_line_that_was_given_in_a_block_that_went__is_gone(state):
    set_entry(state, ("lines", LINE), ABSENT)
    assert state.backing_of(BENEFICIARY) == (0, 0)
    set_entry(state, ("lines", LINE), LineState(SPONSOR, BENEFICIARY, END_TS, RAMP_SEC))
    assert state.backing_of(BENEFICIARY) == (90 * WAD, 90 * WAD)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6), st.integers(1, 4)), max_size=60))
def test_lines__any_changes__are_found_by_account_as_a_search_finds_them(changes):
    lines = Lines()
    for is_set, line_id, beneficiary_id in changes:
        if is_set:
            lines[line_id] = LineState(SPONSOR, beneficiary_id, END_TS, RAMP_SEC)
        elif line_id in lines:
            del lines[line_id]
        for account_id in range(1, 5):
            searched = {number for number, line in lines.items() if line.beneficiary_id == account_id}
            assert set(lines.of(account_id)) == searched
