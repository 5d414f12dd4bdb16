"""A round of one moment carried to a later one by a newer spot: what is known between two snapshots."""

from __future__ import annotations

import math
from dataclasses import replace

from plimsoll.constants import YEAR_SEC
from plimsoll.market.fit.svi_fit import Prior
from plimsoll.model import Round, Surface


def carried(market_round: Round, ts: int, spot: float) -> Round:
    """Return a round as time has run and spot has moved since; volatilities at a distance from the forward stay.

    Parameters
    ----------
    market_round : Round
        Of a snapshot.
    ts : int
        Not before it, unix seconds.
    spot : float
        At that time, cash.

    Returns
    -------
    Round
        Without what has expired; the perpetual keeps its premium, each forward its rate, each slice its volatilities.
        No mean is stated: it belongs to the samples of the time.
    """
    if ts == market_round.ts:
        return replace(market_round, spot=spot, perp=market_round.perp * spot / market_round.spot, mean=None)
    surfaces = tuple(_later(s, market_round.ts, ts, spot) for s in market_round.surfaces if s.expiry_ts > ts)
    perp = market_round.perp * spot / market_round.spot
    return replace(market_round, ts=ts, spot=spot, perp=perp, surfaces=surfaces, mean=None)


def shifted(market_round: Round, by_sec: int) -> Round:
    """Return a round moved in time as a whole, its expiries with it.

    Parameters
    ----------
    market_round : Round
    by_sec : int
        Added to every time.

    Returns
    -------
    Round
    """
    surfaces = tuple(replace(s, expiry_ts=s.expiry_ts + by_sec) for s in market_round.surfaces)
    return replace(market_round, ts=market_round.ts + by_sec, surfaces=surfaces)


def _later(surface: Surface, ts: int, later_ts: int, spot: float) -> Surface:
    svi = Prior(surface.svi, ts, surface.rate).at(surface.expiry_ts, later_ts)
    forward = spot * math.exp(surface.rate * (surface.expiry_ts - later_ts) / YEAR_SEC)
    return replace(surface, forward=forward, svi=svi)
