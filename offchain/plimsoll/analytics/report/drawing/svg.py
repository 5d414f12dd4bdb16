"""SVG as text, element by element."""

from __future__ import annotations

from plimsoll.analytics.report.drawing.texts import safe


def tag(name: str, inside: str = "", **attributes: str | float | None) -> str:
    """Return one element; ``stroke_width`` becomes ``stroke-width``, ``class_`` the class, None is left out."""
    written = "".join(
        f' {key.strip("_").replace("_", "-")}="{_written(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def _written(value: str | float) -> str:
    """Write a coordinate to a tenth of a pixel."""
    return safe(value) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def label(text: str, x: float, y: float, anchor: str = "start", style: str | None = None, turn: float = 0.0) -> str:
    """Return a line of text whose baseline is at ``y``, turned about its place by ``turn`` degrees."""
    placed = f"rotate({turn:g} {x:.1f} {y:.1f})" if turn else None
    return tag("text", safe(text), x=x, y=y, text_anchor=anchor if anchor != "start" else None, class_=style,
               transform=placed)  # fmt: skip


def title(text: str) -> str:
    """Return what a reader sees who hovers over the element that holds it."""
    return f"<title>{safe(text)}</title>"


def line(x1: float, y1: float, x2: float, y2: float, style: str | None = None, stroke: str | None = None,
         stroke_width: float | None = None, stroke_dasharray: str | None = None) -> str:  # fmt: skip
    """Return a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=style, stroke=stroke, stroke_width=stroke_width,
               stroke_dasharray=stroke_dasharray)  # fmt: skip
