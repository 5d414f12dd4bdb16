"""The demo as one self-contained page: the sections of the report, the market's path, every account's equity."""

from __future__ import annotations

import html
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from plimsoll.analytics.report.drawing.colours import COLOURS
from plimsoll.analytics.report.drawing.picture import STYLE as PICTURE_STYLE
from plimsoll.analytics.report.drawing.picture import picture
from plimsoll.demo.result import AccountResult, DemoResult
from plimsoll.demo.sections import Grid, Section, sections_of
from plimsoll.errors import InputError

COLUMNS = 3
ROW_HEIGHT_PX = 220
BLUE, AMBER, RED, GREEN = COLOURS[0], COLOURS[1], COLOURS[4], COLOURS[2]
STATE_CLASS = {"healthy": "good", "margin call": "warn", "liquidatable": "bad", "insolvent": "bad"}
STYLE = (
    """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6776; --text: #445060; --line: #dde3ea; --card: #fff;
  --link: #1f4e79; --green: #2e7d32; --amber: #b26a00; --red: #b22222; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #a3b0bc; --text: #c3ccd5;
  --line: #323e49; --card: #12181e; --link: #82b7e8; --green: #6cc792; --amber: #e5ac4d; --red: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--card); max-width: 1120px;
  margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .2rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .2rem; border-top: 1px solid var(--line); padding-top: 1.1rem; }
p { margin: .3rem 0 .8rem; max-width: 78ch; color: var(--text); }
p.note { color: var(--ink); }
nav { margin: .8rem 0 0; line-height: 1.9; }
nav a { margin-right: 1rem; color: var(--link); text-decoration: none; white-space: nowrap; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.card { border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
.card b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: .87rem; }
table { border-collapse: collapse; margin: .4rem 0 1rem; font-variant-numeric: tabular-nums; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .2rem; }
th { text-align: right; font-weight: 600; color: var(--soft); border-bottom: 1.5px solid var(--guide);
  vertical-align: bottom; }
th, td { padding: .22rem .8rem .22rem 0; white-space: nowrap; }
td { text-align: right; border-bottom: 1px solid var(--line); }
th.text, td.text { text-align: left; }
tr.sum td { font-weight: 600; border-top: 1.5px solid var(--guide); }
.good { color: var(--green); } .warn { color: var(--amber); } .bad { color: var(--red); }
.wide { overflow-x: auto; }
.pic { margin-left: 0; margin-right: 0; }
@page { size: A4; margin: 13mm 12mm; }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 12px; } h2 { break-after: avoid; }
  table { font-size: .8rem; } th, td { white-space: normal; padding-right: .5rem; } .wide { overflow: visible; } }
"""
    + PICTURE_STYLE
)


def _times(timestamps: list[int]) -> list[datetime]:
    return [datetime.fromtimestamp(ts, tz=UTC) for ts in timestamps]


def market_figure(result: DemoResult) -> object:
    """Draw spot (relative to the start) and volatility of every underlying."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, subplot_titles=("spot, start = 100", "30-day volatility at the money, %"))
    for (symbol, points), colour in zip(result.market.items(), (AMBER, BLUE, GREEN, RED), strict=False):
        times = _times([p.ts for p in points])
        spot = [100.0 * p.spot / points[0].spot for p in points]
        labels = [f"{p.spot:,.0f}" for p in points]
        style = {"mode": "lines", "line": {"color": colour, "width": 2}, "legendgroup": symbol}
        figure.add_trace(go.Scatter(x=times, y=spot, name=symbol, text=labels, **style), row=1, col=1)
        vols = [100.0 * p.atm_vol for p in points]
        figure.add_trace(go.Scatter(x=times, y=vols, name=symbol, showlegend=False, **style), row=1, col=2)
    figure.update_layout(height=300, template="plotly_white", margin={"l": 40, "r": 10, "t": 40, "b": 30})
    return figure


def accounts_figure(result: DemoResult) -> object:
    """Draw one panel per account: equity, IM, MM, and a mark where a slice was sold."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    rows = math.ceil(len(result.accounts) / COLUMNS)
    titles = [f"{a.account_id} {a.name}" for a in result.accounts]
    figure = make_subplots(rows=rows, cols=COLUMNS, subplot_titles=titles, vertical_spacing=0.3 / rows)
    for number, account in enumerate(result.accounts):
        row, column = number // COLUMNS + 1, number % COLUMNS + 1
        times = _times([p.ts for p in account.path])
        lines = (
            ("equity", [p.figures.equity for p in account.path], BLUE, "solid"),
            ("initial margin", [p.figures.initial for p in account.path], AMBER, "dash"),
            ("maintenance margin", [p.figures.maintenance for p in account.path], RED, "dot"),
        )
        for name, values, colour, dash in lines:
            style = {"color": colour, "dash": dash, "width": 2 if name == "equity" else 1.3}
            shown = {"mode": "lines", "legendgroup": name, "showlegend": number == 0}
            figure.add_trace(go.Scatter(x=times, y=values, name=name, line=style, **shown), row=row, col=column)
        _mark_liquidations(figure, result, account, row, column)
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(tickformat="%d %b", nticks=5)
    figure.update_layout(
        height=ROW_HEIGHT_PX * rows,
        template="plotly_white",
        margin={"l": 50, "r": 10, "t": 80, "b": 30},
        legend={"orientation": "h", "y": 0.995, "yanchor": "top", "yref": "container", "x": 0.0},
    )
    figure.update_annotations(font_size=12)
    return figure


