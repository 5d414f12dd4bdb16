"""Whether a number that jumped is believed: by two sources at once, by one after a while."""

import asyncio
import math
from dataclasses import replace

import pytest
from helpers.feed_world import START_TS, Market, a_round

from plimsoll.feeds.chain_state import FeedState, TokenState
from plimsoll.feeds.median import MedianSource
from plimsoll.feeds.memory import GAP_SEC, Memory
from plimsoll.feeds.reading import Price, Reading, number_of
from plimsoll.mirror.speed_limit import Anchors, Limits, after

SPOT = number_of("ETH", "spot")


def said(after_sec, spot, *, backed=frozenset()):
    ts = START_TS + after_sec
    return Reading({"ETH": a_round("ETH", ts, spot)}, tokens={"USDC": Price(ts, 1.0)}, backed=backed)


def memory_of(*readings, confirm_sec=30):
    memory = Memory(confirm_sec)
    for after_sec, spot in readings:
        memory.observe(said(after_sec, spot))
    return memory


@pytest.mark.parametrize(
    ("readings", "is_believed"),
    [
        ([(0, 6_000.0)], False),
        ([(0, 6_000.0), (30, 6_000.0)], False),
        ([(0, 6_000.0), (10, 6_000.0), (29, 6_000.0)], False),
        ([(0, 6_000.0), (10, 6_000.0), (30, 6_000.0)], True),
        ([(0, 6_000.0), (15, 6_300.0), (30, 6_500.0)], True),
        ([(0, 6_000.0), (15, 6_000.0), (30, 7_000.0)], False),
        ([(0, 6_000.0), (15, 2_000.0), (20, 6_000.0), (30, 6_000.0)], False),
        ([(0, 6_000.0), (15, 6_000.0), (15, 6_000.0), (15, 6_000.0)], False),
        ([(0, 6_000.0), (15, 6_000.0), (16 + GAP_SEC, 6_000.0)], False),
    ],
)
def test_doubt_of__one_source__is_believed_when_it_says_the_same_for_long_enough(readings, is_believed):
    assert (memory_of(*readings).doubt_of(SPOT) == "") == is_believed


def test_doubt_of__no_time_to_wait__is_believed_at_once():
    assert memory_of((0, 6_000.0), confirm_sec=0).doubt_of(SPOT) == ""


def test_doubt_of__two_sources__are_believed_at_once_and_only_while_they_agree():
    memory = Memory()
    memory.observe(said(0, 6_000.0, backed=frozenset({SPOT})))
    assert memory.doubt_of(SPOT) == ""
    memory.observe(said(1, 7_000.0))
    assert "by one source alone" in memory.doubt_of(SPOT)


def chain_at(spot, *, move):
    before = a_round("ETH", START_TS - 60, spot)
    return FeedState(START_TS, Limits(move, 0.7, 3_600), before.ts, spot, after(Anchors(), before))


@pytest.mark.parametrize("move", [0.25, 5.0])
def test_doubts__beyond_a_quarter__whatever_governance_allows_and_never_variances(move):
    memory = memory_of((0, 6_000.0))
    thin = tuple(replace(s, svi=replace(s.svi, a=s.svi.a / 9)) for s in a_round("ETH", START_TS, 6_000.0).surfaces)
    found = replace(a_round("ETH", START_TS, 6_000.0), mean=6_000.0, surfaces=thin)
    names = {breach.name for breach, _ in memory.doubts(found, chain_at(2_000.0, move=move))}
    assert names == {"spot", "perp", "forward"}
    assert memory.doubts(found, chain_at(5_000.0, move=move)) == []


def test_token_doubts__names_the_token_that_jumped():
    memory = memory_of((0, 6_000.0))
    chain = TokenState(START_TS, Limits(5.0, 0.7, 3_600), {"USDC": (START_TS - 60, math.log(0.5))})
    assert "USDC" in memory.token_doubts(START_TS, {"USDC": 1.0}, chain)
    assert memory.token_doubts(START_TS, {"USDC": 0.55}, chain) == {}


def test_median__says_which_numbers_two_sources_agree_on():
    both = said(0, 2_000.0)
    near = replace(both, rounds={"ETH": replace(both.rounds["ETH"], surfaces=both.rounds["ETH"].surfaces[:1])})
    source = MedianSource([Market("one", both), Market("two", near)], 1)
    first, second = (surface.expiry_ts for surface in both.rounds["ETH"].surfaces[:2])
    backed = asyncio.run(source.read({})).backed
    assert {SPOT, number_of("ETH", "perp"), number_of("USDC", "token"), number_of("ETH", "forward", first)} <= backed
    assert number_of("ETH", "forward", second) not in backed
    alone = MedianSource([Market("one", both)])
    assert asyncio.run(alone.read({})).backed == frozenset()
