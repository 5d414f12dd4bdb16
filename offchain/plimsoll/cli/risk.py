"""``plimsoll risk``: VaR and expected shortfall of one account, what each position adds, and how far to believe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plimsoll.analytics.backtest.var_backtest import WINDOW, VarBacktest, var_backtest
from plimsoll.analytics.report.page import days, percent
from plimsoll.analytics.var.legs import legs_of, underlyings_of
from plimsoll.analytics.var.risk_report import METHODS, RiskReport, risk_report
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.cli.file_options import AsJson, MarketFile, PortfolioFile
from plimsoll.cli.history_option import AsOf, chosen_history, told
from plimsoll.cli.html_option import HtmlFile, write_page
from plimsoll.cli.market_option import read_market
from plimsoll.cli.option_group import grouped
from plimsoll.cli.output import print_document
from plimsoll.cli.slow import Slow
from plimsoll.cli.tables import plain_table
from plimsoll.errors import InputError, PartialError
from plimsoll.files.portfolio import load_portfolio

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_DEFAULT = RiskSettings()
VolShare = Annotated[
    float,
    typer.Option("--vol-share", help="Without vols in the history: share of each price's own vol; 0 holds them."),
]


@dataclass(frozen=True, slots=True)
class RiskOptions:
    """What both commands are told."""

    market: MarketFile
    portfolio: PortfolioFile
    history: Annotated[
        Path | None, typer.Option("--history", help="Prices, CSV or parquet; default: the market data folder's.")
    ] = None
    as_of: AsOf = None
    days: Annotated[int | None, typer.Option("--days", help="Use the last so many days of the history.")] = None
    method: Annotated[
        str, typer.Option("--method", help="all or historical, filtered, garch, parametric, monte-carlo.")
    ] = "all"
    level: Annotated[float, typer.Option("--level", help="Confidence of VaR and ES.")] = _DEFAULT.level
    horizon: Annotated[int, typer.Option("--horizon", help="Days.")] = _DEFAULT.horizon_days
    confidence: Annotated[float, typer.Option("--confidence", help="Coverage of the confidence intervals.")] = (
        _DEFAULT.confidence
    )
    decay: Annotated[float, typer.Option("--decay", help="EWMA weight of yesterday's variance.")] = _DEFAULT.decay
    degrees: Annotated[float, typer.Option("--degrees", help="Degrees of freedom of Student-t.")] = _DEFAULT.degrees
    correlation: Annotated[float | None, typer.Option("--correlation", help="Replaces all correlations of prices.")] = (
        None
    )
    vol_share: VolShare = _DEFAULT.vol_share
    vol_of_vol: Annotated[
        float | None,
        typer.Option("--vol-of-vol", help="Log vol of vol per year in its place, parametric and monte-carlo."),
    ] = None
    spot_vol: Annotated[
        float | None,
        typer.Option("--spot-vol", help="Correlation of a price with its vol, with --vol-of-vol or --correlation."),
    ] = None
    paths: Annotated[int, typer.Option("--paths", help="Scenarios per replicate, a power of two.")] = _DEFAULT.paths
    seed: Annotated[int, typer.Option("--seed")] = _DEFAULT.seed
    html: HtmlFile = None
    as_json: AsJson = False

    @property
    def settings(self) -> RiskSettings:
        """Return the settings, checked."""
        return RiskSettings(
            self.level,
            self.horizon,
            self.confidence,
            self.decay,
            self.degrees,
            self.correlation,
            self.vol_share,
            self.vol_of_vol,
            self.spot_vol,
            self.paths,
            seed=self.seed,
        )


def _show(report: RiskReport, contributions: bool) -> None:
    console = Console()
    settings = report.settings
    title = f"{percent(settings.level)} over {days(settings.horizon_days)}, cash"
    table = plain_table(title, ("method", "VaR", "ES", "VaR interval", "ES interval"))
    for name, result in report.results.items():
        spans = [
            "closed form" if span is None else f"{span[0]:,.2f} .. {span[1]:,.2f}"
            for span in (result.var_interval, result.es_interval)
        ]
        table.add_row(name, f"{result.var:,.2f}", f"{result.es:,.2f}", *spans)
    console.print(table)
    if report.history is not None:
        console.print(report.history.sentence, highlight=False)
    for name, result in report.results.items():
        console.print(result.method, highlight=False)
        if not contributions:
            continue
        headings = ("position", "comp. VaR", "comp. ES", "increm. VaR", "increm. ES")
        parts = plain_table(f"Contributions, {name}", headings)
        for j, leg in enumerate(report.legs):
            arrays = (result.component_var, result.component_es, result.incremental_var, result.incremental_es)
            parts.add_row(leg.label, *(f"{float(a[j]):,.2f}" for a in arrays))
        console.print(parts)
    warned: dict[str, list[str]] = {}
    for name, result in report.results.items():
        for warning in result.warnings:
            warned.setdefault(warning, []).append(name)
    for warning, names in warned.items():
        who = "all methods" if len(names) == len(report.results) > 1 else ", ".join(names)
        console.print(f"{who}: {warning}", style="yellow", highlight=False)


def _methods(method: str) -> list[str]:
    """Return the methods that are meant; one that is none is refused before any price is read."""
    if method != "all" and method not in METHODS:
        raise InputError("--method", f"{method!r} is not one of all, {', '.join(METHODS)}")
    return list(METHODS) if method == "all" else [method]


def _run(chosen: RiskOptions, contributions: bool) -> None:
    settings, methods = chosen.settings, _methods(chosen.method)
    loaded = read_market(chosen.market)
    folio = load_portfolio(chosen.portfolio, loaded)
    legs, _ = legs_of(loaded, folio)
    prices, source = chosen_history(
        chosen.history, underlyings_of(legs), chosen.days, market_ts=loaded.ts, as_of=chosen.as_of
    )
    report = risk_report(loaded, folio, prices, settings, methods, source, Slow().tell)
    told(source)
    document = report.to_json(contributions)
    write_page(chosen.html, document)
    if chosen.as_json:
        print_document(document)
    else:
        _show(report, contributions)
    _end(report.failed)


def _end(failed: Mapping[str, str]) -> None:
    """End with the exit code that says so when a method is missing."""
    if failed:
        raise PartialError("risk", "; ".join(f"{name} is missing ({why})" for name, why in failed.items()))


@app.command("var")
@grouped("chosen", RiskOptions)
def var(chosen: RiskOptions) -> None:
    """VaR and expected shortfall with confidence intervals."""
    _run(chosen, contributions=False)


@app.command("contrib")
@grouped("chosen", RiskOptions)
def contrib(chosen: RiskOptions) -> None:
    """Component, marginal and incremental VaR and ES of every position."""
    _run(chosen, contributions=True)


def _show_backtest(found: VarBacktest) -> None:
    console = Console()
    level = percent(found.settings.level)
    judged = next(iter(found.results.values()))
    title = f"{level} over a day, {judged.observations} days, {judged.expected:.1f} expected beyond; three p-values"
    names = ("method", "mean VaR", "last VaR", "beyond", "Kupiec", "indep.", "ES", "light", "passes")
    table = plain_table(title, names)
    for name, test in found.results.items():
        figures = (test.kupiec.p_value, test.independence.p_value, test.shortfall.p_value)
        passes = "yes" if test.passes else "NO"
        sizes = (f"{test.mean_var:,.0f}", f"{test.last_var:,.0f}", str(len(test.exceedances)))
        table.add_row(name, *sizes, *(f"{p:.3f}" for p in figures), test.light, passes)
    console.print(table)
    for name, test in found.results.items():
        console.print(f"{name} {'passes' if test.passes else 'FAILS'}: {test.verdict}", highlight=False)
    console.print(
        f"today's book in today's market, moved as each day from {found.first} to {found.last} moved; "
        f"{found.window} days behind each forecast",
        highlight=False,
    )
    if found.history is not None:
        console.print(found.history.sentence, highlight=False)


@app.command("backtest")
def backtest(
    market: MarketFile,
    portfolio: PortfolioFile,
    history: Annotated[Path | None, typer.Option(help="Prices; default: the market data folder's.")] = None,
    as_of: AsOf = None,
    method: Annotated[str, typer.Option(help="all or historical, filtered, garch, parametric, monte-carlo.")] = "all",
    level: Annotated[float, typer.Option(help="Confidence of VaR and ES.")] = _DEFAULT.level,
    window: Annotated[int, typer.Option(help="Days behind each forecast.")] = WINDOW,
    days: Annotated[int | None, typer.Option(help="Judge the last so many days; default at most 1,000.")] = None,
    vol_share: VolShare = _DEFAULT.vol_share,
    seed: Annotated[int, typer.Option()] = _DEFAULT.seed,
    html: HtmlFile = None,
    as_json: AsJson = False,
) -> None:
    """Judge every VaR method on this account: how many days went beyond, how clustered, how far."""
    settings, methods = RiskSettings(level=level, vol_share=vol_share, seed=seed), _methods(method)
    loaded = read_market(market)
    folio = load_portfolio(portfolio, loaded)
    names = underlyings_of(legs_of(loaded, folio)[0])
    prices, source = chosen_history(history, names, market_ts=loaded.ts, as_of=as_of)
    found = var_backtest(
        loaded, folio, prices, settings, methods, window=window, days=days, provenance=source, tell=Slow().tell
    )
    told(source)
    document = found.to_json()
    write_page(html, document)
    if as_json:
        print_document(document)
    else:
        _show_backtest(found)
    _end(found.failed)
