"""Where a figure of an account falls below zero on the way of a growing move."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

BISECTIONS: Final = 24


def first_crossing(distance: Callable[[float], float], moves: Iterable[float]) -> float | None:
    """Find the smallest move at which a distance is below zero.

    Parameters
    ----------
    distance : callable
        Of a move; positive while the threshold is not reached. Continuous.
    moves : iterable of float
        Looked at in turn, each further away than the one before, from no move on. A distance that falls below zero and
        rises again between two of them is not seen.

    Returns
    -------
    float or None
        Below the threshold, and within ``2**-BISECTIONS`` of a step of where it is met; 0 when it is reached already.
        None when no move reaches it.
    """
    if distance(0.0) < 0.0:
        return 0.0
    safe = 0.0
    for move in moves:
        if distance(move) >= 0.0:
            safe = move
            continue
        broken = move
        for _ in range(BISECTIONS):
            middle = 0.5 * (safe + broken)
            safe, broken = (middle, broken) if distance(middle) >= 0.0 else (safe, middle)
        return broken
    return None
