"""Who is told how far a long computation is; by default nobody."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]


def silent(line: str) -> None:
    """Tell nobody."""
