"""The settlement window: the mean of spot over the 30 minutes before an expiry, finished or running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from plimsoll.model import Round

WINDOW_SEC: Final = 1_800


def running_mean(samples: Sequence[tuple[int, float]], expiry_ts: int, ts: int, spot: float) -> float:
    """Return the mean of spot from the start of a settlement window until now, weighted as the settlement price is.

    Each sample holds until the next, the first from the start of the window, the last until ``ts``.

    Parameters
    ----------
    samples : Sequence[tuple[int, float]]
        Time and spot, increasing; those outside ``(expiry_ts - 1800, ts]`` do not count.
    expiry_ts : int
        End of the window.
    ts : int
        Now, inside the window.
    spot : float
        What is taken where nothing was sampled.

    Returns
    -------
    float
        In cash units.
    """
    start = expiry_ts - WINDOW_SEC
    seen = [sample for sample in samples if start < sample[0] <= ts] or [(ts, spot)]
    ends = [at for at, _ in seen[1:]] + [ts]
    begins = [start, *ends[:-1]]
    weighted = sum(price * (end - begin) for (_, price), begin, end in zip(seen, begins, ends, strict=True))
    return weighted / (ts - start)


def with_mean(market_round: Round, samples: Sequence[tuple[int, float]]) -> Round:
    """Return a round with the running mean of its settlement window; outside a window without one.

    Parameters
    ----------
    market_round : Round
        Any round; at most its first expiry may be inside its window.
    samples : Sequence[tuple[int, float]]
        Time and spot of the half hour before the first expiry, as far as they were seen.

    Returns
    -------
    Round
        With ``mean``.
    """
    expiry_ts = window_of(market_round)
    if expiry_ts is None:
        return replace(market_round, mean=None)
    return replace(market_round, mean=running_mean(samples, expiry_ts, market_round.ts, market_round.spot))


def window_of(market_round: Round) -> int | None:
    """Return the expiry whose settlement window is open at the time of a round, ``None`` when there is none."""
    if not market_round.surfaces:
        return None
    first = market_round.surfaces[0].expiry_ts
    return first if first - market_round.ts < WINDOW_SEC else None
