"""Whether a proposal says what a signer sees: each field at its tolerance and beyond."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.feed_world import DAY, NOW, START_TS, a_round, flat

from plimsoll.feeds.agreement import disagreements, judge_settlement, judge_tokens
from plimsoll.feeds.chain_state import FeedState, TokenState
from plimsoll.feeds.verdict import Code
from plimsoll.mirror.speed_limit import Anchors, Limits, after, within

LIMITS = Limits(0.25, 0.7, 7_200)
FRESH = FeedState(NOW, LIMITS)
WEEK = START_TS + 7 * DAY


def codes(proposed, own, chain=FRESH, samples=()):
    return [reason.code for reason in disagreements(proposed, own, samples, chain)]


def changed(index: int = 0, **changes):
    found = a_round()
    surfaces = list(found.surfaces)
    surfaces[index] = replace(surfaces[index], **changes)
    return replace(found, surfaces=tuple(surfaces))


def test_disagreements__same_data__none():
    assert codes(a_round(), a_round()) == []
    assert codes(a_round(ts=NOW + 60), a_round()) == []


def test_disagreements__no_or_old_own_data__says_so():
    assert codes(a_round(), None) == [Code.NO_OWN_DATA]
    assert codes(a_round(), a_round(ts=NOW - 121)) == [Code.NO_OWN_DATA]


@pytest.mark.parametrize(
    ("within_it", "beyond"),
    [
        (a_round(perp=2_009.0), a_round(perp=2_011.0)),
        (
            changed(forward=a_round().surfaces[0].forward * 1.004),
            changed(forward=a_round().surfaces[0].forward * 1.006),
        ),
        (changed(svi=flat(7 / 365, 0.63)), changed(svi=flat(7 / 365, 0.75))),
        (changed(1, rate=0.1), changed(1, rate=0.2)),
    ],
)
def test_disagreements__one_field__at_its_tolerance(within_it, beyond):
    assert codes(within_it, a_round()) == []
    assert set(codes(beyond, a_round())) == {Code.DISAGREES}


def test_disagreements__spot__is_compared():
    assert codes(a_round(spot=2_009.0, perp=2_000.0), a_round()) == []
    assert codes(a_round(spot=2_020.0, perp=2_000.0, surfaces=()), a_round(surfaces=())) == [Code.DISAGREES]


def test_disagreements__more_confident_than_own__is_refused_less_is_not():
    own = a_round(confidence=0.5)
    assert codes(a_round(confidence=0.8), own) == [Code.CONFIDENCE]
    assert codes(a_round(confidence=0.1), own) == []


def test_disagreements__expiries__unknown_and_left_out_are_named():
    near = a_round(days=(7,))
    assert codes(a_round(), near) == [Code.UNKNOWN_EXPIRY]
    listed = replace(FRESH, expiries=tuple(s.expiry_ts for s in a_round().surfaces))
    assert codes(near, a_round(), listed) == [Code.LEFT_OUT]
    # What the signer itself cannot price may be left out.
    assert codes(near, near, listed) == []


def test_disagreements__crash__own_data_are_cut_to_the_limit_as_the_proposal_was():
    before = a_round(ts=NOW - 60)
    anchors = after(Anchors(), before)
    chain = FeedState(NOW, LIMITS, NOW - 60, 2_000.0, anchors)
    fallen = a_round(spot=1_300.0)
    fallen = replace(fallen, perp=1_300.0)
    proposed, found = within(anchors, fallen, LIMITS, before)
    assert found
    assert codes(proposed, fallen, chain) == []
    assert Code.DISAGREES in codes(before, fallen, chain)


def test_disagreements__mean__by_what_was_seen():
    ts = WEEK - 600
    seen = tuple((WEEK - 1_800 + 60 * i, 2_000.0) for i in range(1, 21))
    chain = FeedState(ts, LIMITS)

    def proposal(mean):
        return a_round(ts=ts, mean=mean)

    assert codes(proposal(2_005.0), a_round(ts=ts, mean=2_000.0), chain, seen) == []
    assert codes(proposal(2_020.0), a_round(ts=ts, mean=2_000.0), chain, seen) == [Code.MEAN]
    # A signer that was started a minute ago saw five per cent of the window: its tolerance says so.
    late = ((ts - 60, 2_000.0),)
    assert codes(proposal(2_020.0), a_round(ts=ts, mean=2_000.0), chain, late) == []
    assert codes(proposal(2_200.0), a_round(ts=ts, mean=2_000.0), chain, late) == [Code.MEAN]


def judged(prices, own, ts=NOW, last=None):
    chain = TokenState(NOW, LIMITS, last or {})
    return [reason.code for reason in judge_tokens(ts, prices, own, chain, 600)]


def test_judge_tokens__own_market__decides():
    assert judged({"USDC": 0.95}, {"USDC": 0.9502}) == []
    assert judged({"USDC": 1.0}, {"USDC": 0.95}) == [Code.DISAGREES]
    assert judged({"USDC": 1.0, "GOLD": 2.0}, {"USDC": 1.0}) == [Code.UNKNOWN_TOKEN]
    assert judged({}, {"USDC": 1.0}) == [Code.MALFORMED]


def test_judge_tokens__time_and_speed__are_the_chains():
    assert judged({"USDC": 1.0}, {"USDC": 1.0}, ts=NOW + 16) == [Code.FROM_FUTURE]
    assert judged({"USDC": 1.0}, {"USDC": 1.0}, ts=NOW - 601) == [Code.STALE]
    assert judged({"USDC": 1.0}, {"USDC": 1.0}, last={"USDC": (NOW, 0.0)}) == [Code.NOT_NEWER]
    assert judged({"USDC": 0.5}, {"USDC": 0.5}, last={"USDC": (NOW - 60, 0.0)}) == [Code.TOO_FAST, Code.DISAGREES]


MINUTES = tuple((WEEK - 1_800 + 60 * i, 2_000.0 + i) for i in range(1, 31))


def settled(samples=MINUTES, own=MINUTES, now=WEEK, *, is_settled=False):
    return [r.code for r in judge_settlement(WEEK, samples, own, now, is_settled=is_settled)]


def test_judge_settlement__samples_that_cover_the_window__pass():
    assert settled() == []
    assert settled(own=tuple((ts + 7, price) for ts, price in MINUTES[:-1])) == []


def test_judge_settlement__each_rule__is_named():
    assert settled(is_settled=True) == [Code.SETTLED]
    assert settled(now=WEEK - 1) == [Code.NOT_EXPIRED]
    assert settled(samples=MINUTES[:-6]) == [Code.SAMPLES]
    assert settled(samples=MINUTES[:-6], now=WEEK + 7_200) == []
    assert settled(samples=MINUTES[::-1]) == [Code.SAMPLES]
    assert settled(own=()) == [Code.NO_OWN_DATA]
    assert settled(samples=tuple((ts, price * 1.01) for ts, price in MINUTES)) == [Code.MEAN]
