"""Terms of operators with roles."""

from __future__ import annotations

from typing import Any

WITHDRAW, MODE, ISOLATE = 1, 2, 4
ALL_ROLES = 7


def terms(until_ts: int, roles: int = ALL_ROLES, *allowances: tuple[int, int]) -> tuple[Any, ...]:
    """Terms in the order of the contract; allowances by token id, raw a day."""
    return (until_ts, roles, list(allowances))
