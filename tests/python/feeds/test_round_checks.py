"""What a round must satisfy before anybody signs it, each with a case that passes and one that does not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from helpers.feed_world import DAY, NOW, START_TS, a_round, flat, surface

from plimsoll.errors import DomainError
from plimsoll.feeds.chain_state import FeedState
from plimsoll.feeds.round_checks import judge_marks, judge_round
from plimsoll.feeds.verdict import Code
from plimsoll.market.fit.bands import Bands
from plimsoll.mirror.speed_limit import Anchors, Limits, after
from plimsoll.model import Svi

LIMITS = Limits(0.25, 0.7, 7_200)
FRESH = FeedState(NOW, LIMITS)
WEEK = START_TS + 7 * DAY


def codes(market_round, chain=FRESH, **options):
    return {reason.code for reason in judge_round(market_round, chain, **options).reasons}


def with_surface(index: int, **changes):
    found = a_round()
    surfaces = list(found.surfaces)
    surfaces[index] = replace(surfaces[index], **changes)
    return replace(found, surfaces=tuple(surfaces))


def test_judge_round__sound_round__passes():
    verdict = judge_round(a_round(), FRESH)
    assert verdict.passes, str(verdict)


@pytest.mark.parametrize("symbol", ["ETH", "BTC"])
def test_judge_round__fits_of_the_crash__pass(replay, symbol):
    from plimsoll.feeds.surface_fit import SurfaceFitter

    fitter = SurfaceFitter("replay")
    for number in range(0, len(replay.timestamps), 6):
        found, _ = fitter.take(replay.chains[symbol][number], 0.0, (), ())
        verdict = judge_round(found, FeedState(found.ts, LIMITS))
        assert verdict.passes, str(verdict)


def test_judge_round__forward_at_three_times_spot__is_refused():
    for index in (0, 1):
        found = with_surface(index, forward=6_000.0)
        verdict = judge_round(found, FRESH)
        assert {Code.FORWARD, Code.CARRY} <= {r.code for r in verdict.reasons}
        assert verdict.bad_expiries() >= {found.surfaces[index].expiry_ts}


def test_judge_round__forward_at_three_times_spot_with_a_rate_that_says_so__is_refused_all_the_same():
    long = surface(NOW + 900 * DAY, NOW, 2_000.0)
    rate = math.log(3.0) / (900 / 365)
    found = a_round(surfaces=(replace(long, forward=6_000.0, rate=rate),))
    assert codes(found) == {Code.FORWARD, Code.OUT_OF_DOMAIN}


def test_judge_round__forward_that_its_rate_does_not_explain__is_refused():
    assert codes(with_surface(0, forward=2_100.0)) == {Code.CARRY}
    assert Code.CARRY not in codes(with_surface(0, forward=2_010.0))


def test_judge_round__calendar_arbitrage__is_refused_by_the_later_expiry():
    found = with_surface(1, svi=flat(1 / 365, 0.3))
    verdict = judge_round(found, FRESH)
    assert [r.code for r in verdict.reasons] == [Code.CALENDAR]
    assert verdict.bad_expiries() == {found.surfaces[1].expiry_ts}


def test_judge_round__butterfly_arbitrage__is_refused():
    verdict = judge_round(with_surface(0, svi=Svi(0.0001, 0.9, -0.9, 0.0, 0.01)), FRESH)
    assert Code.BUTTERFLY in {r.code for r in verdict.reasons}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ts": NOW + 16}, Code.FROM_FUTURE),
        ({"ts": NOW - 601}, Code.STALE),
        ({"perp": 2_200.0}, Code.PERPETUAL),
        ({"confidence": 0.0}, Code.CONFIDENCE),
        ({"mean": 2_000.0}, Code.MEAN),
    ],
)
def test_judge_round__header__is_refused(changes, code):
    assert codes(a_round(**changes)) == {code}


def test_judge_round__quiet_chain__own_clock_counts_for_the_future_alone():
    quiet = FeedState(NOW - 400, LIMITS, clock_ts=NOW)
    assert judge_round(a_round(), quiet).passes
    assert codes(a_round(), FeedState(NOW - 400, LIMITS)) == {Code.FROM_FUTURE}


def test_judge_round__not_newer_than_the_chain__is_refused():
    found = a_round()
    chain = FeedState(NOW, LIMITS, last_ts=NOW, last_spot=2_000.0, anchors=after(Anchors(), found))
    assert codes(found, chain) == {Code.NOT_NEWER}


def test_judge_round__beyond_the_speed_limit__is_refused():
    before = a_round(ts=NOW - 60)
    chain = FeedState(NOW, LIMITS, last_ts=NOW - 60, last_spot=2_000.0, anchors=after(Anchors(), before))
    assert judge_round(a_round(spot=2_400.0, perp=2_400.0), chain).passes
    assert codes(a_round(spot=2_700.0), chain) == {Code.TOO_FAST}


def test_judge_round__window__asks_for_a_mean_and_for_one_window_only():
    ts = WEEK - 900
    chain = FeedState(ts, LIMITS)
    assert codes(a_round(ts=ts), chain) == {Code.MEAN}
    assert judge_round(a_round(ts=ts, mean=2_000.0), chain).passes
    two = (surface(WEEK, ts, 2_000.0), surface(WEEK + 600, ts, 2_000.0))
    assert Code.WINDOWS_OVERLAP in codes(a_round(ts=ts, mean=2_000.0, surfaces=two), chain)


def test_a_round__time_in_milliseconds__is_no_round():
    with pytest.raises(DomainError, match="milliseconds"):
        a_round(ts=NOW * 1_000, days=())


def test_judge_marks__outside_bid_and_ask__is_named_unless_held_back():
    found = a_round()
    narrow = Bands(np.array([0.0]), np.array([0.70]), np.array([0.75]))
    near = Bands(np.array([0.0]), np.array([0.61]), np.array([0.65]))
    assert [r.code for r in judge_marks(found, {WEEK: narrow})] == [Code.OUTSIDE_QUOTES]
    assert judge_marks(found, {WEEK: near}) == []
    assert judge_marks(found, {WEEK: narrow}, frozenset({WEEK})) == []
