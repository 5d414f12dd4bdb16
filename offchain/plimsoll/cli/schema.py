"""``plimsoll schema``: JSON schemas of the files that commands read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Final

import typer

from plimsoll.analytics.stress.scenario_file import scenarios_schema
from plimsoll.errors import InputError
from plimsoll.files.schemas import Schema, market_schema, params_schema, portfolio_schema

#: Name -> schema and the option that takes such a file.
SCHEMAS: Final[Mapping[str, tuple[Callable[[], Schema], str]]] = {
    "market": (market_schema, "--market"),
    "portfolio": (portfolio_schema, "--portfolio"),
    "params": (params_schema, "--params"),
    "scenarios": (scenarios_schema, "stress --scenarios"),
}


def schema_text(name: str) -> str:
    """Return a schema as it is published.

    Parameters
    ----------
    name : str
        One of ``SCHEMAS``.

    Returns
    -------
    str
    """
    return json.dumps(SCHEMAS[name][0](), indent=2) + "\n"


def command(
    name: Annotated[str | None, typer.Argument(help="market, portfolio, params or scenarios; none lists them.")] = None,
) -> None:
    """Print the JSON schema of a file format."""
    if name is None:
        for known, (make, option) in SCHEMAS.items():
            found = make()
            typer.echo(f"{known:<10} {found['title']:<22} {option}")
        return
    if name not in SCHEMAS:
        raise InputError("NAME", f"{name!r} is not one of {', '.join(SCHEMAS)}")
    typer.echo(schema_text(name), nl=False)
