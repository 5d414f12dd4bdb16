"""The files of one account that a command takes: a market, a portfolio, parameters; and how it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plimsoll.cli.market_option import read_market
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

MarketFile = Annotated[Path, typer.Option("--market", help="Market file (plimsoll.market/1).")]
PortfolioFile = Annotated[Path, typer.Option("--portfolio", help="Portfolio file (plimsoll.portfolio/1).")]
ParamsFile = Annotated[Path | None, typer.Option("--params", help="Parameter file; missing keys take the defaults.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def loaded_of(market: Path, portfolio: Path, params: Path | None) -> tuple[Market, Portfolio, Params]:
    """Read the files of one account.

    Parameters
    ----------
    market, portfolio : Path
        Which.
    params : Path or None
        None for the shipped parameters.

    Returns
    -------
    tuple of Market, Portfolio, Params

    Raises
    ------
    InputError
        When one of them is missing or wrong.
    """
    loaded = read_market(market)
    folio = load_portfolio(portfolio, loaded)
    return loaded, folio, load_params(params, set(loaded.rounds)) if params is not None else Params()
