"""``plimsoll risk``: VaR and expected shortfall of one account, and what each position adds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plimsoll.analytics.report.page import days, percent
from plimsoll.analytics.var.legs import legs_of, underlyings_of
from plimsoll.analytics.var.risk_report import METHODS, RiskReport, risk_report
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.cli.history_option import AsOf, chosen_history, told
from plimsoll.cli.html_option import HtmlFile, write_page
from plimsoll.cli.option_group import grouped
from plimsoll.cli.output import print_document
from plimsoll.cli.tables import plain_table
from plimsoll.errors import PartialError
from plimsoll.files.market import load_market
from plimsoll.files.portfolio import load_portfolio

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_DEFAULT = RiskSettings()


@dataclass(frozen=True, slots=True)
class RiskOptions:
    """What both commands are told."""

    market: Annotated[Path, typer.Option("--market", help="Market file (plimsoll.market/1).")]
    portfolio: Annotated[Path, typer.Option("--portfolio", help="Portfolio file (plimsoll.portfolio/1).")]
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
    vol_share: Annotated[
        float,
        typer.Option(
            "--vol-share", help="Without a vol history vols follow each price's own vol by this; 0 holds them."
        ),
    ] = _DEFAULT.vol_share
    vol_of_vol: Annotated[
        float | None,
        typer.Option("--vol-of-vol", help="Log vol of vol per year in its place, parametric and monte-carlo."),
    ] = None
    spot_vol: Annotated[float, typer.Option("--spot-vol", help="Correlation of a price with its vol, likewise.")] = (
        _DEFAULT.spot_vol
    )
    paths: Annotated[int, typer.Option("--paths", help="Scenarios per replicate, a power of two.")] = _DEFAULT.paths
    seed: Annotated[int, typer.Option("--seed")] = _DEFAULT.seed
    html: HtmlFile = None
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False

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
        for warning in result.warnings:
            console.print(f"{name}: {warning}", style="yellow")
        if not contributions:
            continue
        headings = ("position", "comp. VaR", "comp. ES", "increm. VaR", "increm. ES")
        parts = plain_table(f"Contributions, {name}", headings)
        for j, leg in enumerate(report.legs):
            arrays = (result.component_var, result.component_es, result.incremental_var, result.incremental_es)
            parts.add_row(leg.label, *(f"{float(a[j]):,.2f}" for a in arrays))
        console.print(parts)


def _run(chosen: RiskOptions, contributions: bool) -> None:
    settings = chosen.settings
    loaded = load_market(chosen.market)
    folio = load_portfolio(chosen.portfolio, loaded)
    legs, _ = legs_of(loaded, folio)
    prices, source = chosen_history(
        chosen.history, underlyings_of(legs), chosen.days, market_ts=loaded.ts, as_of=chosen.as_of
    )
    methods = list(METHODS) if chosen.method == "all" else [chosen.method]
    report = risk_report(loaded, folio, prices, settings, methods, source)
    told(source)
    document = report.to_json(contributions)
    write_page(chosen.html, document)
    if chosen.as_json:
        print_document(document)
    else:
        _show(report, contributions)
    if report.failed:
        raise PartialError("risk", "; ".join(f"{name} is missing ({why})" for name, why in report.failed.items()))


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
