"""``plimsoll keeper``: post rounds, settle, liquidate."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


class FeedName(StrEnum):
    """Where rounds come from."""

    NONE = "none"
    DERIBIT = "deribit"


@app.callback()
def group() -> None:
    """Post rounds, settle, liquidate."""


@app.command()
def run(
    rpc: Annotated[str, typer.Option(help="HTTP address of a node.")],
    deployment: Annotated[
        Path, typer.Option(help="Record that `plimsoll deploy` wrote: a .json file, or the name of a network.")
    ],
    keystore: Annotated[Path, typer.Option(help="Encrypted key that sends the transactions.")],
    pass_file: Annotated[Path | None, typer.Option(help="File with its password; else the environment.")] = None,
    signer: Annotated[list[Path] | None, typer.Option(help="Keystore of an oracle signer; repeat for each.")] = None,
    feed: Annotated[FeedName, typer.Option(help="Rounds to sign and post.")] = FeedName.NONE,
    bidder: Annotated[int | None, typer.Option(help="Account that bids in auctions.")] = None,
    min_profit: Annotated[float, typer.Option(min=0.0, help="Smallest profit of a bid, cash.")] = 5.0,
    min_return: Annotated[float, typer.Option(min=0.0, help="Smallest profit over the margin taken.")] = 0.05,
    cushion: Annotated[float, typer.Option(min=1.0, help="Equity kept over initial margin after a bid.")] = 1.25,
    data: Annotated[Path, typer.Option(help="Folder of index and journal.")] = Path("keeper-data"),
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between passes.")] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Stop after one pass.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Simulate every intent, send nothing.")] = False,
) -> None:
    """Repeat: read events, margin every account, decide, send. One line per intent on standard output."""
    from plimsoll.cli.logs import log_to_stderr
    from plimsoll.keeper.service import Options, open_keeper, run_keeper

    log_to_stderr(logging.INFO)
    options = Options(
        rpc=rpc,
        deployment=deployment,
        keystore=keystore,
        pass_file=pass_file,
        signers=tuple(signer or ()),
        feed=feed.value,
        bidder=bidder,
        min_profit=min_profit,
        min_return=min_return,
        cushion=cushion,
        data=data,
    )
    run_keeper(open_keeper(options), typer.echo, interval_sec=interval, once=once, dry_run=dry_run)
