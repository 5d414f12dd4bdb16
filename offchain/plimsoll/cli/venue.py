"""``plimsoll venue``: where signed orders meet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.callback()
def group() -> None:
    """Run the order service: book, API, settlement."""


@app.command()
def run(
    config: Annotated[Path, typer.Option(help="The venue's file; docs/operate/venue.md shows one.")],
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="section.option=value instead of the file's; repeat for each.")
    ] = None,
) -> None:
    """Take signed orders, match them, settle what met. Prints the address when requests are taken; ends by SIGINT."""
    import asyncio

    from plimsoll.keeper.config.load import load_as
    from plimsoll.keeper.logs import configure_logs
    from plimsoll.keeper.redaction import Redactor
    from plimsoll.venue.config import VenueConfig
    from plimsoll.venue.venue import run as run_venue

    options = load_as(VenueConfig, config, assign or ())
    configure_logs(options.logging, Redactor())
    asyncio.run(run_venue(options, typer.echo))
