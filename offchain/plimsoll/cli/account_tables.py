"""Tables of ``plimsoll account show``."""

from __future__ import annotations

from datetime import UTC, datetime

from rich import box
from rich.table import Table

from plimsoll.cli.tables import FittedTable
from plimsoll.protocol.account import AccountOnChain


def account_tables(view: AccountOnChain) -> list[Table]:
    """Build the tables of one account.

    Parameters
    ----------
    view : AccountOnChain
        What was read.

    Returns
    -------
    list[Table]
        Balances and margin, then positions.
    """
    head = FittedTable(title=f"Account {view.account_id}", box=box.SIMPLE_HEAD, show_header=False)
    head.add_column("what", no_wrap=True)
    head.add_column("value", justify="right")
    head.add_row("owner", view.owner)
    head.add_row("mode", view.portfolio.mode.name)
    head.add_row("cash", f"{view.portfolio.cash:,.6f}")
    for symbol, amount in view.portfolio.collateral.items():
        head.add_row(symbol, f"{amount:,.8f}")
    if view.margin is None:
        head.add_row("margin", view.margin_problem)
    else:
        head.add_row("state", view.margin.state)
        head.add_row("equity", f"{view.margin.equity:,.2f}")
        head.add_row("initial margin", f"{view.margin.initial_margin:,.2f}")
        head.add_row("maintenance margin", f"{view.margin.maintenance_margin:,.2f}")
    positions = FittedTable(title="Positions", box=box.SIMPLE_HEAD)
    for header in ("instrument", "expiry", "strike or entry", "quantity"):
        positions.add_column(header, justify="left" if header == "instrument" else "right")
    for p in view.portfolio.positions:
        expiry = datetime.fromtimestamp(p.expiry_ts, tz=UTC).strftime("%Y-%m-%d %H:%M") if p.expiry_ts else ""
        positions.add_row(f"{p.underlying} {p.kind.word}", expiry, f"{p.price:,.4f}", f"{p.quantity:,.4f}")
    return [head, positions]