def _mark_liquidations(figure: Any, result: DemoResult, account: AccountResult, row: int, column: int) -> None:
    """Put a cross where the account's slices were sold."""
    import plotly.graph_objects as go

    mine = [item for item in result.liquidations if item.account_id == account.account_id]
    if not mine:
        return
    texts = [f"{item.kind}: {item.fraction:.1%} at {item.price:.3f}, paid {item.paid:,.0f}" for item in mine]
    trace = go.Scatter(
        x=_times([item.ts for item in mine]),
        y=[item.equity_before for item in mine],
        text=texts,
        name="liquidation",
        mode="markers",
        marker={"symbol": "x", "size": 9, "color": RED},
        legendgroup="liquidation",
        showlegend=False,
    )
    figure.add_trace(trace, row=row, col=column)


def _cell(text: str, *, is_text: bool, tag: str = "td") -> str:
    """Return one cell; states get their colour."""
    classes = " ".join(c for c in ("text" if is_text else "", STATE_CLASS.get(text, "")) if c)
    mark = f' class="{classes}"' if classes else ""
    return f"<{tag}{mark}>{html.escape(text).replace(chr(10), '<br>')}</{tag}>"


def _grid(grid: Grid) -> str:
    """Return one table."""
    head = ""
    if any(grid.headers):
        cells = (_cell(h, is_text=n in grid.text_columns, tag="th") for n, h in enumerate(grid.headers))
        head = f"<thead><tr>{''.join(cells)}</tr></thead>"
    rows = []
    for number, row in enumerate(grid.rows):
        mark = ' class="sum"' if number >= len(grid.rows) - grid.sums else ""
        cells = (_cell(value, is_text=n in grid.text_columns) for n, value in enumerate(row))
        rows.append(f"<tr{mark}>{''.join(cells)}</tr>")
    caption = f"<caption>{html.escape(grid.caption)}</caption>" if grid.caption else ""
    return f"<div class='wide'><table>{caption}{head}<tbody>{''.join(rows)}</tbody></table></div>"


def _section(section: Section, number: int, figure: str) -> str:
    """Return one section; its figure comes last."""
    notes = "".join(f"<p class='note'>{html.escape(note)}</p>" for note in section.notes)
    return (
        f"<section id='{section.key}'><h2>{number}. {html.escape(section.title)}</h2><p>{html.escape(section.lead)}</p>"
        f"{''.join(_grid(grid) for grid in section.grids)}{notes}{figure}</section>"
    )


def _cards(result: DemoResult) -> str:
    """Return the facts that a reader should not miss."""
    sold = [item for item in result.liquidations if not item.is_insolvent]
    failed = [item for item in result.liquidations if item.is_insolvent]
    facts = [
        ("to the wei" if result.is_conserved else "BROKEN", "money in the vault = money of all accounts"),
        (f"{result.max_difference:.0e}", "of gross notional: largest gap between contracts and mirror"),
        (str(len(sold)), "partial liquidations"),
        (f"{sum(item.from_fund for item in failed):,.0f}", f"paid by the fund for {len(failed)} insolvent account(s)"),
        (f"{result.socialised_loss:,.0f}", "loss socialised over everybody else"),
        (str(result.settled_series), "expired series settled"),
    ]
    cards = "".join(f"<div class='card'><b>{html.escape(b)}</b><span>{html.escape(s)}</span></div>" for b, s in facts)
    return f"<div class='cards'>{cards}</div>"


def write_html(result: DemoResult, path: Path) -> None:
    """Write the page; it loads nothing from a network.

    Parameters
    ----------
    result : DemoResult
        A finished run.
    path : Path
        Target; its folder is created.
    """
    figures = {
        "market": picture(market_figure(result)),
        "closing": picture(accounts_figure(result)),
    }
    sections = sections_of(result)
    links = " ".join(f"<a href='#{s.key}'>{html.escape(s.title.partition(':')[0])}</a>" for s in sections)
    body = "".join(_section(s, n, figures.get(s.key, "")) for n, s in enumerate(sections, 1))
    page = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Plimsoll demo</title>"
        f"<meta name='viewport' content='width=device-width, initial-scale=1'><style>{STYLE}</style></head><body>"
        f"<h1>Plimsoll: a crash, margined and liquidated on chain</h1>"
        f"<p>Every amount on this page comes from events and views of the contracts, in one run on a local chain.</p>"
        f"{_cards(result)}<nav>{links}</nav>{body}</body></html>"
    )
    part = path.with_suffix(".part")
    try:
        part.write_text(page, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError("--report", f"{path} cannot be written ({error.strerror})") from None
