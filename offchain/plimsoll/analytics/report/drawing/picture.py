"""A plotly figure as SVG without a script, drawn for each width of a page so that its text is never scaled away."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from plimsoll.analytics.report.drawing import colours, marks
from plimsoll.analytics.report.drawing.axes import Frame, bottom_of, frame_marks, left_of, title_lines
from plimsoll.analytics.report.drawing.legend import legend_marks
from plimsoll.analytics.report.drawing.panels import Panel, panels_of, scale_of
from plimsoll.analytics.report.drawing.scales import Band
from plimsoll.analytics.report.drawing.svg import label, tag

#: Widths that a picture is drawn for, pixels, by the class that shows it: a phone, a tablet or paper, a desk.
WIDTHS: Final = {"small": 330.0, "middle": 680.0, "large": 1096.0}
#: Panels side by side are at least so wide, otherwise they go below each other.
LEAST_PANEL: Final = 225.0
#: The width whose marks show their values to whoever hovers: there is no pointer on a phone or on paper.
RICH: Final = "large"
_RIGHT: Final = 14.0
#: Of the height of a figure so much is room around its plots.
_AROUND: Final = 85.0

STYLE: Final = (
    colours.STYLE + ".pic{margin:12px 0 4px}.pic svg{display:none;width:100%;height:auto;overflow:visible}"
    ".pic .loss{fill:var(--loss)}.pic .gain{fill:var(--gain)}.pic .inside{fill:var(--card)}"
    ".pic text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:var(--soft)}"
    ".pic .ink{fill:var(--ink)}.pic .on{fill:#fff}.pic .head{fill:var(--ink);font-weight:600;font-size:13px}"
    ".pic .grid{stroke:var(--line);fill:none}.pic .zero{stroke:var(--guide);fill:none}.pic rect{rx:1.5px}"
    ".pic .whisker{stroke:var(--ink);stroke-width:1.3}"
    ".pic .hover{fill:var(--ink);fill-opacity:0}.pic .hover :hover{fill-opacity:.25}"
    ".pic .cross{fill:none}.pic .disc{stroke-linecap:round}.pic rect:hover{stroke:var(--ink)}"
    "@media screen and (max-width:519px){.pic .small{display:block}}"
    "@media screen and (min-width:520px) and (max-width:899px){.pic .middle{display:block}}"
    "@media screen and (min-width:900px){.pic .large{display:block}}"
    "@media print{.pic .middle{display:block}.pic{break-inside:avoid}}"
)


@dataclass(slots=True)
class _Cell:
    """A panel in its place."""

    panel: Panel
    row: int
    column: int
    labels_x: bool
    labels_y: bool
    height: float


def picture(figure: Any) -> str:
    """Draw a figure.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Of bars, lines, points and heat maps; ``layout.height`` is its height in pixels.

    Returns
    -------
    str
        A ``figure`` element with one SVG a width; the style sheet ``STYLE`` shows the one that fits. In the largest,
        values are in ``title`` elements, which browsers show to whoever hovers over a mark.

    Raises
    ------
    InputError
        When a trace is of a kind that is not drawn.
    """
    found = _plain(figure.to_dict())
    return f"<figure class=pic>{''.join(svg_of(found, width, name) for name, width in WIDTHS.items())}</figure>"


def _plain(value: Any) -> Any:
    """Turn arrays, which plotly encodes as bytes in base 64, back into lists of numbers."""
    if isinstance(value, dict):
        if "bdata" in value:
            flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
            return flat.reshape([int(n) for n in str(value.get("shape", flat.size)).split(",")]).tolist()
        return {name: _plain(part) for name, part in value.items() if name != "template"}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def svg_of(figure: Mapping[str, Any], width: float, name: str | None = None) -> str:
    """Draw a figure, as a mapping, at one width in pixels; ``name`` is the class of the element."""
    layout, panels = figure["layout"], panels_of(figure)
    heading, top, drawn = _heading(layout), 4.0, ""
    if heading:
        drawn, top = label(heading, 0.0, 16.0, style="head"), 26.0
    legend, top = legend_marks(panels, layout, width, top)
    sheet = _Sheet(panels, _cells(panels, width, float(layout.get("height", 360))), width, name in (None, RICH))
    body, top = sheet.drawn(top)
    said = heading or ", ".join(p.title for p in panels if p.title) or "figure"
    return tag("svg", drawn + legend + body,
               viewBox=f"0 0 {width:g} {math.ceil(top)}", class_=name, role="img", aria_label=said)  # fmt: skip


def _heading(layout: Mapping[str, Any]) -> str:
    return str(layout.get("title", {}).get("text", ""))


def _cells(panels: Sequence[Panel], width: float, height: float) -> list[_Cell]:
    """Place panels as the figure does, or in fewer columns where the width has no room for them."""
    given = len({panel.x["domain"][0] for panel in panels})
    columns = max(1, min(given, int(width // LEAST_PANEL)))
    columns = math.ceil(given / math.ceil(given / columns))
    is_moved = columns != given
    height *= 0.75 if is_moved else 1.0
    cells = []
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        shown_x = panel.x.get("showticklabels") is not False
        shown_y = panel.y.get("showticklabels") is not False or (is_moved and column == 0)
        cells.append(_Cell(panel, row, column, shown_x, shown_y, panel.share * (height - _AROUND)))
    return cells


@dataclass(slots=True)
class _Sheet:
    """All panels of a figure at one width; plots of a column are equally wide and begin at the same place."""

    panels: Sequence[Panel]
    cells: list[_Cell]
    width: float
    says: bool

    def drawn(self, top: float) -> tuple[str, float]:
        """Return the marks, line by line from ``top``, and where they end."""
        columns = max(cell.column for cell in self.cells) + 1
        lefts = [max(self._left(cell, columns) for cell in self.cells if cell.column == i) for i in range(columns)]
        inner = (self.width - sum(lefts) - columns * _RIGHT) / columns
        drawn = ""
        for row in range(max(cell.row for cell in self.cells) + 1):
            line = [cell for cell in self.cells if cell.row == row]
            heading = max(len(title_lines(cell.panel, inner)) for cell in line)
            top += 8.0 + 15.0 * heading
            below = 0.0
            for cell in line:
                sx = scale_of(self.panels, cell.panel, "x", inner)
                left = lefts[cell.column]
                frame = Frame(left, bottom_of(cell.panel, sx, cell.labels_x), cell.labels_x, cell.labels_y)
                x = sum(lefts[: cell.column + 1]) + cell.column * (inner + _RIGHT)
                body = _plot(self.panels, cell, frame, inner, self.says)
                drawn += tag("g", body, transform=f"translate({x:.1f} {top:.1f})")
                below = max(below, cell.height + frame.bottom)
            top += below + 4.0
        return drawn, top

    def _left(self, cell: _Cell, columns: int) -> float:
        scale = scale_of(self.panels, cell.panel, "y", cell.height)
        return left_of(cell.panel, scale, self.width / columns, cell.labels_y)


def _plot(panels: Sequence[Panel], cell: _Cell, frame: Frame, width: float, says: bool) -> str:
    panel, height = cell.panel, cell.height
    sx, sy = scale_of(panels, panel, "x", width), scale_of(panels, panel, "y", height)
    drawn = frame_marks(panel, frame, sx, sy, width, height)
    if isinstance(sx, Band) and isinstance(sy, Band):
        return drawn + marks.heat_marks(panel, sx, sy, says=says)
    across, along = (sy, sx) if panel.is_lying else (sx, sy)
    drawn += marks.bar_marks(panel.bars, across, along, lying=panel.is_lying, length=width, says=says)
    return drawn + marks.guide_marks(panel, sx, sy, width, height) + marks.line_marks(panel, sx, sy, says=says)
