"""``plimsoll account``: look at an account on chain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.callback()
def group() -> None:
    """Look at an account on chain."""


@app.command()
def show(
    account_id: Annotated[int, typer.Argument(min=0, help="Account id.")],
    rpc: Annotated[str, typer.Option(help="HTTP address of a node.")],
    deployment: Annotated[
        Path, typer.Option(help="Record that `plimsoll deploy` wrote: a .json file, or the name of a network.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Show owner, balances, positions and margin of one account."""
    from plimsoll.chain.client import Client
    from plimsoll.deployment.record import check_chain, load_deployment
    from plimsoll.protocol.account import read_account

    loaded = load_deployment(deployment)
    client = Client(rpc)
    check_chain(loaded, client)
    view = read_account(client, loaded, account_id)
    if as_json:
        typer.echo(json.dumps(view.as_json(), allow_nan=False))
        return
    from rich.console import Console

    from plimsoll.cli.account_tables import account_tables

    console = Console()
    for table in account_tables(view):
        console.print(table)
