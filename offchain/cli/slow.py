"""Progress of a long walk on standard error: silent for two seconds, then a line at most every two."""

from __future__ import annotations

import sys
import time
from typing import Final

EVERY_SEC: Final = 2.0


class Slow:
    """Tells how far a walk is, once it turns out to be slow.

    Parameters
    ----------
    total : int
        Steps of the walk.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._told = time.monotonic()

    def tell(self, line: str) -> None:
        """Say how far it is, unless something was said a moment ago."""
        now = time.monotonic()
        if now - self._told >= EVERY_SEC:
            self._told = now
            print(f"{line} of {self._total}", file=sys.stderr)
