"""``plimsoll feed``: what a feed says now, and a settlement price by hand."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from plimsoll.cli.signer import TOKEN_VARIABLE

app = typer.Typer()


@app.callback()
def group() -> None:
    """Look at feeds; settle a series by hand."""


@app.command()
def show(
    feed: Annotated[list[str], typer.Argument(help="Feeds, as `plimsoll signer run --feed` takes them.")],
    underlying: Annotated[list[str] | None, typer.Option(help="Symbol; repeat for each.")] = None,
    token: Annotated[list[str] | None, typer.Option(help="Symbol; repeat for each.")] = None,
) -> None:
    """Print what a feed says as a ``plimsoll.feed/1`` document; what is missing goes to standard error."""
    from plimsoll.feeds.document import document_of
    from plimsoll.feeds.sources import open_source, read_once

    source = open_source(feed, underlying or ("BTC", "ETH"), token or ("USDC",))
    found = asyncio.run(read_once(source))
    for problem in found.problems:
        typer.echo(str(problem), err=True)
    typer.echo(json.dumps(document_of(found, int(time.time())), indent=1))


@app.command()
def settle(
    underlying: Annotated[str, typer.Argument(help="Symbol.")],
    expiry: Annotated[int, typer.Argument(help="Expiry, unix seconds.")],
    samples: Annotated[str, typer.Argument(help="File of lines TIME,PRICE; or one price, the mean of the window.")],
    rpc: Annotated[str, typer.Option(help="HTTP address of a node.")],
    deployment: Annotated[Path, typer.Option(help="Artefact that `plimsoll deploy` wrote.")],
    keystore: Annotated[Path, typer.Option(help="Encrypted key that sends the transaction.")],
    service: Annotated[list[str] | None, typer.Option(help="Address of a signer service; repeat for each.")] = None,
    signer: Annotated[list[Path] | None, typer.Option(help="Keystore of a signer; repeat for each.")] = None,
    pass_file: Annotated[Path | None, typer.Option(help="File with the password; else the environment.")] = None,
) -> None:
    """Post the price of an expired series on samples that a person gives, signed as any other."""
    from plimsoll.chain.client import Client
    from plimsoll.deployment.record import check_chain, load_deployment
    from plimsoll.feeds.by_hand import signed_settlement
    from plimsoll.feeds.settlement import samples_by_hand
    from plimsoll.keeper.keys import load_key

    record = load_deployment(deployment)
    path = Path(samples)
    given = samples_by_hand(path.read_text(encoding="utf-8") if path.is_file() else samples, expiry)
    accounts = [load_key(one, pass_file) for one in signer or ()]
    sender = load_key(keystore, pass_file)
    client = Client(rpc)
    check_chain(record, client)
    token = os.environ.get(TOKEN_VARIABLE, "")
    post = asyncio.run(signed_settlement(rpc, record, (underlying, expiry), given, (service or (), accounts), token))
    receipt = client.send(sender, post.target, post.data, source=post.key)
    typer.echo(f"{post.key}: settled in block {receipt.block_number}, transaction {receipt.tx_hash}")
