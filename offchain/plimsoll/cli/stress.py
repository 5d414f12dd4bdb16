"""``plimsoll stress``: scenarios, crashes, reverse stress and the liquidation surface of one account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from plimsoll.analytics.stress.reverse import ReverseStress, reverse_stress
from plimsoll.analytics.stress.scenario_file import load_scenarios
from plimsoll.analytics.stress.scenarios import StressResult, apart, stress
from plimsoll.analytics.stress.shock import Shock
from plimsoll.analytics.stress.standard import standard_scenarios
from plimsoll.analytics.stress.surface import HOURS, PRICES, VOLS, SurfacePoint, liquidation_surface
from plimsoll.analytics.told import Tell
from plimsoll.analytics.var.legs import legs_of, underlyings_of
from plimsoll.cli.history_option import AsOf, chosen_history, told
from plimsoll.cli.html_option import HtmlFile, write_page
from plimsoll.cli.market_option import read_market
from plimsoll.cli.output import print_document
from plimsoll.cli.slow import Slow
from plimsoll.cli.tables import plain_table
from plimsoll.errors import PartialError
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

if TYPE_CHECKING:
    # Late otherwise: only --replay and --correlations read prices, and what reads them is slow to import.
    from plimsoll.analytics.series.as_of import Provenance
    from plimsoll.analytics.series.history import History
    from plimsoll.analytics.var.breakdown import Breakdown

_SIGN = {"healthy": ".", "margin call": "c", "liquidatable": "L", "insolvent": "X"}


def _moves(shocks: Mapping[str, Shock]) -> str:
    """Say what moves; underlyings that move alike are named together."""
    alike: dict[str, list[str]] = {}
    for name, shock in shocks.items():
        alike.setdefault(shock.words, []).append(name)
    return ", ".join(f"{' '.join(names)} {words}" for words, names in alike.items())


def _show_results(console: Console, results: list[StressResult]) -> None:
    names = ("scenario", "moves", "P&L", "equity", "maintenance", "state")
    table = plain_table("Scenarios, cash", names, left=("moves", "state"))
    for r in results:
        figures = (f"{x:,.0f}" for x in (r.pnl, r.equity, r.maintenance_margin))
        table.add_row(r.scenario.name, _moves(r.scenario.shocks), *figures, r.state)
    console.print(table)


def _show_reverse(console: Console, found: list[ReverseStress]) -> None:
    for r in found:
        if r.size is None:
            console.print(f"reverse stress, {r.threshold}: not reached within the search")
        elif r.size == 0.0:
            console.print(f"reverse stress, {r.threshold}: reached already, without any move")
        else:
            moves = ", ".join(f"{u} {x.price:+.2%} vol {x.vol:+.2%}" for u, x in r.moves.items())
            console.print(f"reverse stress, {r.threshold}: {moves}, {r.size:.3f} ranges")


def _show_surface(console: Console, points: list[SurfacePoint]) -> None:
    console.print("liquidation surface over time, volatility and price")
    console.print("(. healthy, c margin call, L liquidatable, X insolvent)")
    console.print(" " * 10 + "".join(f"{p:+5.0%}" for p in PRICES), highlight=False)
    rows = [points[i : i + len(PRICES)] for i in range(0, len(points), len(PRICES))]
    for (hours, vol), row in zip(((h, v) for h in HOURS for v in VOLS), rows, strict=True):
        console.print(f"{hours:3.0f}h {vol:+5.0%}" + "".join(f"{_SIGN[p.state]:>5}" for p in row), highlight=False)


def _breakdown(market: Market, portfolio: Portfolio, params: Params, prices: History, tell: Tell) -> Breakdown:
    from plimsoll.analytics.var.breakdown import correlation_breakdown
    from plimsoll.analytics.var.settings import RiskSettings

    own = prices.select(underlyings_of(legs_of(market, portfolio)[0]))
    return correlation_breakdown(market, portfolio, params, own, RiskSettings(), tell)


def _show_breakdown(console: Console, found: Breakdown) -> None:
    title = "Monte-Carlo figures at 0.99 over a day, cash, by correlation of prices"
    table = plain_table(title, ("correlation", "VaR", "ES"))
    for point in found.points:
        label = "estimated" if point.correlation is None else f"{point.correlation:+g}"
        table.add_row(label, f"{point.var:,.2f}", f"{point.es:,.2f}")
    console.print(table)
    for a, b, rho in found.estimated:
        console.print(f"estimated correlation {a} {b}: {rho:.3f}", highlight=False)
    for warning in dict.fromkeys(w for point in found.points for w in point.warnings):
        console.print(warning, style="yellow")
    console.print(
        "correlations between prices are replaced; those with volatilities, and all deviations, stay as estimated\n"
        f"maintenance: CROSS {found.cross:,.2f}, SINGLE {found.single:,.2f}; of it, every underlying at its own worst "
        f"row: {found.separate:,.2f}",
        highlight=False,
    )


def _show(
    results: list[StressResult],
    missing: list[str],
    found: list[ReverseStress],
    points: list[SurfacePoint],
    broken: Breakdown | None,
    source: Provenance | None,
) -> None:
    console = Console()
    if results:
        _show_results(console, results)
    if missing:
        console.print(f"not in the history: {', '.join(missing)}")
    _show_reverse(console, found)
    if points:
        _show_surface(console, points)
    if broken is not None:
        _show_breakdown(console, broken)
    if source is not None:
        console.print(source.sentence, highlight=False)


def _document(
    results: list[StressResult],
    refused: Mapping[str, str],
    missing: list[str],
    found: list[ReverseStress],
    points: list[SurfacePoint],
    broken: Breakdown | None,
    source: Provenance | None,
) -> dict[str, object]:
    """Build the plimsoll.stress/1 document."""
    return {
        "schema": "plimsoll.stress/1",
        "history": None if source is None else source.to_json(),
        "scenarios": [r.to_json() for r in results],
        "failed": dict(refused),
        "notInHistory": missing,
        "reverse": [r.to_json() for r in found],
        "surface": [asdict(p) for p in points],
        "correlations": None if broken is None else broken.to_json(),
    }


def command(
    market: Annotated[Path, typer.Option(help="Market file (plimsoll.market/1).")],
    portfolio: Annotated[Path, typer.Option(help="Portfolio file (plimsoll.portfolio/1).")],
    params: Annotated[Path | None, typer.Option(help="Parameter file; missing keys take the defaults.")] = None,
    scenarios: Annotated[Path | None, typer.Option(help="Your scenarios (plimsoll.scenarios/1).")] = None,
    standard: Annotated[
        bool,
        typer.Option(help="A ladder of prices; skew, term, basis, perpetual and rate, alone and with a price."),
    ] = False,
    replay: Annotated[bool, typer.Option(help="Replay the crashes of the price history.")] = False,
    history: Annotated[Path | None, typer.Option(help="Prices for --replay and --correlations.")] = None,
    as_of: AsOf = None,
    crash_vol: Annotated[float, typer.Option(help="Rise of vols in a crash, where history has none.")] = 0.5,
    reverse: Annotated[bool, typer.Option(help="Smallest move that reaches IM, MM and zero.")] = False,
    surface: Annotated[bool, typer.Option(help="States over spot, vol and time.")] = False,
    correlations: Annotated[bool, typer.Option(help="VaR under other correlations, beside what offsets earn.")] = False,
    html: HtmlFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Stress one account; without a choice: reverse stress and surface."""
    loaded = read_market(market)
    folio = load_portfolio(portfolio, loaded)
    chosen = load_params(params, set(loaded.rounds)) if params is not None else Params()
    if scenarios is None and not (standard or replay or reverse or surface or correlations):
        reverse = surface = True
    listed = load_scenarios(scenarios, set(loaded.rounds)) if scenarios is not None else []
    if standard:
        listed = [*listed, *standard_scenarios(loaded)]
    missing: list[str] = []
    tell = Slow().tell
    broken, source = None, None
    if replay or correlations:
        from plimsoll.analytics.stress.crashes import crash_scenarios

        held = list(loaded.rounds) if replay else list(underlyings_of(legs_of(loaded, folio)[0]))
        prices, source = chosen_history(history, held, market_ts=loaded.ts, as_of=as_of)
        crashes, missing = crash_scenarios(prices, crash_vol) if replay else ([], [])
        listed = [*listed, *crashes]
        broken = _breakdown(loaded, folio, chosen, prices, tell) if correlations else None
    possible, refused = apart(loaded, folio, listed)
    results = stress(loaded, folio, chosen, possible)
    found = reverse_stress(loaded, folio, chosen, tell) if reverse else []
    points = liquidation_surface(loaded, folio, chosen) if surface else []
    told(source)
    document = _document(results, refused, missing, found, points, broken, source)
    write_page(html, document)
    if as_json:
        print_document(document)
    else:
        _show(results, missing, found, points, broken, source)
    if refused:
        raise PartialError("stress", "; ".join(f"{name!r} is missing ({why})" for name, why in refused.items()))
