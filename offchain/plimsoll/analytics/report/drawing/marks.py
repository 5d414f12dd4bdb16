"""Marks inside a panel: bars, lines, points, cells, and lines across."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from plimsoll.analytics.report.drawing.bars import Bar
from plimsoll.analytics.report.drawing.colours import GUIDE, paint
from plimsoll.analytics.report.drawing.panels import Panel, Trace, painted
from plimsoll.analytics.report.drawing.scales import Band, Scale, Time
from plimsoll.analytics.report.drawing.svg import label, line, tag, title
from plimsoll.analytics.report.drawing.texts import figure_text, hover_text, width_of

DASHES: Final = {"dash": "7 5", "dot": "2 4"}
#: Share of a slot that bars fill.
FILLED: Final = 0.72
TEXT_SIZE: Final = 12.0
#: A line shows the values of at most so many of its points, and the lines of a panel of so many together.
HOVERS: Final = 16
PANEL_HOVERS: Final = 80
#: Points of a line that are nearer than this to a straight one are left out, pixels.
STRAIGHT: Final = 0.2
#: From this strength on a cell's text is white.
STRONG: Final = 0.55


def bar_marks(bars: Sequence[Bar], across: Scale, along: Scale, *, lying: bool, length: float, says: bool) -> str:
    """Draw bars; ``across`` places what they stand at, ``along`` their values; ``length`` is that of x.

    With ``says`` each shows its value; without, bars of one colour are one path, which takes a tenth of the text.
    """
    shapes: dict[str, list[str]] = {}
    for bar in bars:
        x, y, width, height = _box(bar, across, along, lying)
        shape = (
            tag("rect", title(bar.hover), x=x, y=y, width=width, height=height)
            if says
            else f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"
        )
        shapes.setdefault(paint(bar.colour), []).append(shape)
    drawn = "".join(
        tag("g", "".join(found), fill=colour) if says else tag("path", d="".join(found), fill=colour)
        for colour, found in shapes.items()
    )
    return drawn + "".join(_bar_extras(bar, across, along, lying, length) for bar in bars)


def _box(bar: Bar, across: Scale, along: Scale, lying: bool) -> tuple[float, float, float, float]:
    """Return left, top, width and height of a bar."""
    thick = _thickness(bar, across)
    start = across.place(bar.at) - thick * bar.lanes / 2.0 + bar.lane * thick
    near, far = sorted((along.place(bar.base), along.place(bar.end)))
    long = max(far - near, 0.1)
    return (near, start, long, thick) if lying else (start, near, thick, long)


def _bar_extras(bar: Bar, across: Scale, along: Scale, lying: bool, length: float) -> str:
    """Draw the whisker and the text of a bar."""
    thick = _thickness(bar, across)
    middle = across.place(bar.at) + (bar.lane + 0.5 - bar.lanes / 2.0) * thick
    drawn = ""
    if bar.error is not None:
        drawn += _whisker(middle, along.place(bar.error[0]), along.place(bar.error[1]), min(5.0, thick / 3.0))
    return drawn + (_end_text(bar, along, middle, length) if bar.text and lying else "")


def _thickness(bar: Bar, across: Scale) -> float:
    if bar.span is not None and isinstance(across, Time):
        return max(2.0, bar.span / (across.high - across.low) * across.length)
    slot = across.slot if isinstance(across, Band) else 12.0
    return min(FILLED * slot, 84.0 if bar.lanes == 1 else 60.0 * bar.lanes) / bar.lanes


def _whisker(middle: float, low: float, high: float, cap: float) -> str:
    caps = ((middle - cap, place, middle + cap, place) for place in (low, high))
    return "".join(line(*part, style="whisker") for part in ((middle, low, middle, high), *caps))


def _end_text(bar: Bar, along: Scale, middle: float, length: float) -> str:
    """Write a value inside the end of its lying bar, or beside it where it is too short."""
    room, end = width_of(bar.text, TEXT_SIZE) + 12.0, along.place(bar.end)
    is_inside = abs(end - along.place(bar.base)) >= room
    is_right = (bar.end >= bar.base) != is_inside
    if not is_inside and not room <= (length - end if is_right else end):
        is_right = not is_right
    anchor = "start" if is_right else "end"
    place = end + (6.0 if is_right else -6.0)
    return label(bar.text, place, middle + 4.0, anchor, "inside" if is_inside else "ink")


def line_marks(panel: Panel, sx: Scale, sy: Scale, *, says: bool) -> str:
    """Draw lines and points of scatter traces, with ``says`` the values at their points."""
    found = [(trace, colour) for trace, colour in painted(panel) if trace["type"] == "scatter"]
    most = min(HOVERS, PANEL_HOVERS // max(1, len(found))) if says else 0
    return "".join(_scatter(trace, colour, sx, sy, most) for trace, colour in found)


def _scatter(trace: Trace, colour: str, sx: Scale, sy: Scale, most: int) -> str:
    """Draw a line, its points or both; ``most`` is how many points of a mere line say their values."""
    texts = trace.get("text")
    points = [
        (sx.place(x), sy.place(y), _said(trace, x, y, None if texts is None else texts[i]))
        for i, (x, y) in enumerate(zip(trace["x"], trace["y"], strict=True))
        if y is not None and math.isfinite(y)
    ]
    mode, style, drawn = trace.get("mode", "lines"), trace.get("line", {}), ""
    if "lines" in mode:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in straightened([(x, y) for x, y, _ in points]))
        drawn += tag("polyline", points=path, fill="none", stroke=colour, stroke_width=float(style.get("width", 2.0)),
                     stroke_dasharray=DASHES.get(style.get("dash", "")), stroke_linejoin="round")  # fmt: skip
    if "markers" in mode:
        return drawn + _points(trace.get("marker", {}), colour, points, says=most > 0)
    if most == 0:
        return drawn
    dots = (tag("circle", title(said), cx=x, cy=y, r=7.0) for x, y, said in points[:: math.ceil(len(points) / most)])
    return drawn + tag("g", "".join(dots), class_="hover")


def straightened(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Leave out the points of a line that a straight one passes within ``STRAIGHT`` pixels (Douglas and Peucker)."""
    if len(points) < 3:
        return list(points)
    (x1, y1), (x2, y2) = points[0], points[-1]
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    far = [abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length for x, y in points[1:-1]]
    worst = max(range(len(far)), key=far.__getitem__)
    if far[worst] <= STRAIGHT:
        return [points[0], points[-1]]
    return straightened(points[: worst + 2])[:-1] + straightened(points[worst + 1 :])


