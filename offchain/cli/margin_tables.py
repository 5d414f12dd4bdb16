"""Tables of ``plimsoll margin`` for a person."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from offchain.mirror.margin_engine import MarginResult, UnderlyingMargin

_STATE_STYLE = {"healthy": "green", "margin call": "yellow", "liquidatable": "red", "insolvent": "bold red"}


def _money(value: float) -> str:
    return f"{value:,.2f}"


def _summary(result: MarginResult) -> Table:
    table = Table(title=f"Account ({result.engine} engine)", title_justify="left")
    table.add_column("quantity")
    table.add_column("cash", justify="right")
    for label, value in (
        ("equity", result.equity),
        ("market equity (no haircuts)", result.market_equity),
        ("mark to market", result.mark_to_market),
        ("initial margin", result.initial_margin),
        ("maintenance margin", result.maintenance_margin),
        ("excess over initial", result.equity - result.initial_margin),
        ("excess over maintenance", result.equity - result.maintenance_margin),
    ):
        table.add_row(label, _money(value))
    table.add_row("state", Text(result.state, style=_STATE_STYLE[result.state]))
    return table


def _components(result: MarginResult) -> Table:
    table = Table(title="Requirement and greeks per underlying", title_justify="left")
    table.add_column("component")
    for name in result.underlyings:
        table.add_column(name, justify="right")
    for label, field in (
        ("scan (grid)", "scan"),
        ("certified scan", "certified_scan"),
        ("basis", "basis"),
        ("vega term", "vega_term"),
        ("short option minimum", "short_min"),
        ("concentration", "concentration"),
        ("requirement", "requirement"),
        ("delta (units)", "delta"),
        ("gamma", "gamma"),
        ("vega (per 1.00 vol)", "vega"),
        ("theta (per year)", "theta"),
    ):
        values = [getattr(u, field) for u in result.underlyings.values()]
        table.add_row(label, *(f"{v:,.6f}" if field in ("delta", "gamma") else _money(v) for v in values))
    return table


def _grid(name: str, part: UnderlyingMargin) -> Table:
    """P&L by price move and vol state, the worst row in red."""
    table = Table(title=f"{name}: P&L of every row (worst in red)", title_justify="left")
    for header in ("price", "vol", "skew", "weight", "P&L"):
        table.add_column(header, justify="right")
    ordered = sorted(enumerate(part.rows), key=lambda item: (item[1].price, item[1].vol, item[1].skew))
    for index, row in ordered:
        style = "bold red" if index == part.worst_row else "red" if row.pnl < 0 else "green" if row.pnl > 0 else ""
        table.add_row(
            f"{row.price:+.3f}", row.vol, f"{row.skew:+.2f}", f"{row.weight:.2f}", Text(_money(row.pnl), style=style)
        )
    return table


def show(result: MarginResult) -> None:
    """Print the tables of one result."""
    console = Console()
    console.print(_summary(result))
    console.print(_components(result))
    for name, part in result.underlyings.items():
        if any(row.pnl != 0.0 for row in part.rows):
            console.print(_grid(name, part))
