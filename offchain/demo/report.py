"""The demo's tables on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table

from offchain.demo.result import AGREEMENT_BOUND, AccountResult, DemoResult

STATE_STYLE = {"healthy": "green", "margin call": "yellow", "liquidatable": "red", "insolvent": "bold red"}


def _money(value: float) -> str:
    return f"{value:,.0f}"


def _when(ts: int) -> str:
    return datetime.fromtimestamp(ts, tz=UTC).strftime("%m-%d %H:%M")


def _account_row(account: AccountResult, liquidated: int) -> list[str]:
    """Return one line of the accounts table."""
    first, last = account.path[0].figures, account.path[-1].figures
    efficiency = first.standard_initial / first.initial if first.initial > 0 else 0.0
    style = STATE_STYLE[account.path[-1].state]
    return [
        str(account.account_id),
        account.name,
        account.mode.name,
        str(account.positions),
        _money(first.equity),
        _money(first.initial),
        _money(first.maintenance),
        _money(first.standard_initial),
        f"{efficiency:.1f}x" if efficiency else "",
        _money(last.equity),
        _money(last.initial),
        _money(last.maintenance),
        f"[{style}]{account.path[-1].state}[/]",
        f"{liquidated}" if liquidated else "",
    ]


def _accounts_table(result: DemoResult) -> Table:
    table = Table(title="Accounts: before and after (cash units)", box=box.SIMPLE_HEAD)
    for header in ("id", "account", "mode", "pos"):
        table.add_column(header, justify="left" if header in ("account", "mode") else "right", no_wrap=True)
    for header in ("equity", "IM", "MM", "standard IM", "saving", "end equity", "end IM", "end MM"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("bids", justify="right")
    for account in result.accounts:
        bids = sum(1 for liquidation in result.liquidations if liquidation.account_id == account.account_id)
        table.add_row(*_account_row(account, bids))
    return table


def _liquidations_table(result: DemoResult) -> Table:
    table = Table(title="Liquidations", box=box.SIMPLE_HEAD)
    for header in ("round", "when", "account", "kind"):
        table.add_column(header, no_wrap=True)
    for header in ("fraction", "price", "paid", "E - MM before", "E - MM after"):
        table.add_column(header, justify="right", no_wrap=True)
    for item in result.liquidations:
        table.add_row(
            str(item.round_number),
            _when(item.ts),
            f"{item.account_id} {item.name}",
            item.kind,
            f"{item.fraction:.1%}",
            f"{item.price:.3f}",
            _money(item.paid),
            _money(item.equity_before - item.maintenance_before),
            _money(item.equity_after - item.maintenance_after),
        )
    return table


def _gas_table(result: DemoResult) -> Table:
    table = Table(title="Gas", box=box.SIMPLE_HEAD)
    for header in ("step", "count", "mean", "largest"):
        table.add_column(header, justify="left" if header == "step" else "right", no_wrap=True)
    for step, used in sorted(result.gas.used.items()):
        table.add_row(step, str(len(used)), f"{result.gas.mean(step):,}", f"{result.gas.largest(step):,}")
    return table


def _totals_table(result: DemoResult) -> Table:
    table = Table(title="Totals", box=box.SIMPLE_HEAD, show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("value")
    rounds = ", ".join(f"{symbol} {count}" for symbol, count in result.rounds.items())
    vault = ", ".join(f"{symbol} {raw}" for symbol, raw in result.vault_raw.items())
    table.add_row("data", f"{result.data_source}; rounds posted: {rounds}")
    table.add_row("vault, raw units", vault)
    table.add_row("conservation", "to the wei" if result.is_conserved else f"[red]{result.conservation_problems[0]}[/]")
    table.add_row(
        "index against chain", "equal" if not result.index_problems else f"[red]{result.index_problems[0]}[/]"
    )
    table.add_row("insurance fund", f"{result.insurance_fund:,.2f}")
    table.add_row("socialised loss", f"{result.socialised_loss:,.2f}")
    table.add_row(
        "largest mirror/chain difference",
        f"{result.max_difference:.1e} of gross notional (limit {AGREEMENT_BOUND:.0e}, "
        f"{result.margins_compared} margins, {result.max_difference_account})",
    )
    table.add_row("margin calls, series settled", f"{result.margin_calls}, {result.settled_series}")
    table.add_row("seconds", f"{result.seconds:.1f}")
    return table


def print_report(result: DemoResult, console: Console) -> None:
    """Print every table.

    Parameters
    ----------
    result : DemoResult
        A finished run.
    console : Console
        Standard output.
    """
    console.print(_accounts_table(result))
    console.print(_liquidations_table(result))
    console.print(_gas_table(result))
    console.print(_totals_table(result))
