"""The demo as one self-contained page: market path, and every account's equity against its requirements."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime
from pathlib import Path

from offchain.demo.result import AccountResult, DemoResult

COLUMNS = 3
ROW_HEIGHT_PX = 260


def _times(timestamps: list[int]) -> list[datetime]:
    return [datetime.fromtimestamp(ts, tz=UTC) for ts in timestamps]


def _market_figure(result: DemoResult) -> object:
    """Draw spot (relative to the start) and volatility of every underlying."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, subplot_titles=("spot, start = 100", "30-day volatility at the money, %"))
    for symbol, points in result.market.items():
        times = _times([p.ts for p in points])
        spot = [100.0 * p.spot / points[0].spot for p in points]
        labels = [f"{p.spot:,.0f}" for p in points]
        figure.add_trace(go.Scatter(x=times, y=spot, name=symbol, text=labels, mode="lines+markers"), row=1, col=1)
        vols = [100.0 * p.atm_vol for p in points]
        figure.add_trace(go.Scatter(x=times, y=vols, name=f"{symbol} vol", mode="lines+markers"), row=1, col=2)
    figure.update_layout(height=360, template="plotly_white", margin={"l": 50, "r": 20, "t": 50, "b": 30})
    return figure


def _accounts_figure(result: DemoResult) -> object:
    """Draw one panel per account: equity, IM, MM, and a mark where a slice was sold."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    rows = math.ceil(len(result.accounts) / COLUMNS)
    titles = [f"{a.account_id} {a.name} ({a.path[-1].state})" for a in result.accounts]
    figure = make_subplots(rows=rows, cols=COLUMNS, subplot_titles=titles, vertical_spacing=0.25 / rows)
    for number, account in enumerate(result.accounts):
        row, column = number // COLUMNS + 1, number % COLUMNS + 1
        times = _times([p.ts for p in account.path])
        lines = (
            ("equity", [p.figures.equity for p in account.path], "#1f4e79", "solid"),
            ("IM", [p.figures.initial for p in account.path], "#d98c00", "dash"),
            ("MM", [p.figures.maintenance for p in account.path], "#b22222", "dot"),
        )
        for name, values, colour, dash in lines:
            style = {"color": colour, "dash": dash}
            figure.add_trace(
                go.Scatter(x=times, y=values, name=name, line=style, legendgroup=name, showlegend=number == 0),
                row=row,
                col=column,
            )
        _mark_liquidations(figure, result, account, row, column)
    figure.update_layout(
        height=ROW_HEIGHT_PX * rows, template="plotly_white", margin={"l": 50, "r": 20, "t": 50, "b": 30}
    )
    figure.update_annotations(font_size=12)
    return figure


def _mark_liquidations(figure: object, result: DemoResult, account: AccountResult, row: int, column: int) -> None:
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
        marker={"symbol": "x", "size": 11, "color": "#b22222"},
        legendgroup="liquidation",
        showlegend=False,
    )
    figure.add_trace(trace, row=row, col=column)  # type: ignore[attr-defined]


def _summary(result: DemoResult) -> str:
    """Return the head of the page."""
    rounds = ", ".join(f"{symbol} {count}" for symbol, count in result.rounds.items())
    facts = (
        f"data: {result.data_source}; rounds posted: {rounds}",
        f"liquidations: {len(result.liquidations)}; margin calls: {result.margin_calls}; "
        f"series settled: {result.settled_series}",
        f"conservation: {'to the wei' if result.is_conserved else 'BROKEN'}; insurance fund "
        f"{result.insurance_fund:,.2f}; socialised loss {result.socialised_loss:,.2f}",
        f"largest mirror/chain difference: {result.max_difference:.1e} of gross notional",
    )
    items = "".join(f"<li>{fact}</li>" for fact in facts)
    return f"<h1>Plimsoll: a crash, margined and liquidated on chain</h1><ul>{items}</ul>"


def write_html(result: DemoResult, path: Path) -> None:
    """Write the page; it loads nothing from a network.

    Parameters
    ----------
    result : DemoResult
        A finished run.
    path : Path
        Target; its folder is created.
    """
    market = _market_figure(result).to_html(full_html=False, include_plotlyjs=True)  # type: ignore[attr-defined]
    accounts = _accounts_figure(result).to_html(full_html=False, include_plotlyjs=False)  # type: ignore[attr-defined]
    style = "body{font-family:system-ui,sans-serif;max-width:1400px;margin:1.5rem auto;padding:0 1rem}"
    page = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Plimsoll demo</title>"
        f"<style>{style}</style></head><body>{_summary(result)}{market}{accounts}</body></html>"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(page, encoding="utf-8")
    os.replace(part, path)
