"""``plimsoll backtest``: the scan range against the price history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plimsoll.analytics.backtest.chain_backtest import ChainBacktest, chain_backtest, load_chains
from plimsoll.analytics.backtest.price_backtest import (
    COVERAGE,
    LIQUIDATION_HOURS,
    AssetBacktest,
    BacktestSettings,
    backtest_asset,
)
from plimsoll.analytics.backtest.rule_backtest import CALLERS, RuleBacktest, backtest_rule, rule_terms
from plimsoll.analytics.report.page import percent
from plimsoll.analytics.series.as_of import Provenance, history_known_at, moment_of_text
from plimsoll.analytics.series.history import History, load_history
from plimsoll.cli.history_option import data_file, history_path, hourly_history, told
from plimsoll.cli.html_option import HtmlFile, write_page
from plimsoll.cli.output import print_document
from plimsoll.cli.slow import Slow
from plimsoll.cli.tables import plain_table
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.files.params import load_params
from plimsoll.params import Params

_DEFAULT = BacktestSettings()
SHORT = {
    "initialClose": "initial, close",
    "initialWorst": "initial, worst",
    "maintenanceClose": "maintenance, close",
    "maintenanceWorst": "maintenance, worst",
}
#: Option chains on file span months: too few days for the coverage that prices are judged by.
CHAIN_COVERAGE = 0.99
RULE_CALLERS = {"everyPrice": "all", "oneCallADay": "closes"}
CHAIN_FILE = "deribit_chain_daily.parquet"


def day_ts(text: str | None, option: str, otherwise: int) -> int:
    """Unix seconds of an ISO day, ``otherwise`` when none is given; InputError names the option."""
    if text is None:
        return otherwise
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days * DAY_SEC
    except ValueError:
        raise InputError(option, f"{text!r} is no day like 2026-02-05") from None


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a history is judged.

    Attributes
    ----------
    since, until : str or None
        First day, and the day after the last.
    as_of : str or None
        No price that was known later only is used.
    """

    since: str | None
    until: str | None
    as_of: str | None

    def of(self, history: History) -> tuple[History, Provenance]:
        """Cut a history."""
        chosen = history.between(day_ts(self.since, "--since", 0), day_ts(self.until, "--until", 2**40))
        return history_known_at(chosen, None, None if self.as_of is None else moment_of_text(self.as_of))


def priced(history: Path | None, asset: list[str] | None, span: Span) -> tuple[History, Provenance]:
    """History of the assets within a span, and where it comes from."""
    return span.of(load_history(history_path(history), asset or ["ETH", "BTC"]))


def _hours(files: list[Path], prices: History, span: Span, hours: int) -> History:
    """Prices in steps of the liquidation horizon, of the assets and between the days of the daily ones."""
    if not 1 <= hours <= 24:
        raise InputError("--liquidation", f"{hours} is outside [1, 24]")
    return span.of(hourly_history(files, prices.assets, hours))[0]


def _show(results: dict[str, AssetBacktest]) -> None:
    console = Console()
    title = "Scan range; p-values of three tests"
    table = plain_table(title, ("limit", "move", "beyond", "Kupiec", "indep.", "ES", "light", "passes"))
    for asset, result in results.items():
        for name, test in result.limits.items():
            figures = (test.kupiec.p_value, test.independence.p_value, test.shortfall.p_value)
            table.add_row(
                f"{asset} {SHORT[name]}",
                percent(test.limit),
                str(len(test.exceedances)),
                *(f"{p:.4f}" for p in figures),
                test.light,
                "yes" if test.passes else "NO",
            )
    console.print(table)
    limits = next(iter(results.values())).limits
    for margin in ("initial", "maintenance"):
        test = limits[f"{margin}Worst"]
        console.print(
            f"{margin} margin: {test.observations} blocks of {test.hours:g} hours, {test.expected:.1f} expected "
            f"beyond: {test.source}, {test.first} to {test.last}"
        )
    for asset, result in results.items():
        console.print(_verdict(asset, result))
        test = result.limits["initialWorst"]
        named = ", ".join(f"{day} {move:+.1%}" for day, move in test.exceedances)
        console.print(f"{asset} beyond the range (initial, worst): {named or 'never'}")
        if result.raw_rule is not None and result.buffered_rule is not None:
            raw, own = result.raw_rule, result.buffered_rule
            console.print(
                f"{asset} peak over trough: fixed 1, EWMA rule {raw.peak_to_trough:.1f}, "
                f"buffered {own.peak_to_trough:.1f}; largest rise in 5 blocks: {raw.rise_5:.1f}, {own.rise_5:.1f}"
            )


