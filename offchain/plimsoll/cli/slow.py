"""Progress of a long walk on standard error: silent for two seconds, then a line at most every two."""

from __future__ import annotations

import sys
import time
from typing import Final

EVERY_SEC: Final = 2.0


class Slow:
    """Tells how far a walk is, once it turns out to be slow."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def tell(self, line: str) -> None:
        """Say how far it is, unless something was said a moment ago."""
        now = time.monotonic()
        if now - self._told >= EVERY_SEC:
            self._told = now
            print(line, file=sys.stderr)
