"""When a round is worth a transaction, and when it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.feed_world import DAY, NOW, START_TS, a_round, flat

from plimsoll.feeds.posting import PostingRule, Why

RULE = PostingRule()
WEEK = START_TS + 7 * DAY


def why(offered, standing, required=(), **options):
    return RULE.next_for(offered, standing, required, **options)


def later(sec=60, **changes):
    return a_round(ts=NOW + sec, **changes)


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (later(), None),
        (later(perp=2_003.9), None),
        (later(perp=2_004.1), Why.MOVED),
        (later(spot=1_995.0, perp=1_995.0), Why.MOVED),
        (later(899), None),
        (later(900), Why.AGED),
        (a_round(), None),
    ],
)
def test_next_for__moved_or_aged(offered, expected):
    assert why(offered, a_round()) is expected


def test_next_for__first_and_urgent():
    assert why(a_round(), None) is Why.FIRST
    assert why(later(), a_round(), is_urgent=True) is Why.URGENT
    # Nothing newer: urgency makes no older data new.
    assert why(a_round(), a_round(), is_urgent=True) is None


def test_next_for__volatility_and_forward():
    one = later()
    wilder = replace(one, surfaces=(replace(one.surfaces[0], svi=flat(7 / 365, 0.7)), one.surfaces[1]))
    assert why(wilder, a_round()) is Why.VOLATILITY
    dearer = replace(one, surfaces=(one.surfaces[0], replace(one.surfaces[1], forward=2_020.0)))
    assert why(dearer, a_round()) is Why.MOVED


def test_next_for__expiries__a_held_one_appears_or_the_first_expires():
    short = a_round(days=(7,))
    assert why(later(), short) is None
    assert why(later(), short, [START_TS + 30 * DAY]) is Why.EXPIRIES
    after = a_round(ts=WEEK + 1, days=(30,))
    assert why(after, a_round(ts=WEEK - 30, mean=2_000.0)) is Why.EXPIRIES


def test_next_for__settlement_window__opens_and_is_followed():
    inside = a_round(ts=WEEK - 1_790, mean=2_000.0)
    assert why(inside, a_round(ts=WEEK - 1_810)) is Why.WINDOW
    assert why(replace(inside, ts=WEEK - 1_600), inside) is None
    assert why(replace(inside, ts=WEEK - 1_550), inside) is Why.WINDOW


@pytest.mark.parametrize(
    ("ts", "price", "standing", "expected"),
    [
        (NOW, 1.0, {}, Why.FIRST),
        (NOW, 1.0, {"USDC": (NOW, 1.0)}, None),
        (NOW, 1.0005, {"USDC": (NOW - 60, 1.0)}, None),
        (NOW, 0.998, {"USDC": (NOW - 60, 1.0)}, Why.MOVED),
        (NOW, 1.0, {"USDC": (NOW - 900, 1.0)}, Why.AGED),
    ],
)
def test_next_tokens__moved_or_aged(ts, price, standing, expected):
    assert RULE.next_tokens(ts, {"USDC": price}, standing) is expected


def test_next_tokens__urgent_and_none():
    assert RULE.next_tokens(NOW, {"USDC": 1.0}, {"USDC": (NOW - 1, 1.0)}, is_urgent=True) is Why.URGENT
    assert RULE.next_tokens(NOW, {}, {}) is None