def _verdict(asset: str, result: AssetBacktest) -> str:
    """Say whether a range passes, and which one would."""
    if result.passes:
        return f"{asset} range {result.price_range:g}: every limit passes"
    failed = ", ".join(SHORT[name] for name, test in result.limits.items() if not test.passes)
    would = "no range would" if result.passing_range is None else f"{result.passing_range:g} would pass"
    return f"{asset} range {result.price_range:g}: FAILS {failed}; {would}"


def _show_chains(results: dict[str, ChainBacktest]) -> None:
    console = Console()
    for asset, result in results.items():
        title = f"{asset}: {len(result.dates)} days, {result.dates[0]} to {result.dates[-1]}, {result.skipped} left out"
        names = ("book", "> IM", "> MM", "loss / MM", "peak / trough", "rise 1", "rise 5", "passes")
        table = plain_table(title, names)
        for name, (initial, maintenance) in result.tests.items():
            cycle = result.cycle[name]
            counts = (str(len(initial.exceedances)), str(len(maintenance.exceedances)), f"{result.largest[name]:.2f}")
            rises = (f"{x:.2f}" for x in (cycle.peak_to_trough, cycle.rise_1, cycle.rise_5))
            table.add_row(name, *counts, *rises, "yes" if initial.passes and maintenance.passes else "NO")
        console.print(table)


def _on_chains(
    params: Path | None, file: Path | None, assets: list[str], coverage: float, html: Path | None, as_json: bool
) -> None:
    path = file if file is not None else data_file(CHAIN_FILE, "--chain-file")
    chosen = load_params(params, set(assets)) if params is not None else Params()
    results = {asset: chain_backtest(load_chains(path, asset), chosen, coverage, Slow().tell) for asset in assets}
    document = {
        "schema": "plimsoll.chainBacktest/1",
        "source": path.name,
        "coverage": coverage,
        "assets": {asset: result.to_json() for asset, result in results.items()},
    }
    write_page(html, document)
    if not as_json:
        _show_chains(results)
        return
    print_document(document)


def _show_rule(results: dict[str, dict[str, RuleBacktest]]) -> None:
    console = Console()
    first = next(iter(next(iter(results.values())).values()))
    title = f"Ranges by the rule: {first.initial.expected:.1f} days expected beyond; changes a year"
    names = ("", "seen", "> IM", "> MM", "in grace", "above", "highest", "rise 1", "rise 7", "a year")
    table = plain_table(title, names)
    for asset, by_callers in results.items():
        for callers, result in by_callers.items():
            beyond = (len(t.dates) for t in (result.initial, result.maintenance, result.in_grace))
            rises = (f"{x:.3f}" for x in (result.highest, result.rise_day, result.rise_week))
            figures = (*map(str, beyond), f"{result.share_above:.1%}", *rises, f"{result.changes_a_year:.0f}")
            table.add_row(asset, RULE_CALLERS[callers], *figures)
    console.print(table)


def _on_rule(
    params: Path | None,
    prices: History,
    source: Provenance,
    coverage: float,
    grace_sec: int,
    html: Path | None,
    as_json: bool,
) -> None:
    chosen = load_params(params, set(prices.assets)) if params is not None else Params()
    results: dict[str, dict[str, RuleBacktest]] = {asset: {} for asset in prices.assets}
    for asset, found in results.items():
        terms = rule_terms(chosen, asset)
        for callers in CALLERS:
            found[callers] = backtest_rule(
                prices, asset, chosen, terms, callers=callers, coverage=coverage, grace_sec=grace_sec
            )
    told(source)
    document = {
        "schema": "plimsoll.ruleBacktest/1",
        "history": source.to_json(),
        "source": prices.name,
        "first": prices.date(0),
        "last": prices.date(-1),
        "coverage": coverage,
        "graceSec": grace_sec,
        "assets": {asset: {k: v.to_json() for k, v in found.items()} for asset, found in results.items()},
    }
    write_page(html, document)
    if as_json:
        print_document(document)
    else:
        _show_rule(results)


