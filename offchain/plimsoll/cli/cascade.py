"""``plimsoll cascade``: a shock through all accounts, until the price rests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plimsoll.analytics.stress.cascade import Cascade, CascadeSettings, cascade
from plimsoll.cli.given_once import check_accounts
from plimsoll.cli.html_option import HtmlFile, write_page
from plimsoll.cli.market_option import read_market
from plimsoll.cli.output import print_document
from plimsoll.cli.tables import FittedTable
from plimsoll.errors import InputError
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.params import Params


def _show(found: Cascade) -> None:
    console = Console()
    table = FittedTable(title="Rounds; trades are signed cash", title_justify="left")
    for name in ("move", "hedging", "liquidations", "liquidated", "shortfall"):
        table.add_column(name, justify="left" if name == "liquidated" else "right")
    for r in found.rounds:
        figures = (f"{r.move:+.3%}", f"{r.hedging:+,.0f}", f"{r.selling:+,.0f}")
        table.add_row(*figures, ", ".join(r.liquidated), f"{r.shortfall:,.0f}")
    console.print(table)
    console.print(f"accounts that hedge: {', '.join(found.hedgers) or 'none'}", highlight=False)
    state = "the price rests" if found.settled else "the price does NOT rest within the model's range"
    console.print(f"{state}; the shock is amplified {found.amplification:.3f} times", highlight=False)


def command(
    market: Annotated[Path, typer.Option(help="Market file (plimsoll.market/1).")],
    portfolio: Annotated[list[Path], typer.Option(help="An account; give all of them.")],
    underlying: Annotated[str, typer.Option(help="Whose price is shocked.")],
    params: Annotated[Path | None, typer.Option(help="Parameter file; missing keys take the defaults.")] = None,
    shock: Annotated[float, typer.Option(help="Relative move of the price from outside.")] = -0.10,
    vol_shock: Annotated[float, typer.Option(help="Relative move of all volatilities.")] = 0.0,
    depth: Annotated[float, typer.Option(help="Cash of one-sided trades that moves the price by 1 %.")] = 10e6,
    hedge_share: Annotated[float, typer.Option(help="Share of its delta change a hedger trades per round.")] = 1.0,
    hedger: Annotated[
        list[int] | None, typer.Option(help="Number of an account that hedges, from 1; guessed when none is given.")
    ] = None,
    html: HtmlFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Run a shock through all accounts: forced hedging and liquidations move the price further."""
    check_accounts(portfolio)
    loaded = read_market(market)
    folios = [load_portfolio(path, loaded) for path in portfolio]
    chosen = load_params(params, set(loaded.rounds)) if params is not None else Params()
    names = [f"{i} {path.name}" for i, path in enumerate(portfolio, 1)]
    for number in hedger or []:
        if not 1 <= number <= len(names):
            raise InputError("--hedger", f"{number} is outside [1, {len(names)}]")
    flags = [i in hedger for i in range(1, len(names) + 1)] if hedger else None
    settings = CascadeSettings(underlying, shock, vol_shock, depth, hedge_share)
    found = cascade(loaded, folios, names, chosen, settings, flags)
    write_page(html, found.to_json())
    if as_json:
        print_document(found.to_json())
    else:
        _show(found)
