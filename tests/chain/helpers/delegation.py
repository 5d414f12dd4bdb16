"""Terms of trader keys."""

from __future__ import annotations

from typing import Any

CALL, PUT, FUTURE, PERP = 1, 2, 4, 8
ALL_KINDS = 15
NO_LIMIT = 2**128 - 1


def limits(underlying: int = 1, delta: int = NO_LIMIT, gamma: int = NO_LIMIT, vega: int = NO_LIMIT) -> tuple[int, ...]:
    """Limits of one underlying, wad."""
    return (underlying, delta, gamma, vega)


def terms(
    until_ts: int, *allowed: tuple[int, ...], kinds: int = ALL_KINDS, max_loss_wad: int = NO_LIMIT
) -> tuple[Any, ...]:
    """Terms in the order of the contract; underlying 1 without limits when none is named."""
    return (until_ts, kinds, max_loss_wad, list(allowed or (limits(),)))
