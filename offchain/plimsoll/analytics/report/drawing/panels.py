"""Panels of a figure: which traces share a pair of axes, and the scales of those axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plimsoll.analytics.report.drawing.bars import Bar, bars_of, is_lying
from plimsoll.analytics.report.drawing.colours import COLOURS, paint
from plimsoll.analytics.report.drawing.scales import Band, Linear, Logarithmic, Scale, Time, spread
from plimsoll.analytics.report.drawing.texts import is_moment, seconds_of
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError

Trace = Mapping[str, Any]
KINDS = ("bar", "scatter", "heatmap")


@dataclass(slots=True)
class Panel:
    """A pair of axes and what is drawn in it.

    Attributes
    ----------
    x, y : dict
        Axes of the layout of plotly.
    traces : list of tuple
        Each trace with its colour.
    lines, notes : list of dict
        Straight lines across the panel, and texts at its values.
    title : str
    bars : list of Bar
    """

    x: dict[str, Any]
    y: dict[str, Any]
    traces: list[tuple[Trace, str]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    title: str = ""
    bars: list[Bar] = field(default_factory=list)

    @property
    def is_lying(self) -> bool:
        """Whether bars run along x."""
        return any(trace["type"] == "bar" and is_lying(trace) for trace, _ in self.traces)

    @property
    def is_heat(self) -> bool:
        """Whether it is a heat map."""
        return any(trace["type"] == "heatmap" for trace, _ in self.traces)

    @property
    def share(self) -> float:
        """Its share of the height of the figure."""
        low, high = self.y["domain"]
        return float(high - low)


def _axis(layout: Mapping[str, Any], reference: str) -> dict[str, Any]:
    """Return an axis of the layout by its short name, such as ``y2``, with its domain."""
    return {"domain": (0.0, 1.0), **layout.get(f"{reference[0]}axis{reference[1:]}", {}), "name": reference}


def panels_of(figure: Mapping[str, Any]) -> list[Panel]:
    """Sort what a figure holds into panels, from the top left, line by line.

    Parameters
    ----------
    figure : mapping
        ``Figure.to_dict()`` of plotly.

    Returns
    -------
    list of Panel

    Raises
    ------
    InputError
        When a trace is of a kind that no picture shows.
    """
    layout, found = figure["layout"], dict[tuple[str, str], Panel]()
    for number, trace in enumerate(figure["data"]):
        if trace["type"] not in KINDS:
            raise InputError("figure", f"a picture shows {', '.join(KINDS)}; this trace is {trace['type']!r}")
        key = (trace.get("xaxis", "x"), trace.get("yaxis", "y"))
        panel = found.setdefault(key, Panel(_axis(layout, key[0]), _axis(layout, key[1])))
        panel.traces.append((trace, _colour_of(trace, COLOURS[number % len(COLOURS)])))
    panels = sorted(found.values(), key=lambda p: (-p.y["domain"][1], p.x["domain"][0]))
    for panel in panels:
        bars = [(trace, colour) for trace, colour in panel.traces if trace["type"] == "bar"]
        panel.bars = bars_of([t for t, _ in bars], [c for _, c in bars], layout.get("barmode", "group"))
    _take_lines(panels, layout.get("shapes", ()))
    _take_notes(panels, layout.get("annotations", ()))
    return panels


def _colour_of(trace: Trace, otherwise: str) -> str:
    for part in ("line", "marker"):
        own = trace.get(part, {}).get("color")
        if isinstance(own, str):
            return own
    return otherwise


def _take_lines(panels: Sequence[Panel], shapes: Iterable[dict[str, Any]]) -> None:
    for shape in shapes:
        for panel in panels:
            if shape["xref"].split()[0] == panel.x["name"] and shape["yref"].split()[0] == panel.y["name"]:
                panel.lines.append(shape)


def _take_notes(panels: Sequence[Panel], annotations: Iterable[dict[str, Any]]) -> None:
    for note in annotations:
        if note["xref"] == "paper":
            nearest = min(panels, key=lambda p: _distance(p, note))
            nearest.title = note["text"]
            continue
        for panel in panels:
            if note["xref"].split()[0] == panel.x["name"] and note["yref"].split()[0] == panel.y["name"]:
                panel.notes.append(note)


def _distance(panel: Panel, note: Mapping[str, Any]) -> float:
    """Return how far a title is from the middle of a panel's upper edge."""
    middle = sum(panel.x["domain"]) / 2.0
    return float(abs(note["x"] - middle) + abs(note["y"] - panel.y["domain"][1]))


def _values(panel: Panel, side: str) -> list[Any]:
    """Return all values that an axis of a panel must show."""
    is_value = (side == "x") == panel.is_lying
    values: list[Any] = []
    for bar in panel.bars:
        values += [bar.base, bar.end, *(bar.error or ())] if is_value else [bar.at]
    for trace, _ in panel.traces:
        values += list(trace[side]) if trace["type"] != "bar" else []
    values += [shape[f"{side}0"] for shape in panel.lines if not shape[f"{side}ref"].endswith(" domain")]
    return [v for v in values if v is not None]


def _family(panels: Sequence[Panel], panel: Panel, side: str) -> list[Panel]:
    """Return the panels whose axis must show the same range."""

    def root(one: Panel) -> str:
        axis = getattr(one, side)
        return str(axis.get("matches", axis["name"]))

    return [one for one in panels if root(one) == root(panel)]


def scale_of(panels: Sequence[Panel], panel: Panel, side: str, length: float) -> Scale:
    """Return the scale of an axis of a panel, ``length`` pixels long, over all that share its range."""
    axis = getattr(panel, side)
    family = _family(panels, panel, side)
    values = [value for one in family for value in _values(one, side)]
    if axis.get("type") == "category" or any(isinstance(v, str) and not is_moment(v) for v in values):
        is_reversed = axis.get("autorange") == "reversed"
        return Band(tuple(dict.fromkeys(map(str, values))), length, (side == "y") != is_reversed)
    if any(map(is_moment, values)):
        seconds = [seconds_of(v) for v in values if is_moment(v)]
        low, high = min(seconds), max(seconds)
        more = 0.02 * (high - low) or DAY_SEC
        return Time(low - more, high + more, length)
    if axis.get("type") == "log":
        positive = [float(v) for v in values if v > 0.0]
        return Logarithmic(min(positive) / 1.1, max(positive) * 1.1, length, side == "y")
    has_bars = any(one.bars for one in family) and (side == "x") == panel.is_lying
    low, high = spread([float(v) for v in values], grounded=has_bars or axis.get("rangemode") == "tozero")
    return Linear(low, high, length, side == "y")


def painted(panel: Panel) -> list[tuple[Trace, str]]:
    """Return the traces of a panel with what a page writes for their colours."""
    return [(trace, paint(colour)) for trace, colour in panel.traces]
