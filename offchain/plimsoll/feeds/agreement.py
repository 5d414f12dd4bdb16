"""Whether a proposed message says what a signer's own data say, field by field within stated tolerances."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from plimsoll.constants import MAX_SAMPLES
from plimsoll.feeds.chain_state import MAX_AHEAD_SEC, FeedState, TokenState
from plimsoll.feeds.reading import Sample
from plimsoll.feeds.settlement import GAPS_AFTER_SEC, gap_of
from plimsoll.feeds.verdict import Code, Reason
from plimsoll.market.replay.window import WINDOW_SEC, running_mean
from plimsoll.mirror.speed_limit import VARIANCES, logs_of_surface, within
from plimsoll.model import Round, Surface


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far a proposal may be from a signer's own data.

    Attributes
    ----------
    price : float
        Spot, perpetual and forwards, as logarithms.
    discount : float
        ``r*T`` of an expiry.
    variance : float
        Variance per year at the centre and on both wings, as logarithms.
    confidence : float
        How much more confident a proposal may be; less only costs margin, and may fall at once.
    token : float
        Token prices, as logarithms.
    apart_sec : int
        Between the times of the proposal and of the own data.
    unseen_mean : float
        Added to ``price`` for the mean of a window that the signer saw nothing of, in proportion to what it missed.
    unseen_settlement : float
        Share of a window that the signer may have missed and still sign its settlement price.
    """

    price: float = 0.005
    discount: float = 0.01
    variance: float = 0.2
    confidence: float = 0.25
    token: float = 0.005
    apart_sec: int = 120
    unseen_mean: float = 0.05
    unseen_settlement: float = 0.25


SHIPPED: Final = Tolerances()


def disagreements(
    proposed: Round, own: Round | None, samples: Sequence[Sample], chain: FeedState, tolerances: Tolerances = SHIPPED
) -> list[Reason]:
    """Compare a round with a signer's own.

    Own data beyond the speed limit are cut to it first, as the proposer's were: in a crash both post at the limit.

    Parameters
    ----------
    proposed : Round
        What would be signed.
    own : Round or None
        What the signer's source says, after its own checks.
    samples : Sequence[Sample]
        Spot that the signer saw in the settlement window that is open.
    chain : FeedState
        Of the underlying.
    tolerances : Tolerances

    Returns
    -------
    list[Reason]
    """
    if own is None:
        return [Reason(Code.NO_OWN_DATA, proposed.underlying)]
    apart_sec = proposed.ts - own.ts
    if abs(apart_sec) > tolerances.apart_sec:
        return [Reason(Code.NO_OWN_DATA, "seconds after own data", apart_sec, tolerances.apart_sec)]
    if own.ts > chain.last_ts:
        own, _ = within(chain.anchors, own, chain.limits)
    return [*_header(proposed, own, samples, tolerances), *_surfaces(proposed, own, chain, tolerances)]


def _header(proposed: Round, own: Round, samples: Sequence[Sample], t: Tolerances) -> Iterator[Reason]:
    for name in ("spot", "perp"):
        yield from _apart(name, math.log(getattr(proposed, name) / getattr(own, name)), t.price)
    surplus = proposed.confidence - own.confidence
    if surplus > t.confidence:
        yield Reason(Code.CONFIDENCE, "confidence above own", surplus, t.confidence)
    if proposed.mean is not None and proposed.surfaces:
        expiry_ts = proposed.surfaces[0].expiry_ts
        mean = running_mean(samples, expiry_ts, proposed.ts, own.spot)
        limit = t.price + t.unseen_mean * _unseen(samples, expiry_ts, proposed.ts)
        yield from _apart("mean", math.log(proposed.mean / mean), limit, Code.MEAN)


def _unseen(samples: Sequence[Sample], expiry_ts: int, ts: int) -> float:
    """Return the share of a window so far that no sample covers: each covers the five minutes before it."""
    start = expiry_ts - WINDOW_SEC
    covered, floor = 0, start
    for at, _ in samples:
        if start < at <= ts:
            covered += min(at - floor, 300)
            floor = at
    covered += min(ts - floor, 300) if floor > start else 0
    return 1.0 - covered / max(ts - start, 1)


def _surfaces(proposed: Round, own: Round, chain: FeedState, t: Tolerances) -> Iterator[Reason]:
    mine = {s.expiry_ts: s for s in own.surfaces}
    listed = {s.expiry_ts for s in proposed.surfaces}
    for expiry_ts in chain.expiries:
        if expiry_ts > proposed.ts and expiry_ts in mine and expiry_ts not in listed:
            yield Reason(Code.LEFT_OUT, "expiry of the last round", expiry_ts=expiry_ts)
    for surface in proposed.surfaces:
        if surface.expiry_ts in mine:
            yield from _surface(surface, mine[surface.expiry_ts], (proposed.ts, own.ts), t)
        else:
            yield Reason(Code.UNKNOWN_EXPIRY, "no own data", expiry_ts=surface.expiry_ts)


