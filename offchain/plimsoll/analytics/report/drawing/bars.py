"""Bars of a panel, stacked or side by side: where each starts and ends, before any scale is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plimsoll.analytics.report.drawing.texts import figure_text

Trace = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes
    ----------
    at : object
        Category or time that it stands at.
    base, end : float
        Values where it starts and ends.
    lane, lanes : int
        Which of how many bars side by side it is.
    colour, hover, text : str
        What it is painted with, what a reader sees who hovers over it, what is written at its end.
    error : tuple of float or None
        Ends of its whisker.
    span : float or None
        Width in seconds, on an axis of time.
    """

    at: Any
    base: float
    end: float
    lane: int
    lanes: int
    colour: str
    hover: str
    text: str
    error: tuple[float, float] | None
    span: float | None


def is_lying(trace: Trace) -> bool:
    """Tell bars that run along x from upright ones."""
    return trace.get("orientation") == "h"


def bars_of(traces: Sequence[Trace], colours: Sequence[str], mode: str) -> list[Bar]:
    """Lay out the bars of a panel.

    Parameters
    ----------
    traces : sequence of mapping
        Bar traces of plotly.
    colours : sequence of str
        Of each trace where it has none of its own.
    mode : str
        ``group``, or ``stack`` and ``relative``, in which negative values go down from zero.

    Returns
    -------
    list of Bar
    """
    stacked = mode in ("stack", "relative")
    reached: dict[tuple[Any, bool], float] = {}
    found = []
    for number, (trace, colour) in enumerate(zip(traces, colours, strict=True)):
        names, values = (trace["y"], trace["x"]) if is_lying(trace) else (trace["x"], trace["y"])
        for i, (at, value) in enumerate(zip(names, values, strict=True)):
            if value is None or not math.isfinite(value):
                continue
            base = reached.get((at, value < 0.0), 0.0) if stacked else 0.0
            end = base + float(value)
            reached[at, value < 0.0] = end
            lane, lanes = (0, 1) if stacked else (number, len(traces))
            name = f"{trace['name']}, " if trace.get("name") else ""
            said = f"{name}{at}: {figure_text(value)}{_between(trace, i)}"
            found.append(
                Bar(
                    at, base, end, lane, lanes, _colour(trace, i, colour), said,
                    _text(trace, i), _error(trace, i, end), _span(trace),
                )
            )  # fmt: skip
    return found


def _colour(trace: Trace, i: int, otherwise: str) -> str:
    own = trace.get("marker", {}).get("color")
    if own is None:
        return otherwise
    return own if isinstance(own, str) else str(own[i])


def _text(trace: Trace, i: int) -> str:
    texts = trace.get("text")
    return "" if texts is None or trace.get("textposition") is None else str(texts[i])


def _error(trace: Trace, i: int, end: float) -> tuple[float, float] | None:
    error = trace.get("error_y")
    if error is None:
        return None
    down, up = float(error["arrayminus"][i]), float(error["array"][i])
    return None if down == up == 0.0 else (end - down, end + up)


def _between(trace: Trace, i: int) -> str:
    """Name the ends of a whisker."""
    error = trace.get("error_y")
    ends = _error(trace, i, float(trace["y"][i])) if error is not None else None
    return "" if ends is None else f" ({figure_text(ends[0])} to {figure_text(ends[1])})"


def _span(trace: Trace) -> float | None:
    width = trace.get("width")
    return None if width is None else float(width) / 1_000.0
