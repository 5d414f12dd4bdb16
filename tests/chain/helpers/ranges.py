"""The rule of ranges on a stack, and what it has to do, in integers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from tests.chain.helpers.signed import DAY, WAD
from tests.chain.helpers.stack import PRICE_RANGE, Stack
from tests.python.oracle import fixed

RANGE_ROLE = 5
STEP = 5 * 10**15


@dataclass(frozen=True)
class Terms:
    """In the order of IRangeRule.Terms."""

    floor: int = PRICE_RANGE
    ceiling: int = 4 * 10**17
    multiple: int = 3 * WAD
    kept: int = 94 * 10**16
    rise: int = 6 * 10**16
    fall: int = 10**16

    def plain(self) -> tuple[int, ...]:
        """As Brownie takes them."""
        return (self.floor, self.ceiling, self.multiple, self.kept, self.rise, self.fall)


@dataclass(frozen=True)
class Seen:
    """In the order of IRangeRule.Observation."""

    day: int
    ts: int
    low: int
    base: int
    high: int
    last: int
    variance: int
    range: int


def _ceil(a: int, b: int) -> int:
    return -(-a // b)


def _closed(seen: Seen, terms: Terms) -> int:
    span = fixed.ln_ratio(seen.high, seen.low)
    return _ceil(terms.kept * seen.variance + (WAD - terms.kept) * _ceil(span * span, WAD), WAD)


def _power(base: int, exponent: int) -> int:
    found = WAD
    for bit in reversed(f"{exponent:b}" if exponent else ""):
        found = _ceil(found * base, WAD) if bit == "1" else found
        base = _ceil(base * base, WAD)
    return found


def expected(
    seen: Seen | None, terms: Terms, ts: int, spot: int, old: int, prior: int | None = None
) -> tuple[Seen, int]:
    """What the rule has seen after a price, and the range that it asks for without regard to speed.

    ``prior`` is the range before a grace of this book, where one runs.
    """
    day = ts // DAY
    if seen is None:
        root = terms.floor * WAD // terms.multiple
        begun = Seen(day, ts, spot, old, spot, spot, root * root // WAD, old)
    elif day > seen.day:
        variance = _ceil(_closed(seen, terms) * _power(terms.kept, day - seen.day - 1), WAD)
        begun = Seen(day, ts, seen.last, old, seen.last, seen.last, variance, old)
    else:
        begun = replace(seen, base=seen.base if old == seen.range else old)
    now = replace(begun, ts=ts, low=min(begun.low, spot), high=max(begun.high, spot), last=spot)
    root = math.isqrt(max(now.variance, _closed(now, terms)) * WAD)
    plain = _ceil(terms.multiple * root, WAD)
    target = min(terms.floor + max(_ceil(plain - terms.floor, STEP), 0) * STEP, terms.ceiling)
    limited = min(max(target, now.base - terms.fall), now.base + terms.rise)
    held = prior is not None and (limited < old or prior > old)
    return replace(now, range=old if held else limited), target


def add_rule(stack: Stack, terms: Terms | None = None) -> Any:
    """Deploy the rule, let it set ranges, give the first underlying its terms."""
    rule = stack.admin.deploy(stack.project.RangeRule, stack.authority, stack.book, stack.oracle)
    selector = stack.book.signatures["setRange"]
    stack.authority.setTargetFunctionRole(stack.book, [selector], RANGE_ROLE, {"from": stack.admin})
    stack.authority.grantRole(RANGE_ROLE, rule, 0, {"from": stack.admin})
    rule.setTerms(1, (terms or Terms()).plain(), {"from": stack.admin})
    return rule


def range_of(stack: Stack, underlying_id: int = 1) -> int:
    """Range in the book."""
    return stack.book.bookOf(underlying_id)[0][0]


def next_day(stack: Stack, days: int = 1) -> None:
    """Go to the first minute of a later day."""
    now = stack.chain[-1].timestamp
    stack.chain.sleep((now // DAY + days) * DAY + 60 - now)
    stack.chain.mine()
