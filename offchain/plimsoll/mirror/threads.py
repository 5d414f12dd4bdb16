"""Kernels on several cores: the work is divided by rows, and every row is computed as if it were alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

#: Below this many rows a second thread costs more than it gains.
LEAST_ROWS: Final = 4_096


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="mirror")


def in_parts(work: Callable[[int, int], None], rows: int, threads: int, least: int = LEAST_ROWS) -> None:
    """Call ``work(first, end)`` for ranges that cover all rows, on several threads where it is worth one.

    Parameters
    ----------
    work : callable
        Releases Python's lock; ranges never overlap.
    rows : int
    threads : int
        At least 1.
    least : int
        Rows that a range has at least.
    """
    if threads <= 1 or rows < 2 * least:
        work(0, rows)
        return
    # Smaller parts than threads: a core that others use as well does not hold up the whole.
    parts = min(4 * threads, rows // least)
    bounds = [rows * part // parts for part in range(parts + 1)]
    list(_pool(threads).map(work, bounds[:-1], bounds[1:]))
