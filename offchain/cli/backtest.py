"""``plimsoll backtest``: the scan range against the price history."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from offchain.analytics.backtest import AssetBacktest, BacktestSettings, backtest_asset
from offchain.analytics.chain_backtest import ChainBacktest, chain_backtest, load_chains
from offchain.analytics.history import DAY_SEC, History, load_history
from offchain.analytics.rule_backtest import CALLERS, RuleBacktest, backtest_rule, rule_terms
from offchain.cli.history_option import data_file, history_path
from offchain.cli.html_option import HtmlFile, write_page
from offchain.cli.output import print_document
from offchain.cli.tables import plain_table
from offchain.errors import InputError
from offchain.files.params import load_params
from offchain.params import Params

_DEFAULT = BacktestSettings()
SHORT = {
    "initialClose": "initial, close",
    "initialWorst": "initial, worst",
    "maintenanceClose": "maintenance, close",
    "maintenanceWorst": "maintenance, worst",
}
RULE_CALLERS = {"everyPrice": "all", "oneCallADay": "closes"}
CHAIN_FILE = "deribit_chain_daily.parquet"


def day_ts(text: str | None, option: str, otherwise: int) -> int:
    """Unix seconds of an ISO day, ``otherwise`` when none is given; InputError names the option."""
    if text is None:
        return otherwise
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days * 86_400
    except ValueError:
        raise InputError(option, f"{text!r} is no day like 2026-02-05") from None


def priced(history: Path | None, asset: list[str] | None, since: str | None, until: str | None) -> History:
    """History of the assets between two days."""
    loaded = load_history(history_path(history), asset or ["ETH", "BTC"])
    return loaded.between(day_ts(since, "--since", 0), day_ts(until, "--until", 2**40))


def _show(results: dict[str, AssetBacktest]) -> None:
    console = Console()
    some = next(iter(next(iter(results.values())).limits.values()))
    title = f"Scan range: {some.observations} blocks, {some.expected:.1f} expected beyond; p-values of three tests"
    table = plain_table(title, ("limit", "move", "beyond", "Kupiec", "indep.", "ES", "light", "passes"))
    for asset, result in results.items():
        for name, test in result.limits.items():
            figures = (test.kupiec.p_value, test.independence.p_value, test.shortfall.p_value)
            table.add_row(
                f"{asset} {SHORT[name]}",
                f"{test.limit:.3f}",
                str(len(test.exceedances)),
                *(f"{p:.4f}" for p in figures),
                test.light,
                "yes" if test.passes else "NO",
            )
    console.print(table)
    for asset, result in results.items():
        test = result.limits["initialWorst"]
        named = ", ".join(f"{day} {move:+.1%}" for day, move in test.exceedances)
        console.print(f"{asset} beyond the range (initial, worst): {named or 'never'}")
        if result.raw_rule is not None and result.buffered_rule is not None:
            raw, own = result.raw_rule, result.buffered_rule
            console.print(
                f"{asset} peak over trough: fixed 1, EWMA rule {raw.peak_to_trough:.1f}, "
                f"buffered {own.peak_to_trough:.1f}; largest rise in 5 blocks: {raw.rise_5:.1f}, {own.rise_5:.1f}"
            )


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
    results = {asset: chain_backtest(load_chains(path, asset), chosen, coverage, progress) for asset in assets}
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
    params: Path | None, prices: History, coverage: float, grace_sec: int, html: Path | None, as_json: bool
) -> None:
    chosen = load_params(params, set(prices.assets)) if params is not None else Params()
    results: dict[str, dict[str, RuleBacktest]] = {asset: {} for asset in prices.assets}
    for asset, found in results.items():
        terms = rule_terms(chosen, asset)
        for callers in CALLERS:
            found[callers] = backtest_rule(
                prices, asset, chosen, terms, callers=callers, coverage=coverage, grace_sec=grace_sec
            )
    document = {
        "schema": "plimsoll.ruleBacktest/1",
        "source": prices.source,
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


def progress(line: str) -> None:
    """Tell a person at a terminal how far a long walk is."""
    if sys.stderr.isatty():
        print(line, file=sys.stderr)


def command(
    params: Annotated[Path | None, typer.Option(help="Parameter file; missing keys take the defaults.")] = None,
    history: Annotated[Path | None, typer.Option(help="Prices; default: the market data folder's.")] = None,
    asset: Annotated[list[str] | None, typer.Option(help="Repeat for several; default ETH and BTC.")] = None,
    since: Annotated[str | None, typer.Option(help="First day.")] = None,
    until: Annotated[str | None, typer.Option(help="Day after the last.")] = None,
    horizon: Annotated[int, typer.Option(help="Liquidation horizon in days.")] = _DEFAULT.steps,
    coverage: Annotated[float, typer.Option(help="Claimed coverage.")] = _DEFAULT.coverage,
    degrees: Annotated[float, typer.Option(help="Student-t degrees of the ES law.")] = _DEFAULT.degrees,
    seed: Annotated[int, typer.Option()] = _DEFAULT.seed,
    chains: Annotated[bool, typer.Option("--chains", help="Standard books over daily option chains instead.")] = False,
    chain_file: Annotated[Path | None, typer.Option(help="Chains; default: the market data folder's.")] = None,
    rule: Annotated[bool, typer.Option("--rule", help="Ranges that follow the market by the rule instead.")] = False,
    grace: Annotated[int, typer.Option(help="With --rule: seconds of grace after a raise.")] = DAY_SEC,
    html: HtmlFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Back-test the scan range over the price history, the rule it may follow, or requirements over option chains."""
    if chains or chain_file is not None:
        _on_chains(params, chain_file, asset or ["ETH", "BTC"], coverage, html, as_json)
        return
    settings = BacktestSettings(horizon, coverage, degrees, seed=seed)
    prices = priced(history, asset, since, until)
    if rule:
        _on_rule(params, prices, coverage, grace, html, as_json)
        return
    chosen = load_params(params, set(prices.assets)) if params is not None else Params()
    results = {name: backtest_asset(prices, name, chosen, settings) for name in prices.assets}
    document = {
        "schema": "plimsoll.backtest/1",
        "source": prices.source,
        "first": prices.date(0),
        "last": prices.date(-1),
        "horizonDays": horizon,
        "coverage": coverage,
        "degrees": degrees,
        "seed": seed,
        "assets": {name: result.to_json() for name, result in results.items()},
    }
    write_page(html, document)
    if as_json:
        print_document(document)
    else:
        _show(results)
