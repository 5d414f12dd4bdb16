"""The rule by which a price range follows the market, as ``RangeRule.sol`` has it: pure, in floats.

What a day (UTC) tells is the span between the highest and the lowest price seen in it, the last price seen before it
among them. The average of the squared spans, times a multiple, is the range that the rule asks for: never below a
floor, never above a ceiling, and never further than a day's speed from the range with which the day began.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from plimsoll.constants import DAY_SEC

STEP: Final = 0.005
"""Ranges are set in these steps from the floor."""
TOLERANCE: Final = 1e-9
"""In steps: what floats lose of a range that is whole steps above the floor."""


@dataclass(frozen=True, slots=True)
class RangeTerms:
    """What the rule asks of one underlying.

    Attributes
    ----------
    floor : float
        The range that passed the back-test.
    ceiling : float
    multiple : float
        Range in units of the root of the averaged squared span.
    kept : float
        Share of the average that a day leaves.
    max_rise, max_fall : float
        Furthest above and below the range with which a day began.
    """

    floor: float
    ceiling: float = 0.5
    multiple: float = 3.0
    kept: float = 0.94
    max_rise: float = 0.03
    max_fall: float = 0.005


@dataclass(frozen=True, slots=True)
class RangeView:
    """What the rule has seen.

    Attributes
    ----------
    ts : int
        Time of the last price.
    low, high, last : float
        Lowest and highest price of the day, the last one before it included; last price.
    base : float
        Range with which the day began.
    variance : float
        Average of the squared spans of the days before.
    price_range : float
        Range as the rule last left it.
    """

    ts: int
    low: float
    high: float
    last: float
    base: float
    variance: float
    price_range: float


def closed_variance(view: RangeView, terms: RangeTerms) -> float:
    """Average once the day is over, if no further price is seen in it."""
    return terms.kept * view.variance + (1.0 - terms.kept) * math.log(view.high / view.low) ** 2


def target_range(view: RangeView, terms: RangeTerms) -> float:
    """Range that the rule asks for without regard to speed."""
    variance = max(view.variance, closed_variance(view, terms))
    steps = math.ceil((terms.multiple * math.sqrt(variance) - terms.floor) / STEP - TOLERANCE)
    return min(terms.floor + max(steps, 0) * STEP, terms.ceiling)


def _day_of(ts: int, spot: float, view: RangeView | None, terms: RangeTerms, book_range: float) -> RangeView:
    """Return what is known of the day of a price before its own part in it."""
    if view is None:
        return RangeView(ts, spot, spot, spot, book_range, (terms.floor / terms.multiple) ** 2, book_range)
    days = ts // DAY_SEC - view.ts // DAY_SEC
    if days > 0:
        variance = closed_variance(view, terms) * terms.kept ** (days - 1)
        return RangeView(ts, view.last, view.last, view.last, book_range, variance, view.price_range)
    base = view.base if abs(book_range - view.price_range) < STEP * TOLERANCE else book_range
    return RangeView(ts, view.low, view.high, view.last, base, view.variance, view.price_range)


def observe(
    view: RangeView | None, terms: RangeTerms, ts: int, spot: float, book_range: float, prior: float | None = None
) -> RangeView:
    """Show the rule a price.

    Parameters
    ----------
    view : RangeView or None
        What it has seen; None before the first price.
    terms : RangeTerms
    ts : int
        Time of the price, after ``view.ts``.
    spot : float
    book_range : float
        Range in the book.
    prior : float, optional
        Range before the grace of this book that runs, if one does: nothing falls in it, and after a fall nothing rises.

    Returns
    -------
    RangeView
        With the range that is in the book from now on.
    """
    day = _day_of(ts, spot, view, terms, book_range)
    seen = RangeView(ts, min(day.low, spot), max(day.high, spot), spot, day.base, day.variance, book_range)
    limited = min(max(target_range(seen, terms), day.base - terms.max_fall), day.base + terms.max_rise)
    held = prior is not None and (limited < book_range or prior > book_range)
    found = book_range if held else limited
    return RangeView(ts, seen.low, seen.high, spot, day.base, day.variance, found)
