"""The legend above a picture: names beside what stands for them, in as many lines as they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from plimsoll.analytics.report.drawing.axes import SIZE
from plimsoll.analytics.report.drawing.marks import DASHES, scale_strip
from plimsoll.analytics.report.drawing.panels import Panel, painted
from plimsoll.analytics.report.drawing.svg import label, line, tag
from plimsoll.analytics.report.drawing.texts import width_of

ROW: Final = 20.0
_SWATCH: Final = 26.0
_GAP: Final = 18.0


def legend_marks(panels: Sequence[Panel], layout: Mapping[str, Any], width: float, top: float) -> tuple[str, float]:
    """Draw the legend of a figure.

    Parameters
    ----------
    panels : sequence of Panel
    layout : mapping
        Of plotly: ``showlegend`` false leaves it out, and so does a single name without it.
    width, top : float
        Pixels.

    Returns
    -------
    str, float
        Marks, and where what follows may begin.
    """
    entries = [(swatch, name) for panel in panels for swatch, name in _entries(panel)]
    shown = layout.get("showlegend")
    if shown is False or (shown is None and len(entries) < 2):
        entries = []
    drawn, x, y = "", 0.0, top
    for swatch, name in entries:
        room = _SWATCH + width_of(name, SIZE) + _GAP
        if x > 0.0 and x + room - _GAP > width:
            x, y = 0.0, y + ROW
        drawn += tag("g", swatch, transform=f"translate({x:.1f} {y + 10.0:.1f})")
        drawn += label(name, x + _SWATCH, y + 14.0)
        x += room
    after = y + ROW if entries else top
    heat = next((t for panel in panels for t, _ in panel.traces if t["type"] == "heatmap"), None)
    if heat is None:
        return drawn, after
    strip = scale_strip(float(heat["zmax"]), str(heat["colorbar"]["title"]["text"]), after + 10.0)
    return drawn + strip, after + ROW + 4.0


def _entries(panel: Panel) -> list[tuple[str, str]]:
    found = []
    for trace, colour in painted(panel):
        if not trace.get("name") or trace.get("showlegend") is False or trace["type"] == "heatmap":
            continue
        if trace["type"] == "bar":
            swatch = tag("rect", x=4.0, y=-6.0, width=14.0, height=12.0, rx=2.0, fill=colour)
        elif "lines" in trace.get("mode", "lines"):
            dash = DASHES.get(trace.get("line", {}).get("dash", ""))
            swatch = line(0.0, 0.0, 20.0, 0.0, stroke=colour, stroke_width=2.5, stroke_dasharray=dash)
        else:
            swatch = tag("circle", cx=11.0, cy=0.0, r=4.0, fill=colour)
        found.append((swatch, str(trace["name"])))
    return found
