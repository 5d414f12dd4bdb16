"""Margins that are overwritten where something changed are those of a fleet that is made anew."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest

from plimsoll.chain.words import Word, pack
from plimsoll.constants import WAD
from plimsoll.errors import UnavailableError
from plimsoll.index.columns import columns_of
from plimsoll.index.effects import EffectState
from plimsoll.index.state import AccountState, AuctionState, FundingState, State
from plimsoll.keeper import accounts as room
from plimsoll.keeper.accounts import ACCRUAL_PASSES, ACCRUAL_SEC, COLUMNS, Accounts
from plimsoll.mirror.fleet import Fleet
from plimsoll.mirror.fleet.ray_fleet import WorkerLostError
from plimsoll.model import Kind
from plimsoll.params import Params
from tools.bench.fleets import DAY, NAMES, TS, bench_market


@pytest.fixture
def market(monkeypatch):
    """A market that a test can move."""
    now = SimpleNamespace(move=1.0)
    monkeypatch.setattr(room, "known_market_of", lambda state, deployment: bench_market(now.move))
    return now


def account(draw):
    words = {pack(Word(draw.randrange(1, 4), Kind.CALL, TS + 7 * DAY, draw.randrange(50, 90) * 10**8, WAD))}
    held = AccountState("0x", draw.randrange(3), WAD, draw.randrange(-9, 9) * WAD, {2: WAD}, sorted(words))
    if draw.random() < 0.5:
        held.words.append(pack(Word(1, Kind.PERP, 0, 1_900 * 10**8, WAD)))
        held.paid_index = {1: 0}
    return held


def assert_fresh(kept, state):
    """Compare with a fleet of what is there now; a closed account is one that needs nothing."""
    fresh = Fleet.from_columns(columns_of(state), NAMES).evaluate(bench_market(kept.move), Params())
    rows = kept.margins.rows_of(fresh.account_ids.tolist())
    assert kept.margins.account_ids[rows].tolist() == fresh.account_ids.tolist()
    bounded = kept.margins.bounded[rows]
    for name in COLUMNS[:-1]:
        of = ~bounded if name in ("initial", "maintenance") else slice(None)
        np.testing.assert_array_equal(getattr(kept.margins, name)[rows][of], getattr(fresh, name)[of])
    assert (fresh.initial[bounded] <= kept.margins.initial[rows][bounded] * (1.0 + 1e-12)).all()
    gone = np.setdiff1d(np.arange(kept.margins.account_ids.size), rows)
    assert not kept.margins.initial[gone].any()
    assert (np.diff(kept.margins.account_ids) > 0).all()


def test_margins__random_changes_and_rounds__equal_a_fleet_made_anew(market):
    draw, state, kept = random.Random(2), State(ts=TS), Accounts(SimpleNamespace(), lambda: Fleet(NAMES))
    for _ in range(25):
        changed = draw.sample(range(2, 40), draw.randrange(6))
        for number in changed:
            state.accounts.pop(number, None)
            if draw.random() < 0.8:
                state.accounts[number] = account(draw)
        market.move = draw.choice((market.move, 1.0, 1.02))
        kept.take(state, changed)
        margins = kept.margins(state, Params())
        assert_fresh(SimpleNamespace(margins=margins, move=market.move), state)


def test_take__cash_that_moves_by_time__is_taken_again_and_in_turns(market, monkeypatch):
    monkeypatch.setattr(room, "ACCRUAL_LEAST", 3)
    state, kept = State(ts=TS), Accounts(SimpleNamespace(), lambda: Fleet(NAMES))
    perp = pack(Word(1, Kind.PERP, 0, 1_900 * 10**8, WAD))
    state.accounts = {n: AccountState("0x", 0, WAD, WAD, {}, [perp], {1: 0}) for n in range(2, 9)}
    state.funding = {1: FundingState(0, 1_000 * WAD, TS)}
    kept.take(state, list(state.accounts))
    before = kept.margins(state, Params()).equity.copy()
    state.ts += ACCRUAL_SEC - 1
    kept.take(state, ())
    assert np.array_equal(kept.margins(state, Params()).equity, before)
    state.ts += 1
    moved = []
    for _ in range(3):
        kept.take(state, ())
        moved.append(int((kept.margins(state, Params()).equity != before).sum()))
    assert moved == [3, 6, 7]


def test_take__many_accounts_whose_cash_moves_by_time__are_all_taken_in_ten_passes(market, monkeypatch):
    monkeypatch.setattr(room, "ACCRUAL_LEAST", 1)
    state, kept = State(ts=TS), Accounts(SimpleNamespace(), lambda: Fleet(NAMES))
    perp = pack(Word(1, Kind.PERP, 0, 1_900 * 10**8, WAD))
    state.accounts = {n: AccountState("0x", 0, WAD, WAD, {}, [perp], {1: 0}) for n in range(2, 52)}
    state.funding = {1: FundingState(0, 1_000 * WAD, TS)}
    kept.take(state, list(state.accounts))
    before = kept.margins(state, Params()).equity.copy()
    state.ts += ACCRUAL_SEC
    moved = []
    for _ in range(ACCRUAL_PASSES):
        kept.take(state, ())
        moved.append(int((kept.margins(state, Params()).equity != before).sum()))
    assert moved == list(range(5, 55, 5))


def test_margins__under_auction_called_or_bidding__are_exact_however_well_they_stand(market):
    state = State(ts=TS)
    call = pack(Word(1, Kind.CALL, TS + 7 * DAY, 1_900 * 10**8, WAD))
    state.accounts = {n: AccountState("0x", 0, WAD, 10**6 * WAD, {}, [call]) for n in range(2, 7)}
    kept = Accounts(SimpleNamespace(), lambda: Fleet(NAMES), bidder_id=3)
    kept.take(state, list(state.accounts))
    before = kept.margins(state, Params())
    assert before.account_ids[~before.bounded].tolist() == [3]
    state.auctions[4], state.effects[5] = AuctionState(TS), EffectState(is_called=True)
    after = kept.margins(state, Params())
    assert after.account_ids[~after.bounded].tolist() == [3, 4, 5]
    assert_fresh(SimpleNamespace(margins=after, move=1.0), state)


class Failing(Fleet):
    """A fleet whose workers are lost for a moment."""

    is_lost = False

    def update(self, columns):
        if self.is_lost:
            raise UnavailableError("ray", "a worker is lost")
        super().update(columns)

    def watch(self, market, params, exact, *, everybody=False):
        found = super().watch(market, params, exact, everybody=everybody)
        if self.is_lost:
            raise UnavailableError("ray", "a worker is lost")
        return found


def test_margins__fleet_fails_for_a_moment__nothing_of_it_is_missed(market):
    """The fault: what had changed was taken from the index, was lost with the pass, and never looked at again."""
    draw, state, fleet = random.Random(4), State(ts=TS), Failing(NAMES)
    kept = Accounts(SimpleNamespace(), lambda: fleet)
    state.accounts = {number: account(draw) for number in range(2, 12)}
    kept.take(state, list(state.accounts))
    kept.margins(state, Params())
    fleet.is_lost = True
    state.accounts[5] = account(draw)
    with pytest.raises(UnavailableError):
        kept.take(state, [5])
    market.move = 1.05
    with pytest.raises(UnavailableError):
        kept.margins(state, Params())
    fleet.is_lost = False
    kept.take(state, ())
    assert_fresh(SimpleNamespace(margins=kept.margins(state, Params()), move=1.05), state)


class Lost(Fleet):
    """A fleet that loses a worker, and with it what it held."""

    is_lost = False

    def update(self, columns):
        if self.is_lost:
            raise WorkerLostError("ray", "a worker is lost")
        super().update(columns)

    def watch(self, market, params, exact, *, everybody=False):
        if self.is_lost:
            raise WorkerLostError("ray", "a worker is lost")
        return super().watch(market, params, exact, everybody=everybody)


@pytest.mark.parametrize("when", ["update", "watch"])
def test_margins__worker_lost__the_fleet_is_made_anew_within_the_pass(market, when):
    draw, state, made = random.Random(6), State(ts=TS), []

    def make():
        made.append(Lost(NAMES))
        return made[-1]

    kept = Accounts(SimpleNamespace(), make)
    state.accounts = {number: account(draw) for number in range(2, 12)}
    kept.take(state, list(state.accounts))
    kept.margins(state, Params())
    made[0].is_lost = True
    state.accounts[5] = account(draw)
    kept.take(state, [5] if when == "update" else ())
    assert_fresh(SimpleNamespace(margins=kept.margins(state, Params()), move=1.0), state)
    assert len(made) == 2


def test_margins__no_new_fleet_to_be_had_for_a_while__all_accounts_are_there_afterwards(market):
    draw, state, made = random.Random(7), State(ts=TS), []

    def make():
        if len(made) == 1:
            made.append(None)
            raise UnavailableError("ray", "no cluster")
        made.append(Lost(NAMES))
        return made[-1]

    kept = Accounts(SimpleNamespace(), make)
    state.accounts = {number: account(draw) for number in range(2, 12)}
    kept.take(state, list(state.accounts))
    kept.margins(state, Params())
    made[0].is_lost = True
    state.accounts[5] = account(draw)
    with pytest.raises(UnavailableError, match="no cluster"):
        kept.take(state, [5])
    kept.take(state, ())
    assert_fresh(SimpleNamespace(margins=kept.margins(state, Params()), move=1.0), state)
