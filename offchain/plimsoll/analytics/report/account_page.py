"""The account report as a page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from plimsoll.analytics.report.account import AccountReport
from plimsoll.analytics.report.drawing.colours import COLOURS
from plimsoll.analytics.report.figures import (
    bars_figure,
    day_of,
    liquidation_figure,
    models_figure,
    risk_figure,
    row_label,
    scenario_figure,
)
from plimsoll.analytics.report.page import Section, Table, Tile, days, layout, money, page_of, percent
from plimsoll.mirror.margin_engine import HEALTHY, INSOLVENT, LIQUIDATABLE, MARGIN_CALL

TONES: Final = {HEALTHY: "good", MARGIN_CALL: "warn", LIQUIDATABLE: "bad", INSOLVENT: "bad"}


def _time(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _margin_figure(report: AccountReport) -> Any:
    """Equity against the two requirements as bars."""
    import plotly.graph_objects as go

    m = report.margin
    names = ["maintenance margin", "initial margin", "equity"]
    values = [m.maintenance_margin, m.initial_margin, m.equity]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker_color=[COLOURS[4], COLOURS[1], COLOURS[0]],
            text=[money(v) for v in values],
            textposition="auto",
        )
    )
    figure.update_xaxes(title="cash")
    return layout(figure, 220, showlegend=False)


def _component_figure(report: AccountReport) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    names = list(report.margin.underlyings)
    parts = report.margin.underlyings.values()
    series = (
        ("scan", [u.scan for u in parts]),
        ("certified beyond the grid", [u.certified_scan - u.scan for u in parts]),
        ("basis", [u.basis for u in parts]),
        ("vega term", [u.vega_term for u in parts]),
        ("skew term", [u.skew_term for u in parts]),
        ("concentration", [u.concentration for u in parts]),
    )
    for label, values in series:
        figure.add_bar(name=label, y=names, x=values, orientation="h")
    figure.update_xaxes(title="cash")
    return layout(figure, 170 + 60 * len(names), barmode="stack")


def _profile_figure(report: AccountReport) -> Any:
    import plotly.graph_objects as go

    moves = [100.0 * p.move for p in report.profile]
    figure = go.Figure()
    for name, values, colour, dash in (
        ("equity", [p.equity for p in report.profile], COLOURS[0], "solid"),
        ("initial margin", [p.initial for p in report.profile], COLOURS[1], "dash"),
        ("maintenance margin", [p.maintenance for p in report.profile], COLOURS[4], "dot"),
    ):
        figure.add_scatter(
            x=moves, y=values, name=name, mode="lines", line={"color": colour, "dash": dash, "width": 2.5}
        )
    figure.add_vline(x=0.0, line={"color": "#9aa7b3", "width": 1})
    figure.update_xaxes(title="move of every price, %")
    figure.update_yaxes(title="cash")
    return layout(figure, 380)


def _tiles(report: AccountReport) -> list[Tile]:
    m = report.margin
    tone = TONES[m.state]
    tiles = [
        Tile("state", m.state, tone),
        Tile("equity", money(m.equity)),
        Tile("initial margin", money(m.initial_margin)),
        Tile("maintenance margin", money(m.maintenance_margin)),
        Tile("excess over initial", money(m.equity - m.initial_margin), tone),
    ]
    if m.equity > 0.0:
        tiles.append(Tile("margin use (initial / equity)", f"{m.initial_margin / m.equity:.0%}"))
    if report.risk is not None:
        es = max(r.es for r in report.risk.results.values())
        tiles.append(
            Tile(
                f"largest ES, {percent(report.risk.settings.level)}, {days(report.risk.settings.horizon_days)}",
                money(es),
            )
        )
    found = next(r for r in report.reverse if r.threshold == "maintenance")
    tiles.append(Tile("to liquidation", "out of reach" if found.size is None else _moves(found.moves)))
    return tiles


def _moves(moves: Any) -> str:
    if not moves:
        return "reached"
    name, shock = max(moves.items(), key=lambda item: abs(item[1].price))
    return f"{name} {shock.price:+.1%}, vol {shock.vol:+.0%}"


def _alerts(report: AccountReport) -> list[str]:
    m, found = report.margin, []
    if m.state != HEALTHY:
        found.append(f"the account is in state {m.state}")
    if m.state == HEALTHY and m.equity < 1.2 * m.initial_margin:
        found.append("equity is less than a fifth above initial margin")
    if report.risk is not None and report.risk.history is not None:
        found += report.risk.history.warnings
    fallen = [c.scenario.name for c in report.crashes if c.state in (LIQUIDATABLE, INSOLVENT)]
    if fallen:
        found.append(f"a repeat of {', '.join(fallen)} would liquidate the account")
    gone = [c.scenario.name for c in report.crashes if c.state == INSOLVENT]
    if gone:
        found.append(f"{', '.join(gone)} would leave it insolvent")
    for name, round_ in report.market.rounds.items():
        if (
            round_.confidence < report.params.account.conf_threshold
            and report.margin.underlyings[name].requirement > 0.0
        ):
            found.append(f"the round of {name} has confidence {round_.confidence:.2f}: initial margin carries a charge")
    return found


def _largest_crash(report: AccountReport) -> list[str]:
    if not report.crashes:
        return []
    worst = min(report.crashes, key=lambda c: c.pnl)
    if worst.pnl >= 0.0:
        return ["None of the past crashes costs today's book anything."]
    name = worst.scenario.name
    return [f"The costliest past crash on today's book, {name}, takes {money(-worst.pnl)} and leaves it {worst.state}."]


def _summary(report: AccountReport) -> list[str]:
    """Say in a few sentences what the page shows."""
    m = report.margin
    ratio = f", {m.equity / m.initial_margin:.1f} times initial margin" if m.initial_margin > 0.0 else ""
    points = [f"The account is {m.state}: equity {money(m.equity)}{ratio}."]
    found = next(r for r in report.reverse if r.threshold == "maintenance")
    if found.size is None:
        points.append("No joint move of prices and volatilities within the search liquidates it.")
    elif found.size > 0.0:
        moves = "; ".join(f"{u} {s.price:+.1%} with vol {s.vol:+.0%}" for u, s in found.moves.items())
        points.append(f"The smallest joint move that liquidates it: {moves} ({found.size:.2f} scan ranges).")
    if report.risk is not None:
        risk = report.risk
        losses = sorted(r.es for r in risk.results.values())
        span = money(losses[0]) if len(losses) == 1 else f"{money(losses[0])} to {money(losses[-1])}"
        main = risk.results.get("filtered") or next(iter(risk.results.values()))
        most = int(np.argmax(main.component_es))
        points.append(
            f"Expected shortfall at {percent(risk.settings.level)} over {days(risk.settings.horizon_days)} is {span} "
            f"by {len(losses)} methods; the largest part comes from {risk.legs[most].label}."
        )
    points += _largest_crash(report)
    others = [line for line in report.models if not line.margin.model.startswith("plimsoll")]
    own = next(line for line in report.models if line.margin.model == f"plimsoll {report.portfolio.mode.name.lower()}")
    low, high = (f(others, key=lambda line: line.margin.initial) for f in (min, max))
    points.append(
        f"Market equity needed initially: {money(own.margin.initial)} here, {money(low.margin.initial)} "
        f"({low.margin.model}) to {money(high.margin.initial)} ({high.margin.model}) by the models of other venues."
    )
    return points


def _books(report: AccountReport) -> str:
    """Rows of the underlyings in words; one text where all have the same."""
    labels = {name: report.params.book_of(name).label for name in report.market.rounds}
    if len(set(labels.values())) == 1:
        return next(iter(labels.values()))
    return "; ".join(f"{name}: {label}" for name, label in labels.items())


def _parameter_section(report: AccountReport) -> Section:
    """Show the parameters behind the margin figures."""
    held = [name for name, u in report.margin.underlyings.items() if u.requirement > 0.0]
    own = [(name, asdict(report.params.for_underlying(name))) for name in held]
    points = [
        f"{name}: " + ", ".join(f"{key.replace('_', ' ')} {value:,.10g}" for key, value in values.items())
        for name, values in (*own, ("account", asdict(report.params.account)))
    ]
    return Section("Risk parameters", f"Scenario book: {_books(report)}.", points=points)


def _positions(report: AccountReport) -> Section:
    header = ("position", "quantity", "value", "delta", "gamma", "vega per vol point", "theta per day")
    rows = [
        (
            leg.label, f"{leg.quantity:,.6g}", money(leg.value), f"{leg.delta:,.4f}", f"{leg.gamma:,.6f}",
            money(leg.vega / 100.0), money(leg.theta / 365.0),
        )
        for leg in report.legs
    ]  # fmt: skip
    greeks = [
        (
            f"{name} {_expiry(e.expiry_ts)}",
            f"{e.delta:,.4f}",
            f"{e.gamma:,.6f}",
            money(e.vega / 100.0),
            money(e.theta / 365.0),
        )
        for name, u in report.margin.underlyings.items()
        for e in u.expiries
        if any((e.delta, e.gamma, e.vega, e.theta))
    ]
    by_expiry = ("greeks by expiry", "delta", "gamma", "vega per vol point", "theta per day")
    cash = f"Cash {money(report.portfolio.cash)}, mode {report.portfolio.mode.name}."
    return Section("Positions and greeks", cash, tables=(Table(header, rows), Table(by_expiry, greeks)))


def _expiry(ts: int) -> str:
    return day_of(ts) if ts else "no expiry"


def _risk_section(report: AccountReport) -> Section:
    risk = report.risk
    if risk is None:
        return Section("Value at risk", "Not computed: no price history.")
    rows = [
        (r.method, money(r.var), money(r.es), str(r.scenarios or "closed form"), "; ".join(r.warnings))
        for r in risk.results.values()
    ]
    table = Table(("method", "VaR", "ES", "scenarios", "assumed"), rows, wide=(0, 4))
    main = risk.results.get("filtered") or next(iter(risk.results.values()))
    figure = bars_figure(
        [leg.label for leg in risk.legs], [float(x) for x in main.component_es], "share of ES, cash", losses=True
    )
    text = (
        f"Loss that is not exceeded with {percent(risk.settings.level)} over {days(risk.settings.horizon_days)}, "
        f"positions unchanged; whiskers are {percent(risk.settings.confidence)} confidence intervals. Below: what each "
        f"position adds to expected shortfall ({main.method.split(':')[0]}); a blue bar hedges."
    )
    if risk.history is not None:
        text += f" {risk.history.sentence}."
    drawn = risk_figure(
        list(risk.results),
        [r.var for r in risk.results.values()],
        [r.es for r in risk.results.values()],
        ([r.var_interval for r in risk.results.values()], [r.es_interval for r in risk.results.values()]),
    )
    return Section("Value at risk and expected shortfall", text, (drawn, figure), (table,))


def _stress_section(report: AccountReport) -> Section:
    rows = [
        (
            c.scenario.name,
            ", ".join(f"{u} {s.price:+.1%}" for u, s in c.scenario.shocks.items()),
            money(c.pnl), money(c.equity), money(c.maintenance_margin), c.state,
        )
        for c in report.crashes
    ]  # fmt: skip
    tables = [Table(("crash", "moves", "P&L", "equity", "maintenance", "state"), rows)] if rows else []
    reverse = [
        (
            r.threshold,
            "not within the search" if r.size is None else f"{r.size:.2f} ranges",
            "" if r.size is None else ", ".join(f"{u} {s.price:+.1%} vol {s.vol:+.0%}" for u, s in r.moves.items()),
        )
        for r in report.reverse
    ]
    tables.append(Table(("smallest joint move that reaches", "size", "moves"), reverse))
    text = (
        "Past crashes on today's book, from the close before to the low, every asset at its own low at once; "
        "volatilities rise by half unless the history has them. Then the smallest joint move of prices and vols "
        "to each threshold."
    )
    figures = (
        [bars_figure([c.scenario.name for c in report.crashes], [c.pnl for c in report.crashes], "P&L, cash")]
        if rows
        else []
    )
    return Section("Stress", text, figures, tables)


def _correlation_section(report: AccountReport) -> list[Section]:
    found = report.breakdown
    if found is None:
        return []
    rows = [
        ("estimated" if p.correlation is None else f"{p.correlation:+g}", money(p.var), money(p.es))
        for p in found.points
    ]
    text = (
        "Monte-Carlo figures with every correlation between prices replaced; those with volatilities stay as "
        f"estimated. Maintenance: CROSS {money(found.cross)}, SINGLE {money(found.single)}; of it, all underlyings at "
        f"their own worst row at once: {money(found.separate)}."
    )
    return [Section("If correlations break down", text, tables=(Table(("correlation", "VaR", "ES"), rows),))]


def _models_section(report: AccountReport) -> Section:
    rows = [
        (
            line.margin.model, money(line.margin.initial), money(line.margin.maintenance),
            money(line.market_equity - line.margin.initial), line.evidence,
        )
        for line in report.models
    ]  # fmt: skip
    table = Table(("model", "initial", "maintenance", "excess over initial", "formula"), rows, wide=(4,))
    text = "The same account under the public formulas of other venues: market equity that must be there."
    margins = [line.margin for line in report.models]
    figure = models_figure([m.model for m in margins], [m.initial for m in margins], [m.maintenance for m in margins])
    return Section("Margin models side by side", text, (figure,), (table,))


def _margin_sections(report: AccountReport) -> list[Section]:
    """Show equity against requirements, positions, and what the requirement is made of, row by row."""
    held = [name for name, u in report.margin.underlyings.items() if any(row.pnl for row in u.rows)]
    worst = ", ".join(
        f"{name}: {row_label(u.rows[u.worst_row])}, vol {u.rows[u.worst_row].vol}, {money(u.rows[u.worst_row].pnl)}"
        for name, u in report.margin.underlyings.items()
        if name in held
    )
    return [
        Section(
            "Equity against requirements",
            "Initial margin is needed to open, maintenance to stay.",
            (_margin_figure(report),),
        ),
        _positions(report),
        Section(
            "What the requirement is made of",
            "Per underlying; the short option minimum takes over where it is larger.",
            (_component_figure(report),),
        ),
        Section(
            "Scenario rows",
            f"P&L of every row of the scenario book. Worst rows: {worst}.",
            [scenario_figure(n, report.margin.underlyings[n].rows) for n in held],
        ),
    ]


def _moved_sections(report: AccountReport) -> list[Section]:
    """Show what becomes of the account when prices move."""
    return [
        Section(
            "Equity and requirements if all prices move",
            "At once, volatilities unchanged. Below the dashed line positions may only shrink, below the dotted one "
            "they are auctioned.",
            (_profile_figure(report),),
        ),
        Section(
            "Distance to liquidation",
            "Equity less maintenance margin over price, volatility and time; red is liquidatable.",
            (liquidation_figure(report.surface),),
        ),
    ]


def _notes(report: AccountReport) -> Section:
    """Say what is left out, and where the figures come from."""
    own = "Figures by the float mirror of the contracts; seeds and settings are in the JSON file."
    return Section("Notes", notes=(*report.notes, own))


def account_page(report: AccountReport) -> str:
    """Build the page of an account report.

    Parameters
    ----------
    report : AccountReport

    Returns
    -------
    str
        A whole HTML document without references to a network.
    """
    sections = [
        Section("In short", points=_summary(report)),
        *_margin_sections(report),
        *_moved_sections(report),
        _risk_section(report),
        _stress_section(report),
        *_correlation_section(report),
        _models_section(report),
        _parameter_section(report),
        _notes(report),
    ]
    subtitle = f"{_time(report.market.ts)}; spot " + ", ".join(
        f"{name} {round_.spot:,.2f}" for name, round_ in report.market.rounds.items()
    )
    return page_of(f"Risk report: {report.name}", subtitle, _tiles(report), _alerts(report), sections)