def _said(trace: Trace, x: Any, y: Any, text: str | None) -> str:
    if "hovertemplate" in trace:
        return hover_text(trace["hovertemplate"], {"x": x, "y": y, "text": text or ""})
    name = f"{trace['name']}, " if trace.get("name") else ""
    return f"{name}{figure_text(x)}: {text or figure_text(y)}"


def _points(marker: Mapping[str, Any], colour: str, points: Sequence[tuple[float, float, str]], *, says: bool) -> str:
    """Draw points as discs or crosses; without their values they are one path."""
    half, is_cross = float(marker.get("size", 7)) / 2.0, marker.get("symbol") == "x"
    path = _cross if is_cross else _disc
    shapes = (
        [tag("path", title(said), d=path(x, y, half)) for x, y, said in points]
        if says
        else [tag("path", d="".join(path(x, y, half) for x, y, _ in points))]
    )
    return tag(
        "g", "".join(shapes), class_="cross" if is_cross else "disc", stroke=colour,
        stroke_width=2.5 if is_cross else 2.0 * half,
    )  # fmt: skip


def _disc(x: float, y: float, half: float) -> str:
    """Return a line of no length, whose round ends are a disc."""
    return f"M{x:.1f} {y:.1f}h0"


def _cross(x: float, y: float, half: float) -> str:
    left, right, upper, lower = x - half, x + half, y - half, y + half
    return f"M{left:.1f} {upper:.1f}L{right:.1f} {lower:.1f}M{left:.1f} {lower:.1f}L{right:.1f} {upper:.1f}"


