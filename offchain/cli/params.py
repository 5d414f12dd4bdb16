"""``plimsoll params``: what a change of parameters would do."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from offchain.chain.parameter_preview import ParameterChange, Side

app = typer.Typer(no_args_is_help=True)
SCHEMA = "plimsoll.parameter-preview/1"
#: Colour of an account that falls below a requirement.
_STYLE = {"maintenance": "bold red", "initial": "yellow"}


@app.callback()
def group() -> None:
    """Parameters: what a change would do to every account on chain."""


@app.command()
def preview(
    params: Annotated[Path, typer.Option(help="Parameter file; what it does not name stays as it is on chain.")],
    rpc: Annotated[str, typer.Option(help="HTTP address of a node.")],
    deployment: Annotated[Path, typer.Option(help="Artefact that `plimsoll deploy` wrote.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Show the requirement of every account before and after the parameters of a file; nothing is sent."""
    from offchain.chain.client import Client
    from offchain.chain.deployment import check_chain, load_deployment
    from offchain.chain.parameter_preview import preview_change
    from offchain.files.params import load_change

    change = load_change(params)
    loaded = load_deployment(deployment)
    client = Client(rpc)
    check_chain(loaded, client)
    result = preview_change(client, loaded, change, params.name)
    if as_json:
        typer.echo(json.dumps(_document(result), allow_nan=False))
    else:
        _show(result)


def _document(result: ParameterChange) -> dict[str, object]:
    """Return the result as it is printed with ``--json``; parameters in wad, accounts in cash."""
    return {
        "schema": SCHEMA,
        "block": result.block,
        "calls": list(result.setters),
        "differences": [asdict(entry) for entry in result.differences],
        "accounts": [
            {
                "account": entry.account_id,
                "before": asdict(entry.before) if entry.before else None,
                "after": asdict(entry.after) if entry.after else None,
                "fallsBelow": entry.falls_below or None,
            }
            for entry in result.accounts
        ],
        "fallBelowMaintenance": result.below("maintenance"),
        "fallBelowInitial": result.below("initial"),
    }


def _cells(side: Side | None) -> list[str]:
    if side is None:
        return ["unknown", "", "", ""]
    return [side.state, f"{side.equity:,.2f}", f"{side.initial:,.2f}", f"{side.maintenance:,.2f}"]


def _show(result: ParameterChange) -> None:
    """Print what changes, a row per account, and who would fall below a requirement."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not result.differences:
        console.print("The file names nothing that is not so on chain already.")
    else:
        changes = Table(title="Parameters (wad)", title_justify="left", box=box.SIMPLE_HEAD)
        for heading in ("parameter", "now", "proposed"):
            changes.add_column(heading, justify="left" if heading == "parameter" else "right")
        for entry in result.differences:
            changes.add_row(entry.name, str(entry.before), str(entry.after))
        console.print(changes)
    table = Table(title=f"Accounts at block {result.block} (cash)", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("account", justify="right")
    for side in ("now", "then"):
        for heading in ("state", "equity", "initial", "maint."):
            table.add_column(f"{heading}\n{side}", justify="left" if heading == "state" else "right")
    table.add_column("falls below")
    for account in result.accounts:
        cells = [str(account.account_id), *_cells(account.before), *_cells(account.after), account.falls_below]
        table.add_row(*cells, style=_STYLE.get(account.falls_below))
    console.print(table)
    maintenance, initial = (len(result.below(name)) for name in ("maintenance", "initial"))
    unknown = sum(entry.before is None or entry.after is None for entry in result.accounts)
    console.print(
        f"{len(result.accounts)} accounts: {maintenance} would fall below maintenance, {initial} below initial margin"
        + (f", {unknown} cannot be margined now" if unknown else ""),
        style="bold red" if maintenance else "yellow" if initial else "",
    )
