"""Where a figure of an account falls below zero on the way of a growing move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

#: Parts into which a step with a crossing is divided at a time, and how often: together 2^24.
PARTS: Final = 16
DIVISIONS: Final = 6


def first_crossing(distances: Callable[[Sequence[float]], Vector], moves: Sequence[float]) -> float | None:
    """Find the smallest move at which a distance is below zero.

    Parameters
    ----------
    distances : callable
        Of moves, one distance each; positive while the threshold is not reached. Continuous.
    moves : sequence of float
        Each further away than the one before, from no move on. A distance that falls below zero and rises again
        between two of them is not seen.

    Returns
    -------
    float or None
        Below the threshold, and within ``PARTS**-DIVISIONS`` of a step of where it is met; 0 when it is reached
        already. None when no move reaches it.
    """
    found = distances([0.0, *moves]) < 0.0
    if found[0]:
        return 0.0
    if not found.any():
        return None
    place = int(found.argmax())
    safe, broken = (0.0, *moves)[place - 1 : place + 1]
    for _ in range(DIVISIONS):
        ends = np.linspace(safe, broken, PARTS + 1).tolist()
        # The last end is below the threshold already.
        first = int(np.append(distances(ends[1:-1]) < 0.0, True).argmax())
        safe, broken = ends[first], ends[first + 1]
    return broken
