"""The samples of one settlement window, across restarts: what was seen, filled from what the source remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from plimsoll.errors import PlimsollError
from plimsoll.feeds.reading import Problem, Sample, Source
from plimsoll.feeds.samples import SampleStore
from plimsoll.feeds.settlement import MAX_EDGE_SEC, gap_of, merged
from plimsoll.market.replay.window import WINDOW_SEC

TIMEOUT_SEC: Final = 20.0


@dataclass(frozen=True, slots=True)
class WindowSamples:
    """Samples of a source, kept in a database.

    Parameters
    ----------
    source : Source
        May remember what was not seen.
    store : SampleStore
        What was seen.
    timeout_sec : float
        Longest wait for the source.
    """

    source: Source
    store: SampleStore
    timeout_sec: float = TIMEOUT_SEC

    async def until(
        self, underlying: str, expiry_ts: int, until_ts: int
    ) -> tuple[tuple[Sample, ...], tuple[Problem, ...]]:
        """Return the samples of a window; the source is asked only where there are gaps.

        Parameters
        ----------
        underlying : str
            Symbol.
        expiry_ts : int
            End of the window, unix seconds.
        until_ts : int
            How far they should reach.

        Returns
        -------
        samples : tuple[Sample, ...]
            Increasing.
        problems : tuple[Problem, ...]
            Why the gaps stay.
        """
        own = await asyncio.to_thread(self.store.window, underlying, expiry_ts)
        if is_covered(own, expiry_ts, until_ts) and (until_ts < expiry_ts or gap_of(own, expiry_ts) is None):
            return own, ()
        try:
            history = await asyncio.wait_for(self.source.samples(underlying, expiry_ts), self.timeout_sec)
        except (PlimsollError, TimeoutError) as error:
            return own, (Problem(self.source.name, f"{underlying} {expiry_ts}", f"no history: {error}"),)
        if history:
            await asyncio.to_thread(self.store.add, underlying, history, self.source.name)
        return merged(own, history, expiry_ts), ()


def is_covered(samples: Sequence[Sample], expiry_ts: int, until_ts: int) -> bool:
    """Return whether samples have no gap above five minutes from the start of a window until a time."""
    times = [expiry_ts - WINDOW_SEC, *(ts for ts, _ in samples if ts <= until_ts), until_ts]
    return all(later - earlier <= MAX_EDGE_SEC for earlier, later in pairwise(times))