def command(
    params: Annotated[Path | None, typer.Option(help="Parameter file; missing keys take the defaults.")] = None,
    history: Annotated[Path | None, typer.Option(help="Prices; default: the market data folder's.")] = None,
    asset: Annotated[list[str] | None, typer.Option(help="Repeat for several; default ETH and BTC.")] = None,
    since: Annotated[str | None, typer.Option(help="First day.")] = None,
    until: Annotated[str | None, typer.Option(help="Day after the last.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Use no price known later only.")] = None,
    hourly: Annotated[
        list[Path] | None,
        typer.Option(help="Hourly prices for maintenance margin; repeat to continue one file with another."),
    ] = None,
    horizon: Annotated[int, typer.Option(help="Days that initial margin covers.")] = _DEFAULT.steps,
    liquidation: Annotated[int, typer.Option(help="Hours that maintenance margin covers.")] = LIQUIDATION_HOURS,
    coverage: Annotated[
        float | None, typer.Option(help=f"Claimed coverage; default {COVERAGE:g}, with --chains {CHAIN_COVERAGE:g}.")
    ] = None,
    degrees: Annotated[float, typer.Option(help="Student-t degrees of the ES law.")] = _DEFAULT.degrees,
    seed: Annotated[int, typer.Option()] = _DEFAULT.seed,
    chains: Annotated[bool, typer.Option("--chains", help="Standard books over daily option chains instead.")] = False,
    chain_file: Annotated[Path | None, typer.Option(help="Chains; default: the market data folder's.")] = None,
    rule: Annotated[bool, typer.Option("--rule", help="Ranges that follow the market by the rule instead.")] = False,
    grace: Annotated[int, typer.Option(help="With --rule: seconds of grace after a raise.")] = DAY_SEC,
    html: HtmlFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Back-test the scan range over the price history, the rule it may follow, or requirements over option chains.

    Initial margin is judged against the furthest price of a day, maintenance margin against that of six hours. With
    --history and without --hourly both are judged by the days given.
    """
    if chains or chain_file is not None:
        claimed = CHAIN_COVERAGE if coverage is None else coverage
        _on_chains(params, chain_file, asset or ["ETH", "BTC"], claimed, html, as_json)
        return
    settings = BacktestSettings(horizon, COVERAGE if coverage is None else coverage, degrees, seed=seed)
    span = Span(since, until, as_of)
    prices, source = priced(history, asset, span)
    if rule:
        _on_rule(params, prices, source, settings.coverage, grace, html, as_json)
        return
    chosen = load_params(params, set(prices.assets)) if params is not None else Params()
    hours = None if history is not None and not hourly else _hours(hourly or [], prices, span, liquidation)
    results = {name: backtest_asset(prices, name, chosen, settings, hours) for name in prices.assets}
    told(source)
    document = _document(prices, source, settings, results, None if hours is None else liquidation)
    write_page(html, document)
    if as_json:
        print_document(document)
    else:
        _show(results)


def _document(
    prices: History,
    source: Provenance,
    settings: BacktestSettings,
    results: Mapping[str, AssetBacktest],
    liquidation_hours: int | None,
) -> dict[str, object]:
    """Build the plimsoll.backtest/1 document."""
    return {
        "schema": "plimsoll.backtest/1",
        "history": source.to_json(),
        "source": prices.name,
        "first": prices.date(0),
        "last": prices.date(-1),
        "horizonDays": settings.steps,
        "liquidationHours": liquidation_hours,
        "passes": all(result.passes for result in results.values()),
        "coverage": settings.coverage,
        "degrees": settings.degrees,
        "seed": settings.seed,
        "assets": {name: result.to_json() for name, result in results.items()},
    }
