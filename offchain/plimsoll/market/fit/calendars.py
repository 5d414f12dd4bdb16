"""Slices of one snapshot side by side: fitted again where variance would fall with time, and named where it must."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from plimsoll.constants import YEAR_SEC
from plimsoll.market.fit.clean import Quotes
from plimsoll.market.fit.neighbours import Limits, crossing_of, quotes_cross
from plimsoll.market.fit.svi_fit import SliceFit

#: Error, in volatility, that a slice may gain by staying on its own side without the other one being tried.
CHEAP: Final = 5e-4
Refit = Callable[[int, Limits], SliceFit | None]


def mended(fits: Sequence[SliceFit], ts: int, refit: Refit) -> tuple[SliceFit, ...]:
    """Fit slices again until total variance rises with time at every log-strike.

    Parameters
    ----------
    fits : sequence of SliceFit
        By rising expiry, each the best of its own quotes.
    ts : int
        Time of the snapshot, unix seconds.
    refit : callable
        From an expiry and the slices it must stay between to a fitted slice, or None where there is none.

    Returns
    -------
    tuple of SliceFit
        Of each pair that crosses, the one whose error grows least by staying on its own side is replaced, or both where
        neither has room enough alone. A pair stays as it was where that fails too: then its quotes say so, or one of
        them is a held slice.
    """
    found = list(fits)
    for i in range(1, len(found)):
        near, far = found[i - 1], found[i]
        if crossing_of(near.svi, far.svi, _years(far.expiry_ts, ts)).is_free:
            continue
        below = found[i - 2].svi if i > 1 else None
        # A slice below that crosses already bounds nothing.
        if below is not None and not crossing_of(below, near.svi, _years(near.expiry_ts, ts)).is_free:
            below = None
        ways = [(i - 1, Limits(floor=below, ceiling=far.svi)), (i, Limits(floor=near.svi))]
        best: tuple[float, int, SliceFit] | None = None
        for at, limits in ways:
            new = refit(found[at].expiry_ts, limits)
            grows = math.inf if new is None else new.weighted_rms - found[at].weighted_rms
            if new is not None and (best is None or grows < best[0]):
                best = (grows, at, new)
            if grows <= CHEAP:
                break
        if best is not None:
            found[best[1]] = best[2]
            continue
        # Neither has room enough alone: the later one rises as far as it can, the nearer one stays below that.
        risen = refit(far.expiry_ts, Limits(floor=near.svi, strict=False))
        sunk = None if risen is None else refit(near.expiry_ts, Limits(floor=below, ceiling=risen.svi))
        if risen is not None and sunk is not None:
            found[i - 1], found[i] = sunk, risen
    return tuple(found)


def calendars_of(fits: Sequence[SliceFit], ts: int, quotes: Mapping[int, Quotes]) -> list[str]:
    """Name the pairs whose variance falls with time, by how much, and why it is left so.

    Parameters
    ----------
    fits : sequence of SliceFit
        By rising expiry.
    ts : int
        Time of the snapshot, unix seconds.
    quotes : mapping of int to Quotes
        Usable rows by expiry.

    Returns
    -------
    list of str
        One sentence a pair; empty when there is none.
    """
    said = []
    for near, far in pairwise(fits):
        years = _years(far.expiry_ts, ts)
        worst = crossing_of(near.svi, far.svi, years)
        if worst.is_free:
            continue
        rows = [quotes.get(fit.expiry_ts) for fit in (near, far)]
        over = None
        if rows[0] is not None and rows[1] is not None:
            over = quotes_cross(rows[0].bands, rows[1].bands, rows[0].years, rows[1].years)
        why = (
            "no slice inside all quotes is free of it"
            if over is None
            else f"the quotes themselves cross by {over[1] * 100.0:.2f} vol points at log-strike {over[0]:+.2f}"
        )
        said.append(
            f"expiries {near.expiry_ts} and {far.expiry_ts}: calendar arbitrage, variance falls by "
            f"{-worst.gap * 100.0:.2f} vol points at log-strike {worst.log_moneyness:+.2f}; {why}"
        )
    return said


def _years(expiry_ts: int, ts: int) -> float:
    return (expiry_ts - ts) / YEAR_SEC