def _surface(surface: Surface, own: Surface, times: tuple[int, int], t: Tolerances) -> Iterator[Reason]:
    theirs, ours = logs_of_surface(surface, times[0]), logs_of_surface(own, times[1])
    limits = {"forward": t.price, "discount": t.discount} | dict.fromkeys(VARIANCES, t.variance)
    for name, limit in limits.items():
        if name in theirs and name in ours:
            yield from _apart(name, theirs[name] - ours[name], limit, expiry_ts=surface.expiry_ts)


def _apart(name: str, gap: float, limit: float, code: Code = Code.DISAGREES, expiry_ts: int = 0) -> Iterator[Reason]:
    if not abs(gap) <= limit:
        yield Reason(code, name, gap, limit, expiry_ts)


def judge_tokens(
    ts: int,
    prices: Mapping[str, float],
    own: Mapping[str, float],
    chain: TokenState,
    max_age_sec: int,
    tolerances: Tolerances = SHIPPED,
) -> list[Reason]:
    """Judge token prices by the chain and by a signer's own.

    Parameters
    ----------
    ts : int
        Their time, unix seconds.
    prices, own : Mapping[str, float]
        Proposed and own, cash by symbol.
    chain : TokenState
        Last accepted prices.
    max_age_sec : int
        Oldest age at which data are signed.
    tolerances : Tolerances

    Returns
    -------
    list[Reason]
    """
    found: list[Reason] = []
    if ts > chain.newest_ts + MAX_AHEAD_SEC:
        found.append(Reason(Code.FROM_FUTURE, "ts", ts, chain.newest_ts + MAX_AHEAD_SEC))
    oldest = chain.now_ts - min(max_age_sec, chain.limits.heartbeat_sec)
    if ts < oldest:
        found.append(Reason(Code.STALE, "ts", ts, oldest))
    if not prices:
        found.append(Reason(Code.MALFORMED, "no prices"))
    for symbol, price in prices.items():
        last_ts, anchor = chain.last.get(symbol, (0, 0.0))
        if ts <= last_ts:
            found.append(Reason(Code.NOT_NEWER, symbol, ts, last_ts))
        reach = chain.limits.reach("tokenPrice", ts - last_ts)
        if last_ts and abs(math.log(price) - anchor) > reach:
            found.append(Reason(Code.TOO_FAST, symbol, math.log(price) - anchor, reach))
        if symbol not in own:
            found.append(Reason(Code.UNKNOWN_TOKEN, f"{symbol}, no own price"))
            continue
        mine = math.log(own[symbol])
        if last_ts:
            mine = min(max(mine, anchor - reach), anchor + reach)
        found += _apart(symbol, math.log(price) - mine, tolerances.token)
    return found


def judge_settlement(
    expiry_ts: int,
    samples: Sequence[Sample],
    own: Sequence[Sample],
    now_ts: int,
    *,
    is_settled: bool,
    tolerances: Tolerances = SHIPPED,
) -> list[Reason]:
    """Judge settlement samples by the rules of the contract and by a signer's own.

    Parameters
    ----------
    expiry_ts : int
        Expiry, unix seconds.
    samples, own : Sequence[Sample]
        Proposed and own, increasing.
    now_ts : int
        Time of the chain.
    is_settled : bool
        Whether the series has its price.
    tolerances : Tolerances

    Returns
    -------
    list[Reason]
    """
    if is_settled:
        return [Reason(Code.SETTLED, "series", expiry_ts=expiry_ts)]
    if now_ts < expiry_ts:
        return [Reason(Code.NOT_EXPIRED, "time", now_ts, expiry_ts)]
    times = [ts for ts, _ in samples]
    inside = all(expiry_ts - WINDOW_SEC < ts <= expiry_ts for ts in times)
    if not samples or len(samples) > MAX_SAMPLES or not inside or times != sorted(set(times)):
        return [Reason(Code.SAMPLES, "not increasing inside the window", len(samples), MAX_SAMPLES)]
    gap = gap_of(samples, expiry_ts)
    if gap is not None and now_ts < expiry_ts + GAPS_AFTER_SEC:
        return [Reason(Code.SAMPLES, gap)]
    unseen = _unseen(own, expiry_ts, expiry_ts) if own else 1.0
    if unseen > tolerances.unseen_settlement:
        # A settlement price is final: whoever saw little of the window leaves it to the others.
        return [Reason(Code.NO_OWN_DATA, "share of the window not seen", unseen, tolerances.unseen_settlement)]
    mean, mine = (running_mean(found, expiry_ts, expiry_ts, found[-1][1]) for found in (samples, own))
    limit = tolerances.price + tolerances.unseen_mean * unseen
    return list(_apart("mean", math.log(mean / mine), limit, Code.MEAN, expiry_ts))
