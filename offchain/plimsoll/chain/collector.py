"""The garbage collector while many objects are made at once that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: Objects that may be made before the collector looks at the youngest, and how often it looks at the older ones.
THRESHOLDS: Final = (50_000, 20, 100)


def spare_the_collector() -> None:
    """Let the collector leave what is there now alone, and look seldom at what comes: for a service that was loaded.

    An order book is many small objects that stay. Without this each few hundred orders are followed by a walk through
    all of them, milliseconds in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the collector from looking again and again at objects that none of them is garbage of.

    Half of the time of a backfill went there: it counts allocations, and walks everything that the state holds for
    every few thousand events.

    Yields
    ------
    None
        Once; the collector is on afterwards if it was before.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
