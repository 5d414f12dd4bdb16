"""``plimsoll signer``: one oracle signer as a service."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated, Final

import typer

TOKEN_VARIABLE: Final = "PLIMSOLL_SIGNER_TOKEN"  # noqa: S105 (a name, not a secret)

app = typer.Typer()


@app.callback()
def group() -> None:
    """Sign rounds that one's own data confirm."""


@app.command()
def run(
    rpc: Annotated[str, typer.Option(help="HTTP address of the signer's own node.")],
    deployment: Annotated[Path, typer.Option(help="Artefact that `plimsoll deploy` wrote.")],
    keystore: Annotated[Path, typer.Option(help="Encrypted key that signs.")],
    feed: Annotated[list[str], typer.Option(help="The signer's own data; repeat for a median of several.")],
    pass_file: Annotated[Path | None, typer.Option(help="File with the key's password; else the environment.")] = None,
    host: Annotated[str, typer.Option(help="Address to bind; others than this machine's need a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to bind.")] = 8_700,
    database: Annotated[str, typer.Option(help="Remembers what was signed.")] = "sqlite:///signer.sqlite",
    wraps: Annotated[list[str] | None, typer.Option(help="TOKEN=UNDERLYING of a token that wraps one.")] = None,
) -> None:
    """Serve ``POST /sign`` until told to end; the token of callers is taken from PLIMSOLL_SIGNER_TOKEN."""
    from plimsoll.cli.logs import log_to_stderr
    from plimsoll.deployment.record import load_deployment
    from plimsoll.feeds.connect import run_signer
    from plimsoll.feeds.signer_app import SignerOptions
    from plimsoll.feeds.sources import open_source, wraps_of
    from plimsoll.keeper.keys import load_key

    log_to_stderr(logging.INFO)
    options = SignerOptions(host, port, os.environ.get(TOKEN_VARIABLE, ""))
    record = load_deployment(deployment)
    claims = wraps_of(wraps or (), record.tokens, record.underlyings)
    source = open_source(feed, record.underlyings, record.tokens)
    account = load_key(keystore, pass_file)
    asyncio.run(run_signer(account, rpc, record, source, database, options, claims))
