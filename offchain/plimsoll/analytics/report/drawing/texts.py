"""Texts of a picture: how wide they are, where they break, and how numbers are written."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

#: Widths in shares of the size, of the widest of the common system fonts.
_NARROW: Final = frozenset("iljtfrI.,:;'|!()[] -")
_WIDE: Final = frozenset("mwMW%@")
#: From here on ticks are counted in thousands, and in millions.
_THOUSANDS: Final = 10_000.0
_MILLIONS: Final = 1_000_000.0
_TIMES: Final = re.compile(r"\d{4}-\d\d-\d\d")
#: A template of plotly names a value by %{y} or %{y:,.0f}.
_NAMED: Final = re.compile(r"%\{(\w+)(?::([^}]*))?\}")


def width_of(text: str, size: float) -> float:
    """Estimate how wide a text is, in the unit of ``size``."""
    return size * sum(0.36 if c in _NARROW else 0.88 if c in _WIDE else 0.68 if c.isupper() else 0.57 for c in text)


def wrapped(text: str, room: float, size: float) -> list[str]:
    """Break a text at its spaces so that lines fit into ``room`` where words allow."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and width_of(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def tick_text(value: float, step: float, most: float) -> str:
    """Write a tick with the digits that its step needs, in the unit of the largest one: 12k, 1.5M, 0.25."""
    unit, letter = (_MILLIONS, "M") if most >= _MILLIONS else (1_000.0, "k") if most >= _THOUSANDS else (1.0, "")
    if step * 100.0 < unit:
        unit, letter = 1.0, ""
    if value == 0.0:
        return "0"
    return f"{value / unit:,.{_places(step / unit)}f}{letter}"


def _places(step: float) -> int:
    places = 0
    while places < 8 and not math.isclose(step * 10**places, round(step * 10**places), rel_tol=1e-6, abs_tol=1e-9):
        places += 1
    return places


def figure_text(value: Any) -> str:
    """Write a value as a reader hovers over it: cash to the cent, small numbers to six digits."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, str):
        return value
    number = float(value)
    return f"{number:,.2f}" if abs(number) >= 1_000.0 else f"{number:,.6g}"


def hover_text(template: str, values: dict[str, Any]) -> str:
    """Fill in a hover template of plotly, whose ``%{x:format}`` name a value."""

    def shown(found: re.Match[str]) -> str:
        value = values[found[1]]
        return format(value, found[2]) if found[2] else figure_text(value)

    return _NAMED.sub(shown, template.replace("<extra></extra>", ""))


def is_moment(value: Any) -> bool:
    """Tell days and times from other values of an axis."""
    return isinstance(value, datetime) or (isinstance(value, str) and _TIMES.match(value) is not None)


def seconds_of(value: datetime | str) -> float:
    """Return Unix seconds of a day or time; one without a zone is UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def safe(text: str) -> str:
    """Escape a text for SVG; what plotly reads as bold or a line break becomes plain."""
    return escape(re.sub(r"</?b>", "", text.replace("<br>", " ")))
