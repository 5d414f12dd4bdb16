"""Tables of ``plimsoll margin`` for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.analytics.var.legs import label_of
from plimsoll.cli.tables import FittedTable, plain_table
from plimsoll.mirror.margin_engine import ExpiryGreeks, MarginResult, RowPnl, UnderlyingMargin
from plimsoll.mirror.order_preview import OpenOrder
from plimsoll.model import Mode
from plimsoll.params import VOL_NAMES

_STATE_STYLE = {"healthy": "green", "margin call": "yellow", "liquidatable": "red", "insolvent": "bold red"}
#: What a requirement is made of, and the greeks behind it.
_PARTS: Final = (
    ("scan (grid)", "scan"),
    ("certified scan", "certified_scan"),
    ("basis", "basis"),
    ("vega term", "vega_term"),
    ("skew term", "skew_term"),
    ("short option minimum", "short_min"),
    ("concentration", "concentration"),
    ("requirement", "requirement"),
    ("delta (units)", "delta"),
    ("gamma", "gamma"),
    ("vega (per vol point)", "vega"),
    ("theta (per day)", "theta"),
)
#: Those that add up to a requirement of positions together; what positions need alone has none of them.
_TOGETHER: Final = (
    "scan", "certified_scan", "basis", "vega_term", "skew_term", "short_min", "concentration", "requirement",
)  # fmt: skip
_ALONE: Final = "requirement, each position alone"
#: What a requirement per underlying leaves unsaid.
_SAID: Final = {
    Mode.STANDARD: "mode STANDARD: each position needs its own, without offsets; rows of the book show no requirement",
    Mode.CROSS: "mode CROSS: requirements of each underlying alone; the margins above set them off against each other",
}
#: Those that are no cash.
_UNITS: Final = ("delta", "gamma")
#: What people are shown, here and on pages: vega of a vol point, theta of a day; documents hold 1.00 of vol and a year.
_SHARES: Final = {"vega": 1.0 / 100.0, "theta": 1.0 / 365.0}


def _money(value: float) -> str:
    # What rounds to 0 from below has no sign.
    return f"{value:z,.2f}"


def _shown(part: UnderlyingMargin | ExpiryGreeks, field: str) -> float:
    """Return a figure in the unit that tables and pages show."""
    return float(getattr(part, field)) * _SHARES.get(field, 1.0)


def _summary(result: MarginResult) -> Table:
    table = FittedTable(title=f"Account ({result.engine} engine)", title_justify="left")
    table.add_column("quantity")
    table.add_column("cash", justify="right")
    for label, value in (
        ("equity", result.equity),
        ("market equity (no haircuts)", result.market_equity),
        ("mark to market", result.mark_to_market),
        ("debt charge (in the requirement)", result.debt_charge),
        ("initial margin", result.initial_margin),
        ("maintenance margin", result.maintenance_margin),
        ("excess over initial", result.equity - result.initial_margin),
        ("excess over maintenance", result.equity - result.maintenance_margin),
    ):
        table.add_row(label, _money(value))
    table.add_row("state", Text(result.state, style=_STATE_STYLE[result.state]))
    return table


def _components(result: MarginResult, alone: Mapping[str, float]) -> Table:
    table = FittedTable(title="Requirement and greeks per underlying", title_justify="left")
    table.add_column("component")
    for name in result.underlyings:
        table.add_column(name, justify="right")
    if alone:
        table.add_row(_ALONE, *(_money(alone[name]) for name in result.underlyings))
    for label, field in _PARTS:
        if alone and field in _TOGETHER:
            continue
        values = [_shown(u, field) for u in result.underlyings.values()]
        table.add_row(label, *(f"{v:,.6f}" if field in _UNITS else _money(v) for v in values))
        if field == "requirement":
            table.add_row("  as if expired", *(_cutoff(u.cutoff) for u in result.underlyings.values()))
    return table


def _cutoff(cutoff: int) -> str:
    """Up to which expiry the hedges of the requirement have faded."""
    return datetime.fromtimestamp(cutoff, UTC).strftime("%m-%d %H:%M") if cutoff else "nothing"


def _expiries(name: str, part: UnderlyingMargin) -> Table:
    """Greeks by expiry, what never expires first."""
    table = FittedTable(title=f"{name}: greeks per expiry", title_justify="left")
    table.add_column("expiry")
    for label in ("delta", "gamma", "vega per vol point", "theta per day"):
        table.add_column(label, justify="right")
    for found in part.expiries:
        date = datetime.fromtimestamp(found.expiry_ts, UTC).strftime("%Y-%m-%d %H:%M")
        label = date if found.expiry_ts else "none (perp, linked)"
        units = (f"{found.delta:,.6f}", f"{found.gamma:,.6f}")
        table.add_row(label, *units, *(_money(_shown(found, field)) for field in _SHARES))
    return table


def _label(row: RowPnl) -> str:
    """Name the line of the grid that a row belongs to."""
    label = f"{row.price:+.2%}"
    if row.weight == 0.0:
        return f"{label}, skew {row.skew:+.2f}"
    return label if row.weight == 1.0 else f"{label}, weight {row.weight:.2f}"


def _heat(pnl: float, largest: float, worst: bool) -> Text:
    """Colour a P&L by its share of the largest one; the worst row of the scan has a sign."""
    depth = round(140 * min(1.0, abs(pnl) / largest)) if largest > 0.0 else 0
    colour = f"on rgb({40 + depth},40,40)" if pnl < 0.0 else f"on rgb(40,{40 + depth},40)"
    return Text(("* " if worst else "") + _money(pnl), style=f"white {colour}" + (" bold" if worst else ""))


def _grid(name: str, part: UnderlyingMargin) -> Table:
    """P&L by price move (down) and vol state (across) as a heat map."""
    vols = [vol for vol in VOL_NAMES if any(row.vol == vol for row in part.rows)]
    table = FittedTable(
        title=f"{name}: P&L of every row (*: worst of the scan, which has no skew rows)", title_justify="left"
    )
    table.add_column("price move", justify="right")
    for vol in vols:
        table.add_column(f"vol {vol}", justify="right")
    largest = max(abs(row.pnl) for row in part.rows)
    lines: dict[str, dict[str, Text]] = {}
    for row in sorted(part.rows, key=lambda row: (row.price, row.skew)):
        worst = row is part.rows[part.worst_row]
        lines.setdefault(_label(row), {})[row.vol] = _heat(row.pnl, largest, worst)
    for label, cells in lines.items():
        table.add_row(label, *(cells.get(vol, "") for vol in vols))
    return table


def show(result: MarginResult, mode: Mode, alone: Mapping[str, float]) -> None:
    """Print the tables of one result.

    Parameters
    ----------
    result : MarginResult
    mode : Mode
        Of the account.
    alone : mapping of str to float
        What mode STANDARD asks by underlying; empty in other modes.
    """
    console = Console()
    console.print(_summary(result))
    console.print(_components(result, alone))
    if mode in _SAID:
        console.print(_SAID[mode])
    for name, part in result.underlyings.items():
        if any(row.pnl != 0.0 for row in part.rows):
            console.print(_expiries(name, part))
            console.print(_grid(name, part))


def show_change(
    orders: Sequence[OpenOrder],
    before: MarginResult,
    after: MarginResult,
    alone: tuple[Mapping[str, float], Mapping[str, float]],
) -> None:
    """Print trades, and what they change.

    Parameters
    ----------
    orders : sequence of OpenOrder
    before, after : MarginResult
    alone : tuple of two mappings of str to float
        What mode STANDARD asks by underlying before and after; empty in other modes.
    """
    console = Console()
    traded = plain_table("Trades, at the price they are taken to fill at", ("instrument", "quantity", "price"))
    for order in orders:
        traded.add_row(label_of(order.position), f"{order.position.quantity:+,.6g}", f"{order.limit:,.4f}")
    console.print(traded)
    table = plain_table("Account, cash", ("", "before", "after", "change"))
    for label, name in (
        ("equity", "equity"),
        ("initial margin", "initial_margin"),
        ("maintenance margin", "maintenance_margin"),
    ):
        old, new = getattr(before, name), getattr(after, name)
        table.add_row(label, _money(old), _money(new), f"{new - old:+,.2f}")
    old, new = (one.equity - one.initial_margin for one in (before, after))
    table.add_row("left to use", _money(old), _money(new), f"{new - old:+,.2f}")
    table.add_row("state", before.state, after.state, "")
    console.print(table)
    for name, part in after.underlyings.items():
        was = before.underlyings[name]
        if was == part:
            continue
        changed = plain_table(f"{name}: what of its requirement changes", ("part", "before", "after", "change"))
        if alone[1]:
            old, new = (required[name] for required in alone)
            changed.add_row(_ALONE, _money(old), _money(new), f"{new - old:+,.2f}")
        for label, field in _PARTS:
            if alone[1] and field in _TOGETHER:
                continue
            old, new = _shown(was, field), _shown(part, field)
            shown = (f"{old:,.4f}", f"{new:,.4f}", f"{new - old:+,.4f}") if field in _UNITS else None
            changed.add_row(label, *(shown or (_money(old), _money(new), f"{new - old:+,.2f}")))
        console.print(changed)
