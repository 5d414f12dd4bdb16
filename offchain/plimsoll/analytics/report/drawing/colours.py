"""Colours of figures by day and by night: plotly is given the value, a page the variable that stands for it."""

from __future__ import annotations

from typing import Final

COLOURS: Final = ("#1f4e79", "#d98c00", "#2e7d4f", "#8a4f9e", "#b22222", "#3a8fb7", "#7a7a7a")
#: The same on a dark page: lighter, so that each stands out from the ground as much as by day.
NIGHT: Final = ("#6ea8dc", "#f0b03f", "#63bd88", "#c493d6", "#ef6a6a", "#76c3e6", "#aab2ba")
#: Lines that only guide the eye.
GUIDE: Final = "#9aa7b3"
#: Ends of the diverging scale of heat maps.
LOSS: Final = "#b22222"
GAIN: Final = "#1f6f9f"

_VARIABLES: Final = {**{colour: f"--c{i}" for i, colour in enumerate(COLOURS)}, GUIDE: "--guide"}

_DAY_STYLE: Final = "".join(f"--c{i}:{colour};" for i, colour in enumerate(COLOURS))
_NIGHT_STYLE: Final = "".join(f"--c{i}:{colour};" for i, colour in enumerate(NIGHT))
STYLE: Final = (
    f":root{{{_DAY_STYLE}--guide:{GUIDE};--loss:{LOSS};--gain:{GAIN}}}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_NIGHT_STYLE}"
    "--guide:#6b7883;--loss:#cf4444;--gain:#2c7cae}}"
)


def paint(colour: str) -> str:
    """Return what a page writes for a colour: the variable that changes at night, or the colour itself."""
    return f"var({_VARIABLES[colour]})" if colour in _VARIABLES else colour
