"""``plimsoll keeper``: post rounds, settle, liquidate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plimsoll.cli import keeper_config, keeper_signers

app = typer.Typer()
app.command("config")(keeper_config.command)
app.command("status")(keeper_signers.status)
app.command("unstick")(keeper_signers.unstick)


@app.callback()
def group() -> None:
    """Post rounds, settle, liquidate."""


@app.command()
def run(
    config: Annotated[Path, typer.Option(help="The keeper's file; `plimsoll keeper config --example` prints one.")],
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="section.option=value instead of the file's; repeat for each.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Stop after one pass, when what it sent has ended.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="One pass that says what it would do and at what cost, and sends nothing.")
    ] = False,
) -> None:
    """Repeat: read events, margin every account, decide, send. One line per intent on standard output."""
    import asyncio

    from plimsoll.keeper.config import load_config
    from plimsoll.keeper.runner import run as run_keeper

    asyncio.run(run_keeper(load_config(config, assign or ()), typer.echo, once=once, dry_run=dry_run))
