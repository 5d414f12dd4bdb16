"""``plimsoll report``: one self-contained page about one account, and its figures as JSON beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from plimsoll import __version__
from plimsoll.analytics.report.account import account_report
from plimsoll.analytics.report.account_page import account_page
from plimsoll.analytics.report.board import Sources, board_of
from plimsoll.analytics.report.board_page import board_page
from plimsoll.analytics.report.page import write_pair
from plimsoll.analytics.report.pdf import check_pdf, write_pdf
from plimsoll.analytics.series.as_of import Provenance
from plimsoll.analytics.series.history import History
from plimsoll.analytics.var.legs import legs_of, underlyings_of
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.cli.history_option import AsOf, chosen_history, history_path, told
from plimsoll.cli.html_option import check_page
from plimsoll.cli.market_option import read_market
from plimsoll.cli.output import print_document
from plimsoll.cli.slow import Slow
from plimsoll.errors import InputError
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.market.replay.data_folder import DAILY_FILE, find_data
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

_DEFAULT = RiskSettings()
#: What the proposed ranges are called where no file proposes them.
CALIBRATED: Final = "calibrated"


def _from_chain(account: str, rpc: str | None, deployment: Path | None) -> tuple[Market, Portfolio, Params]:
    from plimsoll.keeper.account_feed import AccountFeed

    if rpc is None or deployment is None:
        raise InputError("--deployment", "an account on chain needs --rpc and --deployment")
    if not account.isdecimal():
        raise InputError("ACCOUNT", f"{account!r} is no account id")
    feed = AccountFeed(rpc, deployment, int(account))
    seen = feed.read()
    return seen.market, seen.portfolio, feed.params


def _has_prices(given: Path | None) -> bool:
    """Whether prices were asked for or are in the market data folder."""
    folder = find_data()
    return given is not None or (folder is not None and (folder / DAILY_FILE).is_file())


def _prices(given: Path | None, as_of: str | None, market: Market, portfolio: Portfolio) -> tuple[History, Provenance]:
    """History of what is held."""
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
    board: Annotated[
        bool, typer.Option("--board", help="One sheet of A4 for a board instead: ranges before and after calibration.")
    ] = False,
    proposed: Annotated[
        Path | None, typer.Option(help="With --board: parameter file in place of what history proposes.")
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="With --board: a PDF beside it; needs the extra pdf.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Page to write; default report-ACCOUNT.html, board-ACCOUNT.html.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the JSON document and nothing else; write no file.")
    ] = False,
) -> None:
    """Write a risk report of one account, from files or from a deployment; with --board one sheet for a board."""
    settings = RiskSettings(level=level, horizon_days=horizon, seed=seed)
    _check_board(board, proposed, pdf, as_json)
    path = out if out is not None else Path(f"{'board' if board else 'report'}-{_plain(account)}.html")
    check_page(path, "--out")
    if pdf:
        check_pdf(path.with_suffix(".pdf"))
    loaded, folio, chosen, sources = _inputs(account, market, portfolio, params, rpc, deployment)
    tell = Slow().tell
    if board:
        prices = _prices(history_path(history), as_of, loaded, folio)
        after = None if proposed is None else load_params(proposed, set(loaded.rounds), chosen)
        named = sources if proposed is None else replace(sources, proposed=proposed.name)
        sheet = board_of(account, loaded, folio, chosen, prices, settings, named, after, tell)
        told(prices[1])
        _write(path, as_json, sheet.to_json(), lambda: board_page(sheet), sheet.before.state, pdf)
        return
    known = _prices(history, as_of, loaded, folio) if _has_prices(history) else None
    found = account_report(account, loaded, folio, chosen, known, settings, tell)
    told(None if known is None else known[1])
    _write(path, as_json, found.to_json(), lambda: account_page(found), found.margin.state, pdf=False)


def _check_board(board: bool, proposed: Path | None, pdf: bool, as_json: bool) -> None:
    """Refuse options of the board page without it, and a PDF where no file is written."""
    for name, is_given in (("--proposed", proposed is not None), ("--pdf", pdf)):
        if is_given and not board:
            raise InputError(name, "belongs to --board")
    if pdf and as_json:
        raise InputError("--pdf", "--json writes no file")


def _inputs(
    account: str,
    market: Path | None,
    portfolio: Path | None,
    params: Path | None,
    rpc: str | None,
    deployment: Path | None,
) -> tuple[Market, Portfolio, Params, Sources]:
    """Read the account from its two files or from a deployment, and say where it comes from."""
    if (market is None) != (portfolio is None):
        raise InputError(
            "--portfolio" if portfolio is None else "--market", "files come in pairs: market and portfolio"
        )
    now = int(time.time())
    if market is None or portfolio is None:
        if params is not None:
            raise InputError("--params", "a deployment has its own parameters")
        found = _from_chain(account, rpc, deployment)
        name = f"deployment {deployment.stem}" if deployment is not None else ""
        return *found, Sources(name, name, name, CALIBRATED, now, __version__)
    if rpc is not None or deployment is not None:
        raise InputError("--market", "an account comes from files or from a deployment, not from both")
    loaded = read_market(market)
    chosen = load_params(params, set(loaded.rounds)) if params is not None else Params()
    own = "shipped" if params is None else params.name
    sources = Sources(market.name, portfolio.name, own, CALIBRATED, now, __version__)
    return loaded, load_portfolio(portfolio, loaded), chosen, sources


def _write(
    path: Path, as_json: bool, document: Mapping[str, Any], page: Callable[[], str], state: str, pdf: bool
) -> None:
    """Print the document, or write it beside its page."""
    if as_json:
        print_document(document)
        return
    html = page()
    files = [path, write_pair(path, html, document)]
    if pdf:
        files.append(write_pdf(path.with_suffix(".pdf"), html))
    typer.echo(f"{state}: {', '.join(map(str, files[:-1]))} and {files[-1]} written")


def _plain(name: str) -> str:
    """Keep what is safe in a file name."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:100] or "account"
