"""Forward and discount rate of one expiry of a chain snapshot."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from offchain.market.chain_file import ChainSnapshot

YEAR_SEC: Final = 31_536_000
NEAR_ROWS: Final = 8
"""Rows around the money whose underlying decides the forward: both rights at four strikes."""
RATE_LIMIT: Final = 0.25
"""The rate is clamped to this size: within a day of expiry the polled basis is noise, not interest."""


def forward_and_rate(snapshot: ChainSnapshot, expiry_ts: int) -> tuple[float, float]:
    """Forward of an expiry and the rate that carries spot to it.

    Parameters
    ----------
    snapshot : ChainSnapshot
        One underlying at one time.
    expiry_ts : int
        A listed expiry, unix seconds.

    Returns
    -------
    forward : float
        Median ``underlying`` of the rows nearest to the money, USD.
    rate : float
        ``ln(F/S)/T`` per year, clamped to ``RATE_LIMIT``; 0 when the forward is the index itself.

    Notes
    -----
    With ``r = ln(F/S)/T`` the discount factor is ``S/F``, so ``D*Black76(F)`` is the coin price of an
    inverse option times the index: the value in USD that the venue's holder sees.
    """
    rows = np.flatnonzero(snapshot.expiry_ts == expiry_ts)
    distance = np.abs(np.log(snapshot.strike[rows] / snapshot.underlying[rows]))
    near = rows[np.argsort(distance, kind="stable")[:NEAR_ROWS]]
    forward = float(np.median(snapshot.underlying[near]))
    if snapshot.is_index[near].all():
        return forward, 0.0
    years = (expiry_ts - snapshot.ts) / YEAR_SEC
    rate = math.log(forward / snapshot.spot) / years
    return forward, min(max(rate, -RATE_LIMIT), RATE_LIMIT)
