"""A page that loads nothing and runs nothing: text is escaped, figures are pictures in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final

from plimsoll.analytics.report.drawing.colours import COLOURS
from plimsoll.analytics.report.drawing.picture import STYLE as PICTURE_STYLE
from plimsoll.analytics.report.drawing.picture import picture
from plimsoll.errors import InputError
from plimsoll.files.document import text_of
from plimsoll.market.chain_file import replace_file

#: What a page may load: nothing but the style inside it.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
STYLE: Final = (
    """
:root{color-scheme:light dark;--ink:#1b2733;--soft:#5b6b7a;--line:#dde4ea;--back:#f4f6f8;--card:#fff;--red:#b22222;
--amber:#a86a00;--green:#2e7d4f}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#a3b0bc;--line:#323e49;--back:#12181e;
--card:#1a222a;--red:#ff7b72;--amber:#e5ac4d;--green:#6cc792}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);background:var(--back);margin:0}
main{max-width:1180px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;line-height:1.25;margin:0 0 2px;overflow-wrap:anywhere}h2{font-size:18px;margin:0 0 4px}
h3{font-size:14px;margin:14px 0 2px}
.sub{color:var(--soft);margin:0 0 18px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin:16px 0}
section p{margin:2px 0 10px;max-width:900px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:12px;margin:16px 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px;break-inside:avoid}
.tile b{display:block;font-size:21px;font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:13px}
.tile b.long{font-size:15px;line-height:1.35;padding-top:3px}th.text{text-align:left}
.good b{color:var(--green)}.warn b{color:var(--amber)}.bad b{color:var(--red)}
.scroll{overflow-x:auto;margin-top:14px}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th{text-align:right;color:var(--soft);font-weight:600;border-bottom:1px solid var(--guide);padding:5px 8px;
vertical-align:bottom;white-space:nowrap}
td{text-align:right;border-bottom:1px solid var(--line);padding:5px 8px;white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}th:last-child,td:last-child{padding-right:0}
td.text{text-align:left;white-space:normal;min-width:160px}
ul{margin:6px 0 0;padding-left:20px}li{overflow-wrap:break-word}
.alert{color:var(--red);font-weight:600}.note{color:var(--soft);font-size:13px}
@media(max-width:519px){main{padding:18px 10px 40px}section{padding:14px 12px}h1{font-size:22px}
.tiles{grid-template-columns:1fr 1fr;gap:8px}.tile{padding:9px 11px}.tile b{font-size:17px}
.tile b.long{font-size:14px;line-height:1.45}td.text{min-width:220px}}
@page{size:A4;margin:13mm 12mm}
@media print{body{background:#fff;font-size:12px}main{max-width:none;padding:0}h1{font-size:21px}h2{font-size:15px}
section{border:0;border-top:1px solid #bbb;border-radius:0;padding:10px 0 4px;margin:8px 0}h2,h3{break-after:avoid}
.tiles{grid-template-columns:repeat(4,1fr);gap:6px}.tile{padding:6px 8px;border-color:#bbb}.tile b{font-size:15px}
.tile b.long{font-size:11.5px}.tile span{font-size:10.5px}table{font-size:10.5px}thead{display:table-header-group}
tr{break-inside:avoid}td,th{padding:2.5px 5px}td,th{white-space:normal}td.text{min-width:0}.scroll{overflow:visible}}
"""
    + PICTURE_STYLE
)
HALF_CENT: Final = 0.005
#: Characters from which a tile's value is set smaller.
LONG: Final = 12


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure at the head of a page; ``tone`` is empty, good, warn or bad."""

    label: str
    value: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Header and rows; text in the columns of ``wide`` may wrap."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    wide: Sequence[int] = ()

    def html(self) -> str:
        """Return the table."""
        head = "".join(
            f"<th{' class=text' if i in self.wide else ''}>{escape(name)}</th>" for i, name in enumerate(self.header)
        )
        lines = []
        for row in self.rows:
            cells = (f"<td{' class=text' if i in self.wide else ''}>{escape(cell)}</td>" for i, cell in enumerate(row))
            lines.append(f"<tr>{''.join(cells)}</tr>")
        return f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: what it says in a sentence or in points, then figures (plotly), tables and notes."""

    title: str
    text: str = ""
    points: Sequence[str] = field(default=(), kw_only=True)
    figures: Sequence[Any] = field(default=())
    tables: Sequence[Table] = field(default=())
    notes: Sequence[str] = field(default=())


def money(value: float) -> str:
    """Cash with thousands separators; cents below ten thousand."""
    value = 0.0 if abs(value) < HALF_CENT else value
    return f"{value:,.2f}" if abs(value) < 10_000.0 else f"{value:,.0f}"


def percent(share: float) -> str:
    """Show a share without needless digits: 99%, 97.5%."""
    return f"{100.0 * share:.6g}%"


def days(count: float) -> str:
    """Count days."""
    return f"{count:g} day" if count == 1.0 else f"{count:g} days"


def layout(figure: Any, height: int, **extra: Any) -> Any:
    """Give a figure the look of the page."""
    figure.update_layout(
        height=height,
        template="plotly_white",
        colorway=COLOURS,
        margin={"l": 60, "r": 20, "t": 40, "b": 45},
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#1b2733"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        **extra,
    )
    return figure


def _section(section: Section) -> str:
    parts = [f"<section><h2>{escape(section.title)}</h2>"]
    if section.text:
        parts.append(f"<p>{escape(section.text)}</p>")
    if section.points:
        parts.append("<ul>" + "".join(f"<li>{escape(point)}</li>" for point in section.points) + "</ul>")
    parts += [picture(figure) for figure in section.figures]
    parts += [table.html() for table in section.tables]
    if section.notes:
        parts.append("<ul class=note>" + "".join(f"<li>{escape(note)}</li>" for note in section.notes) + "</ul>")
    parts.append("</section>")
    return "".join(parts)


def page_of(
    title: str,
    subtitle: str,
    tiles: Sequence[Tile],
    alerts: Sequence[str],
    sections: Sequence[Section],
    *,
    style: str = "",
) -> str:
    """Assemble a page.

    Parameters
    ----------
    title, subtitle : str
    tiles : sequence of Tile
    alerts : sequence of str
        Shown in red below the tiles.
    sections : sequence of Section
    style : str
        Added to the style sheet of all pages.

    Returns
    -------
    str
        A whole document without a script, which loads nothing.
    """
    shown = "".join(
        f'<div class="tile {tile.tone}"><span>{escape(tile.label)}</span>'
        f"<b{' class=long' if len(tile.value) > LONG else ''}>{escape(tile.value)}</b></div>"
        for tile in tiles
    )
    warned = "".join(f"<li>{escape(alert)}</li>" for alert in alerts)
    body = "".join(map(_section, sections))
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width,initial-scale=1'>"
        f'<meta http-equiv=Content-Security-Policy content="{POLICY}">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style></head><body><main><h1>{escape(title)}</h1>"
        f"<p class=sub>{escape(subtitle)}</p><div class=tiles>{shown}</div>"
        f"{f'<ul class=alert>{warned}</ul>' if warned else ''}{body}</main></body></html>\n"
    )


def write_pair(path: Path, html: str, document: Mapping[str, Any]) -> Path:
    """Write a page and its figures beside it, both whole or not at all.

    Parameters
    ----------
    path : Path
        Ends in ``.html``.
    html : str
    document : mapping
        Written to the same name with ``.json``; a figure that is not finite is an error before anything is written.

    Returns
    -------
    Path
        Of the JSON file.

    Raises
    ------
    InputError
        When the name does not end in ``.html``, a figure is not finite or the folder cannot be written.
    """
    if path.suffix != ".html":
        raise InputError("--html", f"{path} does not end in .html")
    beside = path.with_suffix(".json")
    text = text_of(document, indent=1) + "\n"
    replace_file(beside, lambda name: Path(name).write_text(text, encoding="utf-8"))
    replace_file(path, lambda name: Path(name).write_text(html, encoding="utf-8"))
    return beside
