"""The speed limit of signed numbers, as ``SpeedLimit.sol`` and ``AnchorWord.sol`` have it (risk-model section 1).

Every number that moves a margin has an anchor in time, ``ln a <- 2^(-dt/h)*ln a + (1 - 2^(-dt/h))*ln p``, and is
accepted only within a limit of it. Pure: where anchors come from is the caller's business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from plimsoll.constants import DAY_SEC, YEAR_SEC
from plimsoll.model import Round, Surface, Svi

HALF_LIFE_SEC: Final = 3_600
WINDOW_SEC: Final = 1_800
MEAN_SEC: Final = 1_200
MIN_VARIANCE: Final = 1e-4
"""Variance per year below this counts as this."""
SAFETY: Final = 1e-6
"""What is cut is cut this much further, because anchors on chain are rounded to 2e-8."""
VARIANCES: Final = ("centre variance", "upper variance", "lower variance")


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest distances from an anchor, logarithms, and the heartbeat after which they widen.

    Attributes
    ----------
    move : float
        Of prices.
    variance_move : float
        Of variances per year.
    heartbeat_sec : int
    """

    move: float
    variance_move: float
    heartbeat_sec: int

    def reach(self, name: str, elapsed_sec: int) -> float:
        """Return the limit of a field; after a silence, as far as a feed at the limit could have come.

        Parameters
        ----------
        name : str
            Field, as the contract's errors name it.
        elapsed_sec : int
            Time since the number was last accepted.

        Returns
        -------
        float
        """
        limit = self.variance_move if name in VARIANCES else self.move
        if elapsed_sec <= self.heartbeat_sec:
            return limit
        return limit * (1.0 + math.log(2.0) * elapsed_sec / HALF_LIFE_SEC)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Anchors of a header, a token or an expiry: the time they were last moved, logarithms by field."""

    ts: int
    logs: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Anchors:
    """Anchors of one underlying; expiries that were never listed have none."""

    head: Anchor | None = None
    surfaces: Mapping[int, Anchor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Breach:
    """A number beyond its limit; ``expiry_ts`` is 0 for those of the header.

    Attributes
    ----------
    name : str
        Field, as the contract's errors name it.
    expiry_ts : int
    observed : float
        ``ln(number/anchor)``.
    limit : float
        Its largest size.
    """

    name: str
    expiry_ts: int
    observed: float
    limit: float


def logs_of_header(market_round: Round) -> dict[str, float]:
    """Return the logarithms of spot and perpetual."""
    return {"spot": math.log(market_round.spot), "perp": math.log(market_round.perp)}


def logs_of_surface(surface: Surface, ts: int) -> dict[str, float]:
    """Return what an expiry is measured by: forward, discount and, outside the window, three variances per year.

    Parameters
    ----------
    surface : Surface
        Expiry of a round.
    ts : int
        Time of the round.

    Returns
    -------
    dict[str, float]
        Logarithms by field; the discount as ``-ln D``.
    """
    left_sec = surface.expiry_ts - ts
    found = {"forward": math.log(surface.forward), "discount": surface.rate * left_sec / YEAR_SEC}
    if left_sec < WINDOW_SEC:
        return found
    far = 0.6 * math.sqrt(max(left_sec, DAY_SEC) / YEAR_SEC)
    years = (left_sec - MEAN_SEC) / YEAR_SEC
    for name, k in zip(VARIANCES, (0.0, far, -far), strict=True):
        found[name] = math.log(max(total_variance(surface.svi, k) / years, MIN_VARIANCE))
    return found


def total_variance(svi: Svi, k: float) -> float:
    """Return ``w(k)`` of a slice."""
    x = k - svi.m
    return svi.a + svi.b * (svi.rho * x + math.sqrt(x * x + svi.sigma * svi.sigma))


def follow(anchor: Anchor | None, ts: int, logs: Mapping[str, float]) -> Anchor:
    """Return anchors after numbers were accepted; a number without an anchor becomes its own.

    Parameters
    ----------
    anchor : Anchor or None
        Before.
    ts : int
        Time of the numbers.
    logs : Mapping[str, float]
        Their logarithms.

    Returns
    -------
    Anchor
        Fields that the numbers do not name stay.
    """
    if anchor is None:
        return Anchor(ts, dict(logs))
    kept = 2.0 ** (-(ts - anchor.ts) / HALF_LIFE_SEC)
    moved = {name: value + (anchor.logs.get(name, value) - value) * kept for name, value in logs.items()}
    return Anchor(ts, {**anchor.logs, **moved})


def after(anchors: Anchors, market_round: Round) -> Anchors:
    """Return the anchors of an underlying after a round was accepted."""
    ts = market_round.ts
    moved = {
        s.expiry_ts: follow(anchors.surfaces.get(s.expiry_ts), ts, logs_of_surface(s, ts))
        for s in market_round.surfaces
    }
    return Anchors(follow(anchors.head, ts, logs_of_header(market_round)), {**anchors.surfaces, **moved})


def breaches(anchors: Anchors, market_round: Round, limits: Limits) -> tuple[Breach, ...]:
    """Return every number of a round that the contract would refuse.

    Parameters
    ----------
    anchors : Anchors
        As the last accepted round left them.
    market_round : Round
        Newer.
    limits : Limits

    Returns
    -------
    tuple[Breach, ...]
        Empty for a round that passes.
    """
    ts, found = market_round.ts, []
    if anchors.head is not None:
        found += _beyond(anchors.head, ts, logs_of_header(market_round), limits, 0)
        if market_round.mean is not None:
            spot = Anchor(anchors.head.ts, {"mean": anchors.head.logs["spot"]})
            found += _beyond(spot, ts, {"mean": math.log(market_round.mean)}, limits, 0)
    for surface in market_round.surfaces:
        anchor = anchors.surfaces.get(surface.expiry_ts)
        if anchor is not None:
            found += _beyond(anchor, ts, logs_of_surface(surface, ts), limits, surface.expiry_ts)
    return tuple(found)


def _beyond(
    anchor: Anchor, ts: int, logs: Mapping[str, float], limits: Limits, expiry_ts: int, slack: float = 0.0
) -> list[Breach]:
    found = []
    for name, value in logs.items():
        if name not in anchor.logs:
            continue
        limit, moved = limits.reach(name, ts - anchor.ts), value - anchor.logs[name]
        if abs(moved) > limit - slack:
            found.append(Breach(name, expiry_ts, moved, limit))
    return found


def within(
    anchors: Anchors, market_round: Round, limits: Limits, previous: Round | None = None
) -> tuple[Round, tuple[Breach, ...]]:
    """Return a round that passes: what is beyond the limit is posted at the limit, with less confidence.

    Parameters
    ----------
    anchors : Anchors
        As the last accepted round left them.
    market_round : Round
        What the market says.
    limits : Limits
    previous : Round, optional
        The last accepted round; its slice stands in for one whose shape alone is beyond the limit.

    Returns
    -------
    tuple[Round, tuple[Breach, ...]]
        The round itself when nothing was beyond. Otherwise its confidence is multiplied by limit over distance of
        the worst number.
    """
    found = breaches(anchors, market_round, limits)
    if not found:
        return market_round, ()
    ts, head = market_round.ts, anchors.head
    earlier = {s.expiry_ts: s for s in previous.surfaces} if previous else {}
    surfaces = tuple(
        _cut(s, ts, anchors.surfaces[s.expiry_ts], limits, (earlier.get(s.expiry_ts), previous.ts if previous else 0))
        if s.expiry_ts in anchors.surfaces
        else s
        for s in market_round.surfaces
    )
    if head is not None:
        spot = _clamped(market_round.spot, head, "spot", ts, limits)
        perp = _clamped(market_round.perp, head, "perp", ts, limits)
        mean = None if market_round.mean is None else _clamped(market_round.mean, head, "spot", ts, limits)
        market_round = replace(market_round, spot=spot, perp=perp, mean=mean)
    share = min(breach.limit / abs(breach.observed) for breach in found)
    return replace(market_round, surfaces=surfaces, confidence=market_round.confidence * share), found


def _clamped(price: float, anchor: Anchor, name: str, ts: int, limits: Limits) -> float:
    """Return a price, or the nearest that passes."""
    reach = limits.reach(name, ts - anchor.ts) - SAFETY
    moved = math.log(price) - anchor.logs[name]
    return price if abs(moved) <= reach else math.exp(anchor.logs[name] + math.copysign(reach, moved))


def _cut(surface: Surface, ts: int, anchor: Anchor, limits: Limits, earlier: tuple[Surface | None, int]) -> Surface:
    """Return an expiry at the limit: forward and rate clamped, the slice scaled, or that of the last round instead."""
    forward = _clamped(surface.forward, anchor, "forward", ts, limits)
    years = (surface.expiry_ts - ts) / YEAR_SEC
    rate, reach = surface.rate, limits.reach("discount", ts - anchor.ts) - SAFETY
    moved = rate * years - anchor.logs["discount"]
    if abs(moved) > reach:
        rate = (anchor.logs["discount"] + math.copysign(reach, moved)) / years
    cut = replace(surface, forward=forward, rate=rate)
    logs = {name: value for name, value in logs_of_surface(cut, ts).items() if name in VARIANCES}
    gaps = {name: value - anchor.logs[name] for name, value in logs.items() if name in anchor.logs}
    reach = limits.reach(VARIANCES[0], ts - anchor.ts) - SAFETY
    if all(abs(gap) <= reach for gap in gaps.values()):
        return cut
    low, high = max(-reach - gap for gap in gaps.values()), min(reach - gap for gap in gaps.values())
    if low <= high:
        return replace(cut, svi=_scaled(cut.svi, math.exp(max(low, min(high, 0.0)))))
    before, before_ts = earlier
    if before is None:
        return cut
    open_sec = (surface.expiry_ts - ts - MEAN_SEC, before.expiry_ts - before_ts - MEAN_SEC)
    return replace(cut, svi=_scaled(before.svi, open_sec[0] / open_sec[1]))


def _scaled(svi: Svi, factor: float) -> Svi:
    """Return a slice of ``factor`` times the variance."""
    return replace(svi, a=svi.a * factor, b=svi.b * factor)
