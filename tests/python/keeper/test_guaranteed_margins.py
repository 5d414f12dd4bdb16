"""Margins of accounts that guarantee lines stand for: equity goes up to the initial margin, and no further."""

import math
from types import SimpleNamespace

import pytest

from plimsoll.chain.words import Word, pack
from plimsoll.constants import WAD
from plimsoll.decide import AccountView, AuctionView
from plimsoll.decide.intents import StartAuction
from plimsoll.decide.liquidations import LiquidationView, decide_liquidations, is_unseen
from plimsoll.index.lines import LineState
from plimsoll.index.state import AccountState, State
from plimsoll.keeper import accounts as room
from plimsoll.keeper.accounts import Accounts
from plimsoll.mirror.fleet import Fleet
from plimsoll.model import Kind
from plimsoll.params import Params
from tools.bench.fleets import DAY, NAMES, TS, bench_market

SHORT, RICH, LINE = 2, 3, 9
END_TS, RAMP_SEC = TS + 10 * DAY, 2 * DAY


@pytest.fixture
def state(monkeypatch):
    """A short call beside a debt, another one beside plenty of cash, and a line that a test gives to one of them."""
    monkeypatch.setattr(room, "known_market_of", lambda state, deployment: bench_market(1.0))
    found = State(ts=TS)
    call = pack(Word(1, Kind.CALL, TS + 7 * DAY, 70 * 10**8, -WAD))
    for number, cash in ((SHORT, -10), (RICH, 10**6), (LINE, 0)):
        found.accounts[number] = AccountState("0x", 0, WAD, cash * WAD, {}, [call] if number != LINE else [])
    return found


def margins_of(state):
    kept = Accounts(SimpleNamespace(), lambda: Fleet(NAMES))
    kept.take(state, list(state.accounts))
    found = kept.margins(state, Params())
    rows = dict(zip(found.account_ids.tolist(), range(found.account_ids.size), strict=True))
    return {n: (found.equity[rows[n]], found.initial[rows[n]], found.market_equity[rows[n]]) for n in (SHORT, RICH)}


def with_line(state, beneficiary_id, cash):
    state.lines[LINE] = LineState(1, beneficiary_id, END_TS, RAMP_SEC)
    state.accounts[LINE].cash_wad = round(cash * WAD)
    return margins_of(state)


def test_margins__a_small_line__adds_what_it_holds_to_equity_alone(state):
    (equity, initial, market), rich = (margins_of(state)[n] for n in (SHORT, RICH))
    assert equity < initial
    lacking = initial - equity
    found = with_line(state, SHORT, lacking / 2)
    assert found[SHORT] == pytest.approx((equity + lacking / 2, initial, market), rel=1e-12)
    assert found[RICH] == pytest.approx(rich, rel=1e-12)


def test_margins__a_line_larger_than_what_is_lacking__stops_at_the_initial_margin(state):
    _, initial, market = margins_of(state)[SHORT]
    assert with_line(state, SHORT, 1e6)[SHORT] == pytest.approx((initial, initial, market), rel=1e-12)


def test_margins__half_through_the_ramp__half_of_the_line_counts(state):
    equity, initial, _ = margins_of(state)[SHORT]
    cash = (initial - equity) / 2
    state.lines[LINE] = LineState(1, SHORT, TS + RAMP_SEC // 2, RAMP_SEC)
    state.accounts[LINE].cash_wad = round(cash * WAD)
    assert margins_of(state)[SHORT][0] == pytest.approx(equity + cash / 2, rel=1e-12)


def test_margins__an_account_with_its_initial_margin__counts_nothing_of_its_line(state):
    alone = margins_of(state)[RICH]
    assert with_line(state, RICH, 1e5)[RICH] == pytest.approx(alone, rel=1e-12)


def test_decide__a_line_that_runs_out_without_an_event__is_liquidated_when_it_no_longer_carries(state):
    """Only time passes: nothing of the account has changed, and yet every pass asks what its line counts by then."""
    equity, initial, _ = margins_of(state)[SHORT]
    state.lines[LINE] = LineState(1, SHORT, END_TS, RAMP_SEC)
    state.accounts[LINE].cash_wad = round((initial - equity) * WAD)
    kept = Accounts(SimpleNamespace(), lambda: Fleet(NAMES))
    kept.take(state, list(state.accounts))

    def started_at(ts):
        state.ts = ts
        found = kept.margins(state, Params())
        view = found.view(int(found.rows_of([SHORT])[0]))
        steps = decide_liquidations(LiquidationView(ts, (view,)))
        assert all(isinstance(step, StartAuction) for step in steps)
        return view, [step.account_id for step in steps]

    carried, none = started_at(END_TS - RAMP_SEC)
    assert none == []
    # Between maintenance and what the account is worth itself the line lets go of it.
    part = (carried.maintenance - equity) / (initial - equity)
    assert 0.0 < part < 1.0
    last_ts = END_TS - math.ceil(part * RAMP_SEC)
    assert [started_at(ts)[1] for ts in (last_ts, last_ts + 1, END_TS)] == [[], [SHORT], [SHORT]]


@pytest.mark.parametrize(("lines", "unseen"), [(0.0, True), (49.0, True), (50.0, False), (80.0, False)])
def test_is_unseen__a_loss_that_lines_cover__is_none_to_note(lines, unseen):
    account = AccountView(SHORT, -50.0, -50.0, 30.0, 20.0)
    auction = AuctionView(SHORT, TS, False, TS, TS, lines=lines)
    assert is_unseen(account, auction, TS + 1) is unseen
