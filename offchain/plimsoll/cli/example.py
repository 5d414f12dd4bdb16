"""``plimsoll example``: a small market, portfolio and parameter file to begin with."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from plimsoll.errors import InputError
from plimsoll.files.examples import EXAMPLES, example_text
from plimsoll.files.folder import make_folder


def _write(text: str, name: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def command(
    folder: Annotated[Path, typer.Argument(help="Where to write; it is made when it is not there.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Write a small market, portfolio and parameter file; every price in them is made up."""
    from plimsoll.market.chain_file import replace_file

    make_folder(folder, "FOLDER")
    targets = {folder / name: name for name in EXAMPLES}
    there = [path for path in targets if path.exists()]
    if there and not force:
        raise InputError("FOLDER", f"{there[0]} is there already; --force replaces it")
    texts = {path: example_text(name) for path, name in targets.items()}
    for path, text in texts.items():
        replace_file(path, partial(_write, text))
    for path, name in targets.items():
        typer.echo(f"{path}: {EXAMPLES[name]}")
    market, portfolio, _ = targets
    typer.echo(f"next: plimsoll margin --market {market} --portfolio {portfolio}")
