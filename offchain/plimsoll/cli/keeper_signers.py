"""``plimsoll keeper status`` and ``unstick``: what the signers have under way, and how to get it moving."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[Path, typer.Option("--config", help="The keeper's file.")]


def status(
    config: ConfigFile,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Show what each signer has open: nonces, hashes, age, fees, and what the day has cost. It sends nothing."""
    import asyncio

    from plimsoll.keeper.config import load_config
    from plimsoll.keeper.signers import statuses, table_of

    found = asyncio.run(statuses(load_config(config)))
    if as_json:
        typer.echo(json.dumps({name: signer.as_json() for name, signer in found.items()}, allow_nan=False))
        return
    from rich.console import Console

    console = Console()
    for name, signer in found.items():
        console.print(table_of(name, signer))


def unstick(
    config: ConfigFile,
    signer: Annotated[str, typer.Option(help="Which one: liquidations, prices or remote.")] = "liquidations",
    below_nonce: Annotated[
        int | None, typer.Option(min=0, help="Only transactions with a smaller nonce; all that are open without it.")
    ] = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Replace by empty transfers instead of by the same at a higher fee.")
    ] = False,
) -> None:
    """Replace what is stuck at a higher fee, or cancel it, and fill gaps; stop the keeper first."""
    import asyncio

    from plimsoll.keeper.config import load_config
    from plimsoll.keeper.signers import unstuck

    for line in asyncio.run(unstuck(load_config(config), signer, below_nonce, cancel=cancel)):
        typer.echo(line)
