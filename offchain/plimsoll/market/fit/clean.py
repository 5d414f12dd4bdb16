"""Which rows of a chain snapshot a fit may use; docs/concepts/surface.md states the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.constants import YEAR_SEC
from plimsoll.market.chain_file import ChainSnapshot
from plimsoll.market.fit.bands import NO_BANDS, TICK_COIN, Bands, bands_of

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

IV_MIN: Final = 0.01
WING_STD: Final = 2.5
"""Rows further than this many standard deviations from the money are left out: their vega is under 5 % of the top."""
STALE_SHARE: Final = 0.10
"""A mark outside its own quotes by more than this share of itself plus one tick is stale."""
UNQUOTED_WEIGHT: Final = 0.5
NEAR_ROWS: Final = 6
"""The wing rule spares this many rows nearest to the money: one more than a slice has numbers."""


@dataclass(frozen=True, slots=True)
class Quotes:
    """Usable rows of one expiry, by rising log-moneyness.

    Attributes
    ----------
    expiry_ts : int
        Unix seconds.
    years : float
        Time to expiry.
    log_moneyness : ndarray of float64
        ``ln(K/F)`` with the row's own forward, so a moving index does not bend the smile.
    iv : ndarray of float64
        Decimal per year.
    weight : ndarray of float64
        Root of the relative Black-76 vega, halved in squares for rows without two quotes; at most 1.
    quoted : int
        Rows with both a bid and an ask: what a fit may count on. The others lend the venue's volatility at half weight.
    bands : Bands
        What the quotes of every listed instrument allow, far wings and the other right included.
    """

    expiry_ts: int
    years: float
    log_moneyness: Vector
    iv: Vector
    weight: Vector
    quoted: int
    bands: Bands = NO_BANDS


@dataclass(frozen=True, slots=True)
class CleanReport:
    """How many rows each rule removed, in the order the rules run."""

    rows: int
    no_volatility: int
    crossed: int
    stale: int
    in_the_money: int
    far_wing: int
    used: int


def clean(snapshot: ChainSnapshot) -> tuple[Mapping[int, Quotes], CleanReport]:
    """Apply the cleaning rules to a snapshot.

    Parameters
    ----------
    snapshot : ChainSnapshot
        One underlying at one time.

    Returns
    -------
    quotes : mapping of int to Quotes
        Usable rows by expiry, in rising order; expiries without any are absent.
    report : CleanReport
        Counts of what was dropped.
    """
    years = (snapshot.expiry_ts - snapshot.ts) / YEAR_SEC
    with np.errstate(invalid="ignore"):
        steps = {
            "no_volatility": ~(snapshot.iv >= IV_MIN),
            "crossed": snapshot.bid > snapshot.ask,
            "stale": _stale(snapshot),
        }
    alive = np.ones(snapshot.strike.size, dtype=bool)
    dropped = {name: _drop(alive, bad) for name, bad in steps.items()}
    dropped["in_the_money"] = _drop(alive, _duplicate(snapshot, alive))
    log_moneyness = np.log(snapshot.strike / snapshot.underlying)
    std = np.where(alive, snapshot.iv, 1.0) * np.sqrt(years)
    dropped["far_wing"] = _drop(alive, _far_wing(snapshot, alive, np.abs(log_moneyness) / std))
    report = CleanReport(rows=alive.size, used=int(alive.sum()), **dropped)
    return _by_expiry(snapshot, alive, log_moneyness, std, years), report


def _drop(alive: Flags, bad: Flags) -> int:
    """Clear ``alive`` where ``bad``; return how many fell."""
    hit = alive & bad
    alive[hit] = False
    return int(hit.sum())


def _stale(snapshot: ChainSnapshot) -> Flags:
    slack = TICK_COIN + STALE_SHARE * snapshot.mark
    return (snapshot.mark < snapshot.bid - slack) | (snapshot.mark > snapshot.ask + slack)


def _duplicate(snapshot: ChainSnapshot, alive: Flags) -> Flags:
    """Mark in-the-money rows whose out-of-the-money twin (same expiry and strike) is usable."""
    in_money = snapshot.is_call == (snapshot.strike < snapshot.underlying)
    order = np.lexsort((in_money, ~alive, snapshot.strike, snapshot.expiry_ts))
    same = (np.diff(snapshot.strike[order]) == 0.0) & (np.diff(snapshot.expiry_ts[order]) == 0)
    bad = np.zeros_like(alive)
    bad[order[1:][same]] = True
    return bad


def _far_wing(snapshot: ChainSnapshot, alive: Flags, distance: Vector) -> Flags:
    """Mark rows too far from the money, except the ``NEAR_ROWS`` nearest of each expiry."""
    far = distance > WING_STD
    rows = np.flatnonzero(alive)
    order = rows[np.lexsort((distance[rows], snapshot.expiry_ts[rows]))]
    expiry = snapshot.expiry_ts[order]
    rank = np.arange(order.size) - np.searchsorted(expiry, expiry, side="left")
    far[order[rank < NEAR_ROWS]] = False
    return far


def _by_expiry(
    snapshot: ChainSnapshot, alive: Flags, log_moneyness: Vector, std: Vector, years: Vector
) -> dict[int, Quotes]:
    d1 = -log_moneyness / std + 0.5 * std
    both = np.isfinite(snapshot.bid) & np.isfinite(snapshot.ask) & (snapshot.bid > 0.0)
    weight = np.exp(-0.25 * d1 * d1) * np.sqrt(np.where(both, 1.0, UNQUOTED_WEIGHT))
    bands = bands_of(snapshot, years)
    result: dict[int, Quotes] = {}
    for expiry in np.unique(snapshot.expiry_ts[alive]):
        rows = np.flatnonzero(alive & (snapshot.expiry_ts == expiry))
        rows = rows[np.argsort(log_moneyness[rows], kind="stable")]
        result[int(expiry)] = Quotes(
            expiry_ts=int(expiry),
            years=float(expiry - snapshot.ts) / YEAR_SEC,
            log_moneyness=log_moneyness[rows],
            iv=snapshot.iv[rows],
            weight=weight[rows],
            quoted=int(both[rows].sum()),
            bands=bands[int(expiry)],
        )
    return result
