"""``plimsoll report``: one self-contained page about one account, and its figures as JSON beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plimsoll.analytics.report.account import account_report
from plimsoll.analytics.report.account_page import account_page
from plimsoll.analytics.report.page import write_pair
from plimsoll.analytics.series.as_of import Provenance
from plimsoll.analytics.series.history import History
from plimsoll.analytics.var.legs import legs_of, underlyings_of
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.cli.history_option import AsOf, chosen_history, told
from plimsoll.cli.html_option import check_page
from plimsoll.cli.output import print_document
from plimsoll.errors import InputError
from plimsoll.files.market import load_market
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.market.replay.data_folder import DAILY_FILE, find_data
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

_DEFAULT = RiskSettings()


def _from_chain(account: str, rpc: str | None, deployment: Path | None) -> tuple[Market, Portfolio, Params]:
    from plimsoll.keeper.account_feed import AccountFeed

    if rpc is None or deployment is None:
        raise InputError("--deployment", "an account on chain needs --rpc and --deployment")
    if not account.isdecimal():
        raise InputError("ACCOUNT", f"{account!r} is no account id")
    feed = AccountFeed(rpc, deployment, int(account))
    seen = feed.read()
    return seen.market, seen.portfolio, feed.params


def _prices(
    given: Path | None, as_of: str | None, market: Market, portfolio: Portfolio
) -> tuple[History, Provenance] | None:
    """History of what is held; None when none was asked for and no data folder is there."""
    folder = find_data()
    if given is None and (folder is None or not (folder / DAILY_FILE).is_file()):
        return None
    names = underlyings_of(legs_of(market, portfolio)[0])
    return chosen_history(given, names, market_ts=market.ts, as_of=as_of)


def command(
    account: Annotated[str, typer.Argument(help="Name for the title with files; account id with a deployment.")],
    market: Annotated[Path | None, typer.Option(help="Market file (plimsoll.market/1).")] = None,
    portfolio: Annotated[Path | None, typer.Option(help="Portfolio file (plimsoll.portfolio/1).")] = None,
    params: Annotated[Path | None, typer.Option(help="Parameter file, with files.")] = None,
    rpc: Annotated[str | None, typer.Option(help="HTTP address of a node.")] = None,
    deployment: Annotated[
        Path | None, typer.Option(help="Record that `plimsoll deploy` wrote: a .json file, or the name of a network.")
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="Prices; default: the market data folder's, if there is one.")
    ] = None,
    as_of: AsOf = None,
    level: Annotated[float, typer.Option(help="Confidence of VaR and ES.")] = _DEFAULT.level,
    horizon: Annotated[int, typer.Option(help="Days.")] = _DEFAULT.horizon_days,
    seed: Annotated[int, typer.Option()] = _DEFAULT.seed,
    out: Annotated[Path | None, typer.Option("--out", help="Page to write; default report-ACCOUNT.html.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the JSON document and nothing else; write no file.")
    ] = False,
) -> None:
    """Write a risk report of one account, from files or from a deployment."""
    settings = RiskSettings(level=level, horizon_days=horizon, seed=seed)
    path = out if out is not None else Path(f"report-{_plain(account)}.html")
    check_page(path, "--out")
    if (market is None) != (portfolio is None):
        raise InputError(
            "--portfolio" if portfolio is None else "--market", "files come in pairs: market and portfolio"
        )
    if market is not None and portfolio is not None:
        if rpc is not None or deployment is not None:
            raise InputError("--market", "an account comes from files or from a deployment, not from both")
        loaded = load_market(market)
        folio = load_portfolio(portfolio, loaded)
        chosen = load_params(params, set(loaded.rounds)) if params is not None else Params()
    else:
        if params is not None:
            raise InputError("--params", "a deployment has its own parameters")
        loaded, folio, chosen = _from_chain(account, rpc, deployment)
    prices = _prices(history, as_of, loaded, folio)
    found = account_report(account, loaded, folio, chosen, prices, settings)
    told(None if prices is None else prices[1])
    if as_json:
        print_document(found.to_json())
        return
    beside = write_pair(path, account_page(found), found.to_json())
    typer.echo(f"{found.margin.state}: {path} and {beside} written")


def _plain(name: str) -> str:
    """Keep what is safe in a file name."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:100] or "account"
