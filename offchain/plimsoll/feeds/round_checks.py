"""Whether a round is sound by itself and follows on what the chain accepted last.

No source is asked here: a round that fails is wrong whoever signed it. Limits are wide enough for every round that the
fit made of the crash of February 2026, and stated beside what was measured there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

import numpy as np

from plimsoll.constants import DAY_SEC, YEAR_SEC
from plimsoll.feeds.chain_state import MAX_AHEAD_SEC, FeedState
from plimsoll.feeds.verdict import Code, Reason, Verdict
from plimsoll.market.fit.bands import TICK_COIN, Bands, coin_price
from plimsoll.market.fit.slice_check import arbitrage_of, excess_of
from plimsoll.mirror.settlement_window import WINDOW_SEC
from plimsoll.mirror.speed_limit import breaches
from plimsoll.mirror.svi import total_variance
from plimsoll.model import MAX_TS, Round, Surface

MAX_AGE_SEC: Final = 600
"""Older data are not signed, whatever the oracle's heartbeat would still accept."""
MAX_TENOR_SEC: Final = 3_650 * DAY_SEC
MAX_WING: Final = 2.0
MAX_DISCOUNT: Final = 1.0
BUTTERFLY_COIN: Final = TICK_COIN
"""A butterfly may give away as much as a mark may lie outside its quotes; measured: 0.0001."""
CALENDAR_COIN: Final = 0.002
"""A later expiry may be this much cheaper, in coin at the same moneyness; measured: 0.0009."""
CHECK_STD: Final = 2.5
FORWARD_AT_ONCE: Final = 0.05
FORWARD_PER_YEAR: Final = 0.5
FORWARD_LIMIT: Final = 0.7
"""A forward is within ``min(0.05 + 0.5*T, 0.7)`` of spot, as a logarithm; measured: a tenth of that."""
CARRY_LIMIT: Final = 0.02
"""And within this of what its own rate makes of spot; measured: 0.0002."""
PERP_LIMIT: Final = 0.05
QUOTE_SLACK_VOL: Final = 0.02
"""Marks lie inside bid and ask, which the fit widens by half a thousandth of a coin and one vol point, and by two more
for the seconds between two looks at a market."""
MIN_CONFIDENCE: Final = 0.01
_POINTS: Final = 41


def judge_round(market_round: Round, chain: FeedState, max_age_sec: int = MAX_AGE_SEC) -> Verdict:
    """Judge a round by itself and by what the chain accepted last.

    Parameters
    ----------
    market_round : Round
        What would be signed.
    chain : FeedState
        Of its underlying; the anchors of all its expiries.
    max_age_sec : int
        Oldest age at which data are signed.

    Returns
    -------
    Verdict
    """
    return Verdict((*_times(market_round, chain, max_age_sec), *_soundness(market_round), *_speed(market_round, chain)))


def judge_marks(market_round: Round, bands: Mapping[int, Bands], skip: frozenset[int] = frozenset()) -> list[Reason]:
    """Judge the marks of a round by bid and ask of listed options.

    Parameters
    ----------
    market_round : Round
        What would be signed.
    bands : Mapping[int, Bands]
        What quotes allow, by expiry.
    skip : frozenset of int
        Expiries that the speed limit holds back from their quotes.

    Returns
    -------
    list[Reason]
    """
    found = []
    for surface in market_round.surfaces:
        left = surface.expiry_ts - market_round.ts
        # Inside the settlement window a quote is no longer one of a plain option.
        if left < WINDOW_SEC or surface.expiry_ts in skip or surface.expiry_ts not in bands:
            continue
        excess = excess_of(surface.svi, bands[surface.expiry_ts], left / YEAR_SEC)
        if not excess <= QUOTE_SLACK_VOL:
            found.append(Reason(Code.OUTSIDE_QUOTES, "volatility", excess, QUOTE_SLACK_VOL, surface.expiry_ts))
    return found


def _times(market_round: Round, chain: FeedState, max_age_sec: int) -> Iterator[Reason]:
    ts = market_round.ts
    if ts > MAX_TS:
        yield Reason(Code.MALFORMED, "ts in milliseconds", ts, MAX_TS)
    if ts > chain.newest_ts + MAX_AHEAD_SEC:
        yield Reason(Code.FROM_FUTURE, "ts", ts, chain.newest_ts + MAX_AHEAD_SEC)
    oldest = chain.now_ts - min(max_age_sec, chain.limits.heartbeat_sec)
    if ts < oldest:
        yield Reason(Code.STALE, "ts", ts, oldest)
    if ts <= chain.last_ts:
        yield Reason(Code.NOT_NEWER, "ts", ts, chain.last_ts)


