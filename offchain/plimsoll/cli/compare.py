"""``plimsoll compare``: the margin models of other venues on one account."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plimsoll.analytics.models.compare import Line, compare, load_replacements
from plimsoll.cli.html_option import HtmlFile, write_page
from plimsoll.cli.market_option import read_market
from plimsoll.cli.output import print_document
from plimsoll.cli.tables import plain_table
from plimsoll.errors import InputError
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.params import Params


def _show(lines: list[Line]) -> None:
    console = Console()
    names = ("model", "initial", "maintenance", "excess initial", "excess maintenance")
    table = plain_table("Market equity that must be there, cash", names)
    for line in lines:
        m = line.margin
        figures = (m.initial, m.maintenance, line.market_equity - m.initial, line.market_equity - m.maintenance)
        table.add_row(m.model, *(f"{x:,.2f}" for x in figures))
    console.print(table)
    for line in lines:
        parts = ", ".join(f"{name} {value:,.2f}" for name, value in line.margin.components.items())
        console.print(f"{line.margin.model} ({line.evidence}): {parts}", highlight=False)
        for note in line.margin.notes:
            console.print(f"  {note}", style="yellow")


def _examples(as_json: bool) -> None:
    from plimsoll.analytics.models.examples import examples_table, worked_examples

    if as_json:
        found = [asdict(example) for example in worked_examples()]
        print_document({"schema": "plimsoll.examples/1", "examples": found})
    else:
        typer.echo(examples_table())


def command(
    market: Annotated[
        Path | None, typer.Option(help="Market file (plimsoll.market/1); explicit vols per strike count.")
    ] = None,
    portfolio: Annotated[Path | None, typer.Option(help="Portfolio file (plimsoll.portfolio/1).")] = None,
    params: Annotated[Path | None, typer.Option(help="Parameter file of this protocol.")] = None,
    model_params: Annotated[
        list[Path] | None,
        typer.Option(help="Replaces the parameter file of the model it names; may be given for several models."),
    ] = None,
    examples: Annotated[
        bool,
        typer.Option("--examples", help="List the published examples instead; takes no files."),
    ] = False,
    html: HtmlFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Margin of one account by this protocol and by the models of other venues."""
    if examples:
        for name, value in (("--market", market), ("--portfolio", portfolio), ("--params", params)):
            if value is not None:
                raise InputError(name, "goes without --examples, which takes no files")
        _examples(as_json)
        return
    if market is None or portfolio is None:
        raise InputError("--market" if market is None else "--portfolio", "missing")
    loaded = read_market(market)
    folio = load_portfolio(portfolio, loaded)
    chosen = load_params(params, set(loaded.rounds)) if params is not None else Params()
    lines = compare(loaded, folio, chosen, load_replacements(model_params or []))
    document = {"schema": "plimsoll.compare/1", "models": [line.to_json() for line in lines]}
    write_page(html, document)
    if as_json:
        print_document(document)
    else:
        _show(lines)
