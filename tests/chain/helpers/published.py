"""Uniswap v3 as it was published: compiled contracts of its npm packages, and its roots and ticks.

Nothing of it is part of the project: the packages are development dependencies, and only what is compiled is read.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

PACKAGES = Path(__file__).resolve().parents[3] / "node_modules" / "@uniswap"
FEE, SPACING = 3_000, 60
Q96 = 2**96
#: Of the manager: all that can be collected; a deadline that never comes.
MAX, FOREVER = 2**128 - 1, 2**40


def published(package: str, name: str) -> dict[str, Any]:
    """ABI and creation code of one contract."""
    path = PACKAGES / package / "artifacts" / "contracts" / f"{name}.sol" / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def root_of(price: float, base_decimals: int, cash_decimals: int, *, base_first: bool) -> int:
    """Root of a pool's price, Q96, at a price of the base in cash."""
    raw = price * 10.0 ** (cash_decimals - base_decimals)
    return int(math.sqrt(raw if base_first else 1 / raw) * Q96)


def tick_of(price: float, base_decimals: int, cash_decimals: int, *, base_first: bool) -> int:
    """The nearest tick of the pool's spacing."""
    raw = price * 10.0 ** (cash_decimals - base_decimals)
    tick = math.log(raw if base_first else 1 / raw) / math.log(1.0001)
    return round(tick / SPACING) * SPACING
