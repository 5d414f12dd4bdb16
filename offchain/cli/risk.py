"""``plimsoll risk``: VaR and expected shortfall of one account, and what each position adds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from offchain.analytics.legs import legs_of, underlyings_of
from offchain.analytics.risk_report import METHODS, RiskReport, risk_report
from offchain.analytics.settings import RiskSettings
from offchain.cli.history_option import chosen_history
from offchain.cli.html_option import HtmlFile, write_page
from offchain.files.market import load_market
from offchain.files.portfolio import load_portfolio

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_DEFAULT = RiskSettings()

MarketFile = Annotated[Path, typer.Option("--market", help="Market file (plimsoll.market/1).")]
PortfolioFile = Annotated[Path, typer.Option("--portfolio", help="Portfolio file (plimsoll.portfolio/1).")]
HistoryFile = Annotated[
    Path | None, typer.Option("--history", help="Prices, CSV or parquet; default: the market data folder's.")
]
Days = Annotated[int | None, typer.Option("--days", help="Use the last so many days of the history.")]
MethodName = Annotated[
    str, typer.Option("--method", help="all or historical, filtered, garch, parametric, monte-carlo.")
]
Level = Annotated[float, typer.Option("--level", help="Confidence of VaR and ES.")]
Horizon = Annotated[int, typer.Option("--horizon", help="Days.")]
Confidence = Annotated[float, typer.Option("--confidence", help="Coverage of the confidence intervals.")]
Decay = Annotated[float, typer.Option("--decay", help="EWMA weight of yesterday's variance.")]
Degrees = Annotated[float, typer.Option("--degrees", help="Degrees of freedom of Student-t.")]
Correlation = Annotated[float | None, typer.Option("--correlation", help="Replaces all correlations of prices.")]
VolOfVol = Annotated[float, typer.Option("--vol-of-vol", help="Log vol of vol per year, without a vol history.")]
SpotVol = Annotated[float, typer.Option("--spot-vol", help="Correlation of a price with its vol, likewise.")]
Paths = Annotated[int, typer.Option("--paths", help="Scenarios per replicate, a power of two.")]
Seed = Annotated[int, typer.Option("--seed")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def _show(report: RiskReport, contributions: bool) -> None:
    console = Console()
    settings = report.settings
    table = Table(title=f"{settings.level:g} over {settings.horizon_days} day(s), cash", title_justify="left")
    for name in ("method", "VaR", "ES", "VaR interval", "ES interval"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for result in report.results.values():
        spans = [
            "closed form" if span is None else f"{span[0]:,.2f} .. {span[1]:,.2f}"
            for span in (result.var_interval, result.es_interval)
        ]
        table.add_row(result.method, f"{result.var:,.2f}", f"{result.es:,.2f}", *spans)
    console.print(table)
    for name, result in report.results.items():
        for warning in result.warnings:
            console.print(f"{name}: {warning}", style="yellow")
        if not contributions:
            continue
        parts = Table(title=f"Contributions, {name}", title_justify="left")
        for heading in ("position", "component VaR", "component ES", "incremental VaR", "incremental ES"):
            parts.add_column(heading, justify="left" if heading == "position" else "right")
        for j, leg in enumerate(report.legs):
            arrays = (result.component_var, result.component_es, result.incremental_var, result.incremental_es)
            parts.add_row(leg.label, *(f"{float(a[j]):,.2f}" for a in arrays))
        console.print(parts)


def _run(
    market: Path,
    portfolio: Path,
    history: Path | None,
    days: int | None,
    method: str,
    settings: RiskSettings,
    html: Path | None,
    as_json: bool,
    contributions: bool,
) -> None:
    loaded = load_market(market)
    folio = load_portfolio(portfolio, loaded)
    legs, _ = legs_of(loaded, folio)
    prices = chosen_history(history, underlyings_of(legs), days)
    report = risk_report(loaded, folio, prices, settings, list(METHODS) if method == "all" else [method])
    document = report.to_json(contributions)
    write_page(html, document)
    if as_json:
        typer.echo(json.dumps(document, allow_nan=False))
    else:
        _show(report, contributions)


@app.command("var")
def var(
    market: MarketFile,
    portfolio: PortfolioFile,
    history: HistoryFile = None,
    days: Days = None,
    method: MethodName = "all",
    level: Level = _DEFAULT.level,
    horizon: Horizon = _DEFAULT.horizon_days,
    confidence: Confidence = _DEFAULT.confidence,
    decay: Decay = _DEFAULT.decay,
    degrees: Degrees = _DEFAULT.degrees,
    correlation: Correlation = None,
    vol_of_vol: VolOfVol = _DEFAULT.vol_of_vol,
    spot_vol: SpotVol = _DEFAULT.spot_vol,
    paths: Paths = _DEFAULT.paths,
    seed: Seed = _DEFAULT.seed,
    html: HtmlFile = None,
    as_json: AsJson = False,
) -> None:
    """VaR and expected shortfall with confidence intervals."""
    settings = RiskSettings(
        level, horizon, confidence, decay, degrees, correlation, vol_of_vol, spot_vol, paths, seed=seed
    )
    _run(market, portfolio, history, days, method, settings, html, as_json, contributions=False)


@app.command("contrib")
def contrib(
    market: MarketFile,
    portfolio: PortfolioFile,
    history: HistoryFile = None,
    days: Days = None,
    method: MethodName = "all",
    level: Level = _DEFAULT.level,
    horizon: Horizon = _DEFAULT.horizon_days,
    confidence: Confidence = _DEFAULT.confidence,
    decay: Decay = _DEFAULT.decay,
    degrees: Degrees = _DEFAULT.degrees,
    correlation: Correlation = None,
    vol_of_vol: VolOfVol = _DEFAULT.vol_of_vol,
    spot_vol: SpotVol = _DEFAULT.spot_vol,
    paths: Paths = _DEFAULT.paths,
    seed: Seed = _DEFAULT.seed,
    html: HtmlFile = None,
    as_json: AsJson = False,
) -> None:
    """Component, marginal and incremental VaR and ES of every position."""
    settings = RiskSettings(
        level, horizon, confidence, decay, degrees, correlation, vol_of_vol, spot_vol, paths, seed=seed
    )
    _run(market, portfolio, history, days, method, settings, html, as_json, contributions=True)