def _speed(market_round: Round, chain: FeedState) -> list[Reason]:
    if market_round.ts <= chain.last_ts:
        return []
    found = breaches(chain.anchors, market_round, chain.limits)
    return [Reason(Code.TOO_FAST, b.name, b.observed, b.limit, b.expiry_ts) for b in found]


def _soundness(market_round: Round) -> Iterator[Reason]:
    spot = market_round.spot
    perp = math.log(market_round.perp / spot)
    if abs(perp) > PERP_LIMIT:
        yield Reason(Code.PERPETUAL, "perp over spot", perp, PERP_LIMIT)
    if market_round.confidence < MIN_CONFIDENCE:
        yield Reason(Code.CONFIDENCE, "confidence", market_round.confidence, MIN_CONFIDENCE)
    yield from _window(market_round)
    for surface in market_round.surfaces:
        yield from _surface(market_round, surface)
    for near, far in pairwise(market_round.surfaces):
        cheaper = calendar_of(near, far)
        if cheaper > CALENDAR_COIN:
            yield Reason(Code.CALENDAR, f"cheaper than {near.expiry_ts}", cheaper, CALENDAR_COIN, far.expiry_ts)


def _window(market_round: Round) -> Iterator[Reason]:
    """Look for a mean inside the settlement window of the first expiry and nowhere else, and for a second window."""
    near = [s.expiry_ts for s in market_round.surfaces if s.expiry_ts - market_round.ts < WINDOW_SEC]
    if len(near) > 1:
        yield Reason(Code.WINDOWS_OVERLAP, f"settles with {near[0]}", expiry_ts=near[1])
    if bool(near) != (market_round.mean is not None):
        yield Reason(Code.MEAN, "no mean in a window" if near else "a mean outside a window")


def _surface(market_round: Round, surface: Surface) -> Iterator[Reason]:
    expiry_ts, svi = surface.expiry_ts, surface.svi
    left = expiry_ts - market_round.ts
    if not 0 <= left <= MAX_TENOR_SEC:
        yield Reason(Code.OUT_OF_DOMAIN, "time to expiry", left, MAX_TENOR_SEC, expiry_ts)
        return
    years = left / YEAR_SEC
    for name, value, limit in (
        ("b*(1+|rho|)", svi.b * (1.0 + abs(svi.rho)), MAX_WING),
        ("|rate*T|", abs(surface.rate) * years, MAX_DISCOUNT),
        ("|m|", abs(svi.m), 9.0),
        ("sigma", svi.sigma, 9.0),
        ("|a|", abs(svi.a), 1_000.0),
    ):
        if value > limit:
            yield Reason(Code.OUT_OF_DOMAIN, name, value, limit, expiry_ts)
    moved = math.log(surface.forward / market_round.spot)
    reach = min(FORWARD_AT_ONCE + FORWARD_PER_YEAR * years, FORWARD_LIMIT)
    if abs(moved) > reach:
        yield Reason(Code.FORWARD, "forward over spot", moved, reach, expiry_ts)
    carry = moved - surface.rate * years
    if abs(carry) > CARRY_LIMIT:
        yield Reason(Code.CARRY, "forward over spot at its rate", carry, CARRY_LIMIT, expiry_ts)
    given_away = arbitrage_of(svi)
    if not given_away <= BUTTERFLY_COIN:
        yield Reason(Code.BUTTERFLY, "best butterfly", given_away, BUTTERFLY_COIN, expiry_ts)


def calendar_of(near: Surface, far: Surface) -> float:
    """Return how much cheaper the later of two expiries is, at worst.

    Parameters
    ----------
    near, far : Surface
        Neighbouring expiries.

    Returns
    -------
    float
        In coin, over 2.5 standard deviations of the near expiry; negative where the later one is dearer everywhere.
    """
    centre = float(total_variance(near.svi, np.zeros(1))[0])
    std = math.sqrt(max(centre, 1e-12))
    k = np.linspace(-CHECK_STD * std, CHECK_STD * std, _POINTS)
    prices = [coin_price(k >= 0.0, k, np.sqrt(np.maximum(total_variance(s.svi, k), 0.0))) for s in (near, far)]
    return float((prices[0] - prices[1]).max())
