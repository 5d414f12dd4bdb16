"""Counts from events: what tells the second auction, look, note or release of an account from the first."""

from __future__ import annotations

from types import SimpleNamespace

from plimsoll.index.state import State, apply
from plimsoll.keeper.effects import Effects, effects_of


def counted(*events):
    state = State()
    for contract, name in events:
        values = {"accountId": 4, "startedTs": 0, "solventTs": 0, "insolventTs": 0, "vouchedTs": 0}
        apply(state, SimpleNamespace(contract=contract, name=name, values=values, block_ts=0))
    return effects_of(state)


STARTED, LOOKED, ENDED = ("Auction", "AuctionStarted"), ("Auction", "ClocksSet"), ("Auction", "AuctionEnded")


def test_effects__auction__counts_starts_ends_and_the_looks_of_the_present_one():
    effects = counted(STARTED, LOOKED, LOOKED, ENDED, STARTED, LOOKED)
    assert (effects.starts[4], effects.ends[4], effects.looks[4]) == (2, 1, 1)
    assert (effects.starts, effects.ends, effects.looks) == ({4: 2}, {4: 1}, {4: 1})


def test_effects__calls__take_turns_with_their_ends():
    call, met = ("Auction", "MarginCalled"), ("Auction", "MarginCallMet")
    assert (counted(call).called, counted(call).notes[4]) == ({4}, 1)
    assert (counted(call, met).called, counted(call, met).notes[4]) == (set(), 2)
    assert (counted(call, met, call).called, counted(call, met, call).notes[4]) == ({4}, 3)


def test_effects__shares__are_left_and_released():
    left, released = ("Vault", "ShareLeft"), ("Vault", "ShareReleased")
    assert counted(left, left).sharing == {4}
    assert (counted(left, released).sharing, counted(left, released).releases[4]) == (set(), 1)


def test_effects__other_events__count_nothing():
    assert counted(("Accounts", "AuctionStarted"), ("Oracle", "RoundRefused")) == Effects()
