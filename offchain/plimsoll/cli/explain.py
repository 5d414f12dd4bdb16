"""``plimsoll explain``: P&L by cause, liquidation prices, payoff, and vega over the surface, of one account."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plimsoll.analytics.explain.liquidation import LiquidationPrice, liquidation_prices
from plimsoll.analytics.explain.payoff import Payoff, payoff
from plimsoll.analytics.explain.pnl import Explained, PnlParts, explain_pnl
from plimsoll.analytics.explain.vega import VegaMap, vega_map
from plimsoll.cli.file_options import AsJson, MarketFile, ParamsFile, PortfolioFile, loaded_of
from plimsoll.cli.market_option import read_market
from plimsoll.cli.output import print_document
from plimsoll.cli.tables import plain_table
from plimsoll.errors import InputError
from plimsoll.files.portfolio import load_portfolio

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

#: ``ETH:2026-02-27T08:00Z=1905.5``.
SETTLED = re.compile(r"([A-Z0-9]+):(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})Z=(\d+(?:\.\d+)?)")


def _moment(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%MZ")


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%d %b %y")


def _settled(texts: list[str]) -> dict[tuple[str, int], float]:
    found: dict[tuple[str, int], float] = {}
    for text in texts:
        match = SETTLED.fullmatch(text)
        if match is None:
            raise InputError("--settled", f"{text!r} is not of the form ETH:2026-02-27T08:00Z=1905.5")
        moment = datetime.fromisoformat(match[2]).replace(tzinfo=UTC)
        key = match[1], int(moment.timestamp())
        if key in found:
            raise InputError("--settled", f"{match[1]} {match[2]}Z is there twice")
        found[key] = float(match[3])
    return found


@app.command("pnl")
def pnl_command(
    market: MarketFile,
    to: Annotated[Path, typer.Option("--to", help="The later market file.")],
    portfolio: PortfolioFile,
    settled: Annotated[
        list[str] | None,
        typer.Option("--settled", help="Settlement price of what expired: ETH:2026-02-27T08:00Z=1905.5; several."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Divide the P&L between two markets by cause: delta, gamma, vega, theta, carry, residual."""
    before, after = read_market(market), read_market(to)
    folio = load_portfolio(portfolio, before)
    found = explain_pnl(before, after, folio, _settled(settled or []))
    if as_json:
        print_document(found.to_json())
    else:
        _show_pnl(Console(), found)


def _show_pnl(console: Console, found: Explained) -> None:
    names = [item.name for item in fields(PnlParts)]
    table = plain_table(f"P&L from {_moment(found.from_ts)} to {_moment(found.to_ts)}, cash", ("leg", *names, "total"))
    rows = [(leg.label, leg.parts) for leg in found.legs]
    for label, parts in (*rows, ("all", found.total)):
        figures = (*(getattr(parts, name) for name in names), parts.total)
        table.add_row(label, *(f"{x:,.0f}" if abs(x) >= 100.0 else f"{x:,.2f}" for x in figures))
    console.print(table)


@app.command("liquidation")
def liquidation_command(
    market: MarketFile, portfolio: PortfolioFile, params: ParamsFile = None, as_json: AsJson = False
) -> None:
    """Find the price of every underlying at which the account can be liquidated."""
    found = liquidation_prices(*loaded_of(market, portfolio, params))
    if as_json:
        print_document({"schema": "plimsoll.liquidation/1", "prices": [one.to_json() for one in found]})
    else:
        _show_liquidation(Console(), found)


def _move(price: float, spot: float) -> str:
    """Say how far a price is; an account that is liquidatable now has the spot itself."""
    return "now" if price == spot else f"{price / spot - 1.0:+.1%}"


def _show_liquidation(console: Console, found: list[LiquidationPrice]) -> None:
    if not found:
        console.print("nothing is held whose price moves, so no price liquidates the account")
        return
    columns = ("underlying", "side", "now", "price alone", "move", "with vol", "move")
    table = plain_table("Liquidation prices, the other underlyings standing still", columns, left=("side",))
    for one in found:
        cells = []
        for price in (one.price_alone, one.with_vol):
            cells += ["none", ""] if price is None else [f"{price:,.2f}", _move(price, one.spot)]
        table.add_row(one.underlying, one.side, f"{one.spot:,.2f}", *cells)
    console.print(table)
    console.print("with vol: volatility rises by volUp for every price range")
    console.print("none: not between -95 % and +300 %", highlight=False)


@app.command("payoff")
def payoff_command(
    market: MarketFile,
    portfolio: PortfolioFile,
    underlying: Annotated[str, typer.Option("--underlying", help="Whose price moves.")],
    params: ParamsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the P&L over the price of one underlying, now and at every expiry that is held."""
    found = payoff(*loaded_of(market, portfolio, params), underlying)
    if as_json:
        print_document(found.to_json())
    else:
        _show_payoff(Console(), found)


def _show_payoff(console: Console, found: Payoff) -> None:
    dates = ("now", *(_day(ts) for ts in found.dates[1:]))
    table = plain_table(f"P&L over the price of {found.underlying} and the date, cash", ("move", "price", *dates))
    for move, row in zip(found.moves, found.pnl, strict=True):
        figures = (f"{pnl:,.0f}" for pnl in row)
        table.add_row(f"{move:+.0%}", f"{found.spot * (1.0 + move):,.2f}", *figures)
    console.print(table)


@app.command("vega")
def vega_command(
    market: MarketFile,
    portfolio: PortfolioFile,
    underlying: Annotated[str, typer.Option("--underlying", help="Whose options.")],
    params: ParamsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show vega by expiry and strike."""
    found = vega_map(*loaded_of(market, portfolio, params), underlying)
    if as_json:
        print_document(found.to_json())
    else:
        _show_vega(Console(), found)


def _show_vega(console: Console, found: VegaMap) -> None:
    title = f"{found.underlying}: cash per point of volatility (0.01), by strike over forward"
    table = plain_table(title, ("expiry", *found.buckets, "all"))
    rows = [(_day(expiry), row) for expiry, row in zip(found.expiries, found.vega, strict=True)]
    for label, row in (*rows, ("all", found.vega.sum(axis=0))):
        table.add_row(label, *(f"{x / 100.0:,.1f}" if x else "" for x in (*row, row.sum())))
    console.print(table)
