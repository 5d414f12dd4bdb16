"""Cut-offs: a hedge that expires today is none tomorrow (risk-model section 4).

At the cut-off of an expiry nearer than a day, every position that expires at or before it keeps only a share that
falls from 1 to 0 between 24 and 2 hours before its own expiry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

FADE_START_SEC: Final = 24 * 3_600
FADE_SEC: Final = 22 * 3_600
#: The cut-off at which nothing has faded.
NO_CUTOFF: Final = 0


def fade(left_sec: float) -> float:
    """``omega``: the share of a position that counts as gone, ``clamp((24 h - tau)/(22 h), 0, 1)``."""
    return min(max((FADE_START_SEC - left_sec) / FADE_SEC, 0.0), 1.0)


def cutoffs_of(expiries: Iterable[int], ts: int) -> list[int]:
    """Return no cut-off first, then each expiry nearer than 24 h, rising."""
    return [NO_CUTOFF, *sorted({expiry for expiry in expiries if expiry and expiry - ts < FADE_START_SEC})]


def scales_at(cutoff: int, expiries: Sequence[int], ts: int) -> npt.NDArray[np.float64]:
    """Share of each expiry's positions that counts at a cut-off; 0 among ``expiries`` is what never expires."""
    gone = [fade(expiry - ts) if 0 < expiry <= cutoff else 0.0 for expiry in expiries]
    return 1.0 - np.array(gone)
