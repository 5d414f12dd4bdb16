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


@app.command()
def local(
    speed: Annotated[float, typer.Option(help="Seconds of the market in one second.", min=0.1, max=1_000.0)] = 20.0,
    page: Annotated[Path, typer.Option(help="Folder of the built wallet page; left out when it is not there.")] = Path(
        "web/dist"
    ),
    bind: Annotated[str, typer.Option(help="HOST:PORT of the venue; port 0 takes any free one.")] = "127.0.0.1:8480",
    node_port: Annotated[
        int,
        typer.Option(help="Port of the chain's node, which wallets remember; 0 takes any free one.", min=0, max=65_535),
    ] = 8545,
) -> None:
    """Start a whole market on this machine: chain, contracts, moving prices, keeper, venue, makers. Ends by SIGINT."""
    from plimsoll.demo.town.town import MNEMONIC, Town, run_town
    from plimsoll.keeper.config.sections import LoggingSection
    from plimsoll.keeper.logs import configure_logs
    from plimsoll.keeper.redaction import Redactor

    configure_logs(LoggingSection(level="warning"), Redactor())

    def tell(text: str) -> None:
        typer.echo(f"   {text}", err=True)

    def opened(town: Town) -> None:
        page_text = "  the wallet page, for a browser" if town.has_page else "  (API alone: the page is not built)"
        typer.echo(f"venue     {town.url}{page_text}")
        typer.echo(f"API       {town.url}/api/openapi.json")
        typer.echo(f"chain     {town.chain_id} at {town.rpc_url}")
        typer.echo(f"prices    {town.data_source}, {speed:g} times as fast as life")
        typer.echo(f"visitor   {town.visitor} holds USDC, WETH and gas")
        typer.echo(f'phrase    "{MNEMONIC}" is its wallet: public, so never for anything of value')
        typer.echo("stop      Ctrl-C")

    run_town(speed, page, bind, tell, opened, node_port=node_port)
