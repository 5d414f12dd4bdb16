"""The frame of a panel: how much room its labels take, and its grid, ticks and titles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from plimsoll.analytics.report.drawing.panels import Panel
from plimsoll.analytics.report.drawing.scales import Band, Scale, Tick
from plimsoll.analytics.report.drawing.svg import label, tag
from plimsoll.analytics.report.drawing.texts import width_of, wrapped

SIZE: Final = 12.0
LINE: Final = 14.0
#: Least distance of ticks along x and y, pixels.
ROOM_X: Final = 74.0
ROOM_Y: Final = 34.0
#: Labels at the side take at most this share of a panel's width.
SIDE: Final = 0.42
_SLANT: Final = -38.0


@dataclass(frozen=True, slots=True)
class Frame:
    """Room around the plot of a panel, pixels, and whether labels are shown on either axis."""

    left: float
    bottom: float
    labels_x: bool
    labels_y: bool


def side_lines(panel: Panel, scale: Scale, width: float) -> list[tuple[Tick, list[str]]]:
    """Return the ticks of y with their labels in lines that leave the plot its room."""
    room = ROOM_Y if not isinstance(scale, Band) else LINE if panel.is_heat else 1.0
    ticks = scale.ticks(room)
    return [(tick, wrapped(tick.label, SIDE * width, SIZE)) for tick in ticks]


def left_of(panel: Panel, scale: Scale, width: float, labels: bool) -> float:
    """Return the room that labels and title of y take."""
    if not labels:
        return 10.0
    lines = [text for _, found in side_lines(panel, scale, width) for text in found]
    title = LINE + 4.0 if _name(panel.y) else 0.0
    return max((width_of(text, SIZE) for text in lines), default=0.0) + 12.0 + title


def bottom_of(panel: Panel, scale: Scale, labels: bool) -> float:
    """Return the room that labels and title of x take."""
    if not labels:
        return 8.0
    title = LINE + 6.0 if _name(panel.x) else 4.0
    return _labels_height(scale) + title


def _fits(scale: Band) -> bool:
    """Whether names stand side by side once they are broken into lines."""
    words = (text for name in scale.names for text in wrapped(name, scale.slot - 6.0, SIZE))
    return all(width_of(text, SIZE) <= scale.slot - 4.0 for text in words)


def _labels_height(scale: Scale) -> float:
    if not isinstance(scale, Band):
        return LINE + 8.0
    if _fits(scale):
        return LINE * max(len(wrapped(name, scale.slot - 6.0, SIZE)) for name in scale.names) + 8.0
    if _is_thinned(scale):
        return LINE + 8.0
    return 0.64 * max(width_of(name, SIZE) for name in scale.names) + 22.0


def _is_thinned(scale: Band) -> bool:
    """Whether names are short and many, so that every so many of them says enough."""
    return max(len(name) for name in scale.names) <= 4 or scale.slot < LINE


def _name(axis: dict[str, object]) -> str:
    title = axis.get("title")
    return str(title.get("text", "")) if isinstance(title, dict) else str(title or "")


def title_lines(panel: Panel, width: float) -> list[str]:
    """Return the title of a panel in lines that fit over a plot of ``width`` pixels."""
    return wrapped(panel.title, width / 1.12, SIZE) if panel.title else []


def frame_marks(panel: Panel, frame: Frame, sx: Scale, sy: Scale, width: float, height: float) -> str:
    """Draw grid, ticks and titles around a plot of ``width`` by ``height`` pixels."""
    heading = title_lines(panel, width)
    lowest = -8.0 - LINE * (len(heading) - 1)
    drawn = "".join(label(text, width / 2.0, lowest + LINE * i, "middle", "head") for i, text in enumerate(heading))
    drawn += _grid(sx, sy, width, height)
    drawn += _x_labels(sx, height) if frame.labels_x else ""
    drawn += _y_labels(panel, sy, width + frame.left) if frame.labels_y else ""
    if _name(panel.x) and frame.labels_x:
        drawn += label(_name(panel.x), width / 2.0, height + frame.bottom - 6.0, "middle")
    if _name(panel.y) and frame.labels_y:
        drawn += label(_name(panel.y), 11.0 - frame.left, height / 2.0, "middle", None, -90.0)
    return drawn


def _grid(sx: Scale, sy: Scale, width: float, height: float) -> str:
    """Draw lines at the ticks of numbers and times, the line at zero stronger."""
    paths = {"grid": "", "zero": ""}
    for tick in () if isinstance(sx, Band) else sx.ticks(ROOM_X):
        paths["zero" if tick.label == "0" else "grid"] += f"M{tick.at:.1f} 0v{height:.1f}"
    for tick in () if isinstance(sy, Band) else sy.ticks(ROOM_Y):
        paths["zero" if tick.label == "0" else "grid"] += f"M0 {tick.at:.1f}h{width:.1f}"
    return "".join(tag("path", d=path, class_=name) for name, path in paths.items() if path)


def _x_labels(scale: Scale, height: float) -> str:
    base = height + LINE + 2.0
    if not isinstance(scale, Band):
        return _middle(label(tick.label, tick.at, base) for tick in scale.ticks(ROOM_X))
    if _fits(scale):
        return _middle(
            label(text, tick.at, base + LINE * i)
            for tick in scale.ticks(1.0)
            for i, text in enumerate(wrapped(tick.label, scale.slot - 6.0, SIZE))
        )
    if _is_thinned(scale):
        room = max(width_of(name, SIZE) for name in scale.names) + 10.0
        return _middle(label(tick.label, tick.at, base) for tick in scale.ticks(room))
    return "".join(label(t.label, t.at + 4.0, height + LINE, "end", None, _SLANT) for t in scale.ticks(LINE))


def _middle(labels: Iterable[str]) -> str:
    return tag("g", "".join(labels), text_anchor="middle")


def _y_labels(panel: Panel, scale: Scale, width: float) -> str:
    found = []
    for tick, texts in side_lines(panel, scale, width):
        top = tick.at + 4.0 - LINE * (len(texts) - 1) / 2.0
        found += [label(text, -7.0, top + LINE * i) for i, text in enumerate(texts)]
    return tag("g", "".join(found), text_anchor="end")
