"""Spot, forwards and rates of a chain snapshot, as of one instant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.constants import DAY_SEC, YEAR_SEC
from plimsoll.market.chain_file import ChainSnapshot

MIN_PAIRS: Final = 2
"""Pairs of a call and a put, both with two quotes, that confirm a forward: one more than it has numbers."""
PARITY_SLACK: Final = 0.001
"""The index moves by about this much while a chain is polled."""
NEAR_ROWS: Final = 8
"""Rows around the money whose underlying decides the forward: both rights at four strikes."""
CARRY_DAYS: Final = 31.0
"""Forwards this near decide the spot: further out the curve bends."""
CARRY_EXPIRIES: Final = 3
RATE_LIMIT: Final = 0.25
"""The rate is clamped to this size: within a day of expiry a basis point of noise is a large rate."""


@dataclass(frozen=True, slots=True)
class Term:
    """Spot and term structure of one underlying.

    Attributes
    ----------
    spot : float
        USD, of the same instant as the forwards.
    forwards, rates : mapping of int to float
        USD and per year, by expiry.
    doubtful : frozenset of int
        Expiries whose forward the quotes do not confirm.
    """

    spot: float
    forwards: Mapping[int, float]
    rates: Mapping[int, float]
    doubtful: frozenset[int] = frozenset()


def term_structure(snapshot: ChainSnapshot) -> Term:
    """Spot, forward of every expiry, and the rate that carries one to the other.

    Parameters
    ----------
    snapshot : ChainSnapshot
        One underlying at one time.

    Returns
    -------
    Term
        Forwards are medians of ``underlying`` near the money; ``rate = ln(F/S)/T``, clamped to ``RATE_LIMIT``,
        and 0 where the forward is the index itself.

    Notes
    -----
    Index prices are polled row by row and lag the forwards by up to half a per cent in a fast market, the same for
    every expiry. The spot is therefore where the forwards lead at ``T = 0`` (least squares of ``ln F`` on ``T``),
    kept inside the range of index prices that the snapshot saw; with too few near expiries it is the median index.

    A forward is confirmed where it lies inside what put-call parity allows, see ``parity_range``; one that is not
    neither leads to the spot nor carries a new slice.

    With ``r = ln(F/S)/T`` the discount factor is ``S/F``, so ``D*Black76(F)`` is the coin price of an inverse option
    times the index: its value in USD.
    """
    expiries = snapshot.expiries
    forwards = {e: _forward(snapshot, e) for e in expiries}
    traded = [e for e in expiries if not snapshot.is_index[snapshot.expiry_ts == e].all()]
    doubtful = frozenset(e for e in expiries if not _confirmed(snapshot, e, forwards[e]))
    spot = _spot(snapshot, {e: forwards[e] for e in traded if e not in doubtful})
    rates = dict.fromkeys(expiries, 0.0)
    for e in traded:
        rate = math.log(forwards[e] / spot) * YEAR_SEC / (e - snapshot.ts)
        rates[e] = min(max(rate, -RATE_LIMIT), RATE_LIMIT)
    return Term(spot, forwards, rates, doubtful)


def parity_range(snapshot: ChainSnapshot, expiry_ts: int) -> tuple[float, float] | None:
    """Range of forwards that put-call parity allows.

    Parameters
    ----------
    snapshot : ChainSnapshot
        One underlying at one time.
    expiry_ts : int
        Listed expiry.

    Returns
    -------
    (float, float) or None
        Medians, over the pairs of both rights nearest to the money with two quotes each, of what selling the call and
        buying the put, and the other way round, cost; in coin ``C - P = 1 - K/F``. None with fewer than ``MIN_PAIRS``.
    """
    rows = np.flatnonzero((snapshot.expiry_ts == expiry_ts) & (snapshot.bid > 0.0) & (snapshot.ask >= snapshot.bid))
    calls, puts = rows[snapshot.is_call[rows]], rows[~snapshot.is_call[rows]]
    strike, of_call, of_put = np.intersect1d(snapshot.strike[calls], snapshot.strike[puts], return_indices=True)
    if strike.size < MIN_PAIRS:
        return None
    calls, puts = calls[of_call], puts[of_put]
    near = np.argsort(np.abs(np.log(strike / snapshot.underlying[calls])), kind="stable")[:NEAR_ROWS]
    low = strike / (1.0 - (snapshot.bid[calls] - snapshot.ask[puts]))
    high = strike / (1.0 - (snapshot.ask[calls] - snapshot.bid[puts]))
    return float(np.median(low[near])), float(np.median(high[near]))


def _confirmed(snapshot: ChainSnapshot, expiry_ts: int, forward: float) -> bool:
    allowed = parity_range(snapshot, expiry_ts)
    if allowed is None:
        return False
    return allowed[0] * (1.0 - PARITY_SLACK) <= forward <= allowed[1] * (1.0 + PARITY_SLACK)


def _forward(snapshot: ChainSnapshot, expiry_ts: int) -> float:
    rows = np.flatnonzero(snapshot.expiry_ts == expiry_ts)
    distance = np.abs(np.log(snapshot.strike[rows] / snapshot.underlying[rows]))
    near = rows[np.argsort(distance, kind="stable")[:NEAR_ROWS]]
    return float(np.median(snapshot.underlying[near]))


def _spot(snapshot: ChainSnapshot, forwards: Mapping[int, float]) -> float:
    days = {e: (e - snapshot.ts) / DAY_SEC for e in forwards}
    near = [e for e in forwards if days[e] <= CARRY_DAYS]
    if len(near) < CARRY_EXPIRIES:
        return snapshot.spot
    x = np.array([days[e] for e in near])
    y = np.log([forwards[e] for e in near])
    slope = float(np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2))
    implied = math.exp(float(y.mean()) - slope * float(x.mean()))
    return min(max(implied, float(snapshot.index.min())), float(snapshot.index.max()))
