"""``plimsoll keeper config``: check the keeper's file, explain every option, write an example."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    config: Annotated[Path | None, typer.Option(help="The keeper's file.")] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="section.option=value instead of the file's; repeat for each.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Every option: value, origin, unit, limit, meaning.")
    ] = False,
    example: Annotated[bool, typer.Option("--example", help="Print a commented file to start from.")] = False,
) -> None:
    """Check the keeper's file, or explain its options; nothing is started."""
    from plimsoll.errors import InputError
    from plimsoll.keeper.config import example as example_of
    from plimsoll.keeper.config import explain as explanation_of
    from plimsoll.keeper.config import load_config

    if example:
        if config is not None or explain or assign:
            raise InputError("--example", "stands alone; it shows the defaults and reads no file")
        typer.echo("\n".join(example_of()))
        return
    if config is None:
        if not explain:
            raise InputError("--config", "missing; without a file there is --explain and --example")
        if assign:
            raise InputError("--set", "needs --config, because one option alone is no configuration")
        typer.echo("\n".join(explanation_of()))
        return
    loaded = load_config(config, assign or ())
    if explain:
        typer.echo("\n".join(explanation_of(loaded)))
    else:
        typer.echo(f"{config.name}: {len(loaded.given)} values given, all as they should be")