def heat_marks(panel: Panel, sx: Band, sy: Band, *, says: bool) -> str:
    """Draw the cells of heat maps: losses red, gains blue, the stronger the further from nothing."""
    return "".join(_cells(trace, sx, sy, says) for trace, _ in panel.traces if trace["type"] == "heatmap")


def _cells(trace: Trace, sx: Band, sy: Band, says: bool) -> str:
    most, gap = float(trace["zmax"]), float(trace.get("xgap", 0))
    texts, drawn = trace.get("text"), []
    for row, (name, values) in enumerate(zip(trace["y"], trace["z"], strict=True)):
        for column, (heading, value) in enumerate(zip(trace["x"], values, strict=True)):
            if value is None:
                continue
            strength = min(1.0, abs(value) / most)
            x, y = sx.place(heading), sy.place(name)
            said = hover_text(trace.get("hovertemplate", "%{y}, %{x}: %{z}"), {"x": heading, "y": name, "z": value})
            cell = tag("rect", title(said) if says else "", x=x - (sx.slot - gap) / 2.0, y=y - (sy.slot - gap) / 2.0,
                       width=sx.slot - gap, height=sy.slot - gap, class_="loss" if value < 0.0 else "gain",
                       fill_opacity=f"{strength:.2f}")  # fmt: skip
            if texts is not None:
                cell += label(texts[row][column], x, y + 4.0, "middle", "on" if strength > STRONG else "ink")
            drawn.append(cell)
    return "".join(drawn)


def scale_strip(most: float, name: str, y: float) -> str:
    """Draw the key of a heat map from ``-most`` to ``most``, whose middle is at ``y``."""
    low, high = (f"{sign}{most:,.0f}" for sign in ("-", ""))
    start, step = width_of(low, TEXT_SIZE) + 6.0, 6.0
    steps = "".join(
        tag("rect", x=start + step * (i + 8), y=y - 6.0, width=step, height=12.0,
            class_="loss" if i < 0 else "gain", fill_opacity=f"{abs(i) / 8:.2f}")
        for i in range(-8, 9)
    )  # fmt: skip
    return label(low, 0.0, y + 4.0) + steps + label(f"{high} {name}", start + 17.0 * step + 6.0, y + 4.0)


def guide_marks(panel: Panel, sx: Scale, sy: Scale, width: float, height: float) -> str:
    """Draw lines across a panel and the texts at them."""
    drawn = ""
    for shape in panel.lines:
        (x1, y1), (x2, y2) = (_point_of(shape, end, sx, sy, width, height) for end in ("0", "1"))
        style = shape.get("line", {})
        drawn += line(x1, y1, x2, y2, stroke=paint(style.get("color", GUIDE)),
                      stroke_width=float(style.get("width", 1.5)),
                      stroke_dasharray=DASHES.get(style.get("dash", "")))  # fmt: skip
    for note in panel.notes:
        x, y = _point_of(note, "", sx, sy, width, height)
        is_end = note.get("xanchor") == "right"
        drawn += label(note["text"], x + (-5.0 if is_end else 5.0), y + 12.0, "end" if is_end else "start", "ink")
    return drawn


def _point_of(
    item: Mapping[str, Any], end: str, sx: Scale, sy: Scale, width: float, height: float
) -> tuple[float, float]:
    """Return the place of an end of a line, or of a text: at a value, or at a share of the panel."""
    x, y = item[f"x{end}"], item[f"y{end}"]
    return (
        x * width if item["xref"].endswith("domain") else sx.place(x),
        height * (1.0 - y) if item["yref"].endswith("domain") else sy.place(y),
    )
