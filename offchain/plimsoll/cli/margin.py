"""``plimsoll margin``: one account's margin, from files alone."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from plimsoll.cli.market_option import read_market
from plimsoll.errors import DomainError, InputError
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.files.trade_text import read_trade
from plimsoll.mirror.margin_engine import MarginResult, evaluate, evaluate_many, required_alone
from plimsoll.mirror.order_preview import filled
from plimsoll.model import MAX_POSITIONS, Market, Mode, Portfolio
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


def _alone(market: Market, folio: Portfolio, params: Params) -> dict[str, float]:
    """Return what mode STANDARD asks by underlying; nothing in other modes."""
    return required_alone(market, folio, params) if folio.mode is Mode.STANDARD else {}


def _what_if(
    market: Market, folio: Portfolio, params: Path | None, engine: Engine, trades: list[str], as_json: bool
) -> None:
    """Margin before and after trades, by the mirror."""
    if engine is not Engine.FLOAT:
        raise InputError(
            "--with", "goes with --engine float; 'plimsoll optimise --verify' asks the contracts about trades"
        )
    chosen = load_params(params, set(market.rounds)) if params is not None else Params()
    orders = [read_trade(text, market) for text in trades]
    after = filled(folio, orders)
    if len(after.positions) > MAX_POSITIONS:
        raise InputError("--with", f"{len(after.positions)} positions after the trades, the limit is {MAX_POSITIONS}")
    both = evaluate_many(market, [folio, after], chosen)
    if as_json:
        names = ("before", "after")
        document = {name: result.to_json() for name, result in zip(names, both, strict=True)}
        typer.echo(json.dumps({"schema": "plimsoll.whatif/1", **document}, allow_nan=False))
        return
    from plimsoll.cli.margin_tables import show_change

    show_change(orders, both[0], both[1], (_alone(market, folio, chosen), _alone(market, after, chosen)))


def command(
    market: Annotated[Path, typer.Option(help="Market file (plimsoll.market/1).")],
    portfolio: Annotated[Path, typer.Option(help="Portfolio file (plimsoll.portfolio/1).")],
    params: Annotated[Path | None, typer.Option(help="Parameter file; missing keys take the defaults.")] = None,
    engine: Annotated[
        Engine, typer.Option(help="Float mirror, the contracts on a local chain, or both.")
    ] = Engine.FLOAT,
    trades: Annotated[
        list[str] | None,
        typer.Option("--with", help="Trade to try: 'buy 5 ETH-27MAR26-1800-P', at its mark or '@ price'; several."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Margin of one account, from files alone; with --with before and after trades."""
    loaded = read_market(market)
    folio = load_portfolio(portfolio, loaded)
    if trades:
        _what_if(loaded, folio, params, engine, trades, as_json)
        return
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
        show(result, folio.mode, _alone(loaded, folio, chosen))
    if engine is Engine.BOTH:
        typer.echo(f"largest absolute difference between the engines: {difference:.3e}")
