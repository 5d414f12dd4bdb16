"""``plimsoll calibrate``: scenario ranges from history, as a parameter file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plimsoll.analytics.backtest.calibrate import calibrate_asset, parameter_document
from plimsoll.analytics.backtest.price_backtest import BacktestSettings
from plimsoll.analytics.series.history import load_history
from plimsoll.cli.backtest import Span, priced
from plimsoll.cli.history_option import told
from plimsoll.cli.html_option import HtmlFile, check_apart, write_page
from plimsoll.cli.output import print_document
from plimsoll.files.document import text_of
from plimsoll.files.params import load_params
from plimsoll.market.chain_file import replace_file
from plimsoll.params import AccountParams, UnderlyingParams

_DEFAULT = BacktestSettings()


class Cover(StrEnum):
    """Requirement that has to reach the target coverage."""

    INITIAL = "initial"
    MAINTENANCE = "maintenance"


def command(
    history: Annotated[Path | None, typer.Option(help="Prices; default: the market data folder's.")] = None,
    vol_history: Annotated[Path | None, typer.Option(help="Table with iv or atm_iv_30d.")] = None,
    asset: Annotated[list[str] | None, typer.Option(help="Repeat for several; default ETH and BTC.")] = None,
    since: Annotated[str | None, typer.Option(help="First day.")] = None,
    until: Annotated[str | None, typer.Option(help="Day after the last.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Use no price known later only.")] = None,
    horizon: Annotated[int, typer.Option(help="Liquidation horizon in days.")] = _DEFAULT.steps,
    coverage: Annotated[float, typer.Option(help="Target coverage.")] = _DEFAULT.coverage,
    decay: Annotated[float, typer.Option(help="EWMA weight of yesterday's variance.")] = _DEFAULT.decay,
    floor: Annotated[float, typer.Option(help="Smallest price range.")] = _DEFAULT.floor,
    cover: Annotated[Cover, typer.Option(help="Which requirement reaches the coverage.")] = Cover.INITIAL,
    out: Annotated[Path | None, typer.Option(help="Parameter file to write.")] = None,
    html: HtmlFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Propose priceRange, volUp and volDown at a target coverage."""
    check_apart(html, out, "--out")
    settings = BacktestSettings(horizon, coverage, decay=decay, floor=floor)
    span = Span(since, until, as_of)
    prices, source = priced(history, asset, span)
    vols = None if vol_history is None else span.of(load_history(vol_history, prices.assets))[0]
    account = AccountParams()
    factor = account.im_factor if cover is Cover.INITIAL else account.mm_factor
    found = {name: calibrate_asset(prices, vols, name, settings, factor) for name in prices.assets}
    told(source)
    document = parameter_document(found, UnderlyingParams())
    if out is not None:
        text = text_of(document, indent=2) + "\n"
        replace_file(out, lambda name: Path(name).write_text(text, encoding="utf-8"))
        load_params(out)
    reasons = {name: list(result.reasons) for name, result in found.items()}
    proposal = {
        "schema": "plimsoll.calibration/1",
        "history": source.to_json(),
        "params": document,
        "reasons": reasons,
    }
    write_page(html, proposal)
    if as_json:
        print_document(proposal)
        return
    console = Console()
    for name, result in found.items():
        console.print(f"{name}: priceRange {result.price_range:g}")
        if result.vol_up is not None and result.vol_down is not None:
            console.print(f"{name}: volUp {result.vol_up:g}, volDown {result.vol_down:g}")
        for reason in result.reasons:
            console.print(f"  {reason}")
    console.print(source.sentence, highlight=False)
    if out is not None:
        console.print(f"written: {out}")
