"""Axes as scales: each places values on a length in pixels and says where its ticks are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from plimsoll.analytics.report.drawing.texts import seconds_of, tick_text
from plimsoll.constants import DAY_SEC

#: Steps of a time axis in seconds, and how their ticks are written.
_STEPS: Final = (
    (900.0, "%H:%M"), (3_600.0, "%H:%M"), (10_800.0, "%H:%M"), (21_600.0, "%d %b %H:%M"), (43_200.0, "%d %b %H:%M"),
    (DAY_SEC, "%d %b"), (2.0 * DAY_SEC, "%d %b"), (7.0 * DAY_SEC, "%d %b"), (14.0 * DAY_SEC, "%d %b"),
)  # fmt: skip
_MONTH_STEPS: Final = (1, 2, 3, 6, 12, 24, 60, 120)
_MONTH: Final = 30.4 * DAY_SEC


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: its place in pixels, and its label."""

    at: float
    label: str


class Scale(Protocol):
    """What a panel asks of an axis."""

    def place(self, value: Any) -> float:
        """Return the place of a value, pixels from the start of the axis."""

    def ticks(self, room: float) -> list[Tick]:
        """Return marks that are at least ``room`` pixels apart."""


@dataclass(frozen=True, slots=True)
class Band:
    """Categories in equal slots; ``turned`` runs from the end to the start."""

    names: tuple[str, ...]
    length: float
    turned: bool = False

    @property
    def slot(self) -> float:
        """Length of one category."""
        return self.length / max(1, len(self.names))

    def place(self, value: Any) -> float:
        """Return the middle of the category's slot."""
        at = (self.names.index(str(value)) + 0.5) * self.slot
        return self.length - at if self.turned else at

    def ticks(self, room: float) -> list[Tick]:
        """Name every category, or every so many where there is no room for all."""
        every = max(1, math.ceil(room / self.slot))
        return [Tick(self.place(name), name) for name in self.names[::every]]


@dataclass(frozen=True, slots=True)
class Linear:
    """Numbers from ``low`` to ``high``; ``turned`` runs from the end to the start, as upright axes of a screen do."""

    low: float
    high: float
    length: float
    turned: bool = False

    def place(self, value: Any) -> float:
        """Return the place of a number."""
        share = (float(value) - self.low) / (self.high - self.low)
        return self.length * (1.0 - share if self.turned else share)

    def ticks(self, room: float) -> list[Tick]:
        """Mark round numbers."""
        step = round_step(self.high - self.low, self.length / room)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        most = max(abs(first), abs(last)) * step
        return [Tick(self.place(i * step), tick_text(i * step, step, most)) for i in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Logarithmic:
    """Positive numbers by their logarithm."""

    low: float
    high: float
    length: float
    turned: bool = False

    def place(self, value: Any) -> float:
        """Return the place of a positive number."""
        return Linear(math.log10(self.low), math.log10(self.high), self.length, self.turned).place(math.log10(value))

    def ticks(self, room: float) -> list[Tick]:
        """Mark powers of ten, and 2 and 5 times them where they are few."""
        few = math.log10(self.high / self.low) < 2.5
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        values = [m * 10.0**d for d in decades for m in ((1, 2, 5) if few else (1,))]
        return [Tick(self.place(v), f"{v:g}") for v in values if self.low <= v <= self.high]


@dataclass(frozen=True, slots=True)
class Time:
    """Days and times, placed by their Unix seconds."""

    low: float
    high: float
    length: float

    def place(self, value: Any) -> float:
        """Return the place of a day, a time or Unix seconds."""
        seconds = float(value) if isinstance(value, int | float) else seconds_of(value)
        return Linear(self.low, self.high, self.length).place(seconds)

    def ticks(self, room: float) -> list[Tick]:
        """Mark round hours, days, months or years."""
        least = (self.high - self.low) * room / self.length
        for step, form in _STEPS:
            if step >= least:
                first = math.ceil(self.low / step)
                marks = [i * step for i in range(first, math.floor(self.high / step) + 1)]
                return [Tick(self.place(ts), datetime.fromtimestamp(ts, UTC).strftime(form)) for ts in marks]
        months = next((m for m in _MONTH_STEPS if m * _MONTH >= least), _MONTH_STEPS[-1])
        return [Tick(self.place(ts), label) for ts, label in self._months(months)]

    def _months(self, every: int) -> list[tuple[float, str]]:
        found = []
        first, last = (datetime.fromtimestamp(ts, UTC) for ts in (self.low, self.high))
        for count in range(12 * first.year, 12 * last.year + last.month):
            moment = datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)
            if count % every == 0 and self.low <= moment.timestamp() <= self.high:
                found.append((moment.timestamp(), moment.strftime("%Y" if every >= 12 else "%b %Y")))
        return found


def round_step(span: float, most: float) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that takes at most ``most`` steps over ``span``."""
    least = span / max(1.0, most)
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= least * (1.0 - 1e-9))


def spread(values: Sequence[float], *, grounded: bool) -> tuple[float, float]:
    """Return the range of an axis over finite values.

    Parameters
    ----------
    values : sequence of float
    grounded : bool
        Whether bars stand on the axis: zero is in the range, and nothing is added beyond it.

    Returns
    -------
    tuple of float
        Lower and upper end, never equal.
    """
    found = [v for v in values if math.isfinite(v)] + ([0.0] if grounded else [])
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if low == high:
        low, high = (low - 1.0, high + 1.0) if low != 0.0 else (0.0, 1.0)
    more = 0.05 * (high - low)
    return (low if grounded and low == 0.0 else low - more, high if grounded and high == 0.0 else high + more)
