"""The garbage collector while many objects are made at once that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
