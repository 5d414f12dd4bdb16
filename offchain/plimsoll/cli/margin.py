"""``plimsoll margin``: one account's margin, from files alone."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from plimsoll.errors import DomainError, InputError
from plimsoll.files.market import load_market
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.mirror.margin_engine import MarginResult, evaluate
from plimsoll.params import Params


class Engine(StrEnum):
    """Where the margin is computed."""

    FLOAT = "float"
    CHAIN = "chain"
    BOTH = "both"


def largest_difference(left: object, right: object) -> float:
    """Largest absolute difference over all numbers of two documents of the same shape."""
    if isinstance(left, dict) and isinstance(right, dict):
        return max((largest_difference(left[key], right[key]) for key in left if key != "worstRow"), default=0.0)
    if isinstance(left, list) and isinstance(right, list):
        return max((largest_difference(a, b) for a, b in zip(left, right, strict=True)), default=0.0)
    if isinstance(left, float | int) and isinstance(right, float | int):
        return abs(float(left) - float(right))
    return 0.0


def command(
    market: Annotated[Path, typer.Option(help="Market file (plimsoll.market/1).")],
    portfolio: Annotated[Path, typer.Option(help="Portfolio file (plimsoll.portfolio/1).")],
    params: Annotated[Path | None, typer.Option(help="Parameter file; missing keys take the defaults.")] = None,
    engine: Annotated[
        Engine, typer.Option(help="Float mirror, the contracts on a local chain, or both.")
    ] = Engine.FLOAT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Margin of one account, from files alone."""
    loaded = load_market(market)
    folio = load_portfolio(portfolio, loaded)
    chosen = load_params(params, set(loaded.rounds)) if params is not None else Params()
    results: dict[str, MarginResult] = {}
    if engine in (Engine.FLOAT, Engine.BOTH):
        try:
            results["float"] = evaluate(loaded, folio, chosen)
        except DomainError as error:
            raise InputError(portfolio.name, str(error)) from None
    if engine in (Engine.CHAIN, Engine.BOTH):
        from plimsoll.protocol.margin_engine import evaluate_on_chain

        results["chain"] = evaluate_on_chain(loaded, folio, chosen)
    documents = {name: result.to_json() for name, result in results.items()}
    if engine is Engine.BOTH:
        difference = largest_difference(documents["float"], documents["chain"])
        document: dict[str, object] = {**documents, "maxAbsDifference": difference}
    else:
        document = documents[engine.value]
    if as_json:
        typer.echo(json.dumps(document, allow_nan=False))
        return
    from plimsoll.cli.margin_tables import show

    for result in results.values():
        show(result)
    if engine is Engine.BOTH:
        typer.echo(f"largest absolute difference between the engines: {difference:.3e}")
