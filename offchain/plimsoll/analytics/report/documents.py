"""Pages of the other commands, built from the very document that is written beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from plimsoll.analytics.report.drawing.colours import COLOURS
from plimsoll.analytics.report.figures import (
    bars_figure,
    columns_figure,
    liquidation_figure,
    models_figure,
    risk_figure,
)
from plimsoll.analytics.report.page import Section, Table, Tile, layout, money, page_of, percent
from plimsoll.analytics.stress.surface import SurfacePoint
from plimsoll.errors import InputError

Document = Mapping[str, Any]
#: Entries that are cash.
CASH: Final = frozenset({
    "var", "es", "componentVar", "componentEs", "incrementalVar", "incrementalEs", "pnl", "loss", "equity",
    "marketEquity", "initialMargin", "maintenanceMargin", "excessInitial", "cost", "released", "limitPrice", "mark",
})  # fmt: skip
SPELT: Final = {
    "var": "VaR", "es": "ES", "pnl": "P&L", "varInterval": "VaR interval", "esInterval": "ES interval",
    "componentVar": "component VaR", "componentEs": "component ES", "marginalVar": "marginal VaR",
    "marginalEs": "marginal ES", "incrementalVar": "incremental VaR", "incrementalEs": "incremental ES",
}  # fmt: skip
INTERVALS: Final = ("varInterval", "esInterval")
#: Documents whose notes are shown below everything else; others show their own.
NOTED: Final = ("plimsoll.risk/1", "plimsoll.varBacktest/1")
#: Smaller probabilities are not told apart.
SMALL: Final = 1e-4


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1_000.0 else money(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_cell(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_cell(part) for part in value)
    return str(value)


def _figure(name: str, value: Any) -> str:
    """Show one entry of a document: cash by its name, an interval from end to end."""
    if name.endswith("Interval") and value is not None:
        return " to ".join(money(end) for end in value)
    return money(value) if name in CASH and isinstance(value, float) else _cell(value)


def _words(name: str) -> str:
    """Turn ``excessInitial`` into words."""
    if name in SPELT:
        return SPELT[name]
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[1].lower()}", name)


def _records(records: Sequence[Mapping[str, Any]], wide: Sequence[str] = (), skip: Sequence[str] = ()) -> list[Table]:
    """Show a list of records as one table."""
    if not records:
        return []
    header = [name for name in records[0] if name not in skip]
    rows = [[_figure(name, record.get(name)) for name in header] for record in records]
    return [Table([_words(name) for name in header], rows, [header.index(name) for name in wide if name in header])]


def _compare(document: Document) -> list[Section]:
    models = document["models"]
    figure = models_figure(
        [m["model"] for m in models],
        [m["initialRequirement"] for m in models],
        [m["maintenanceRequirement"] for m in models],
    )
    parts = [Table((m["model"], "cash"), [(_words(k), money(v)) for k, v in m["components"].items()]) for m in models]
    tables = _records(models, skip=("components", "evidence", "source", "notes"))
    facts = [{name: m[name] for name in ("model", "evidence", "source", "notes")} for m in models]
    said = _records(facts, wide=("evidence", "source", "notes"))
    text = "Market equity that must be there: cash, marks and collateral without haircuts."
    return [
        Section("Requirements", text, (figure,), tables),
        Section("Components", tables=parts),
        Section("Where the formulas come from", tables=said),
    ]


def _risk(document: Document) -> list[Section]:
    methods = document["methods"]
    names = list(methods)
    var, es, var_spans, es_spans = ([methods[n][key] for n in names] for key in ("var", "es", *INTERVALS))
    figure = risk_figure(names, var, es, (var_spans, es_spans))
    rows = [{**methods[n], "scenarios": methods[n]["scenarios"] or "closed form"} for n in names]
    sections = [Section("By method", figures=(figure,), tables=_records(rows, ("method", "warnings"), ("positions",)))]
    for name in names:
        if "positions" in methods[name]:
            held = methods[name]["positions"]
            labels, parts = [p["position"] for p in held], [p["componentEs"] for p in held]
            share = bars_figure(labels, parts, "share of ES, cash", losses=True)
            sections.append(Section(f"Contributions: {name}", figures=(share,), tables=_records(held)))
    return sections


def _moves(moves: Mapping[str, Mapping[str, float]]) -> str:
    return "; ".join(f"{name} {m['price']:+.1%}, vol {m['vol']:+.0%}" for name, m in moves.items())


def _stress(document: Document) -> list[Section]:
    sections = []
    found = document["scenarios"]
    if found:
        figure = bars_figure([s["name"] for s in found], [s["pnl"] for s in found], "P&L, cash")
        short = [{**s, "moves": _moves(s["moves"])} for s in found]
        kept = _records(short, wide=("moves",), skip=("source", "hours", "marketEquity"))
        sources = dict.fromkeys(f"{s['source'] or s['name']}, after {s['hours']:g} hours" for s in found)
        sections.append(Section("Scenarios", figures=(figure,), tables=kept, notes=list(sources)))
    if document["reverse"]:
        lines = [
            (
                r["threshold"],
                f"{r['size']:.3f} ranges" if r["reached"] else f"none up to {r['searchedTo']:g} ranges",
                _moves(r["moves"]),
            )
            for r in document["reverse"]
        ]
        reached = Table(("threshold", "smallest joint move", "moves"), lines, wide=(2,))
        sections.append(Section("Smallest joint move to each threshold", tables=[reached]))
    if document["surface"]:
        text = "Equity less maintenance margin; below zero is liquidatable."
        points = [SurfacePoint(**point) for point in document["surface"]]
        sections.append(Section("Liquidation surface", text, (liquidation_figure(points),)))
    if document["correlations"]:
        table = _records(document["correlations"]["points"], wide=("warnings",))
        sections.append(Section("Other correlations of prices", tables=table))
    return sections


def _limit_name(name: str) -> str:
    """Turn ``initialWorst`` into words."""
    return _words(name).replace(" close", ", close").replace(" worst", ", worst")


def _probability(value: float) -> str:
    return f"{value:.4f}" if value >= SMALL else f"below {SMALL:g}"


def _verdicts(document: Document) -> Section:
    """Say for every limit whether it held, the failures first."""
    failed, held = [], []
    for asset, found in document["assets"].items():
        for name, t in found["limits"].items():
            line = (
                f"{asset} {_limit_name(name)}: a move of {percent(t['limit'])} was exceeded on {t['count']} of "
                f"{t['observations']} blocks of {t['horizonHours']:g} hours, {t['expected']:.1f} expected"
            )
            if t["passes"]:
                held.append(f"{line}: passes.")
            else:
                failed.append(f"{line}: FAILS ({t['trafficLight']}).")
    text = (
        "Close: move from close to close. Worst: to the furthest high or low from the close before, what a liquidator "
        "meets. Passes: not too many days beyond at 5%, expected shortfall not rejected, traffic light green. "
        "Independence is reported but not part of it."
    )
    return Section("Where the range holds, and where it does not", text, points=[*failed, *held])


def _days_beyond(limits: Mapping[str, Any]) -> Any:
    """Every block beyond the tightest limit by date, and the limits as lines."""
    import plotly.graph_objects as go

    figure = go.Figure()
    name, tightest = min(limits.items(), key=lambda item: (item[1]["limit"], "Worst" not in item[0]))
    days_out = tightest["exceedances"]
    figure.add_bar(
        name=f"move, {_limit_name(name)}",
        x=[e["date"] for e in days_out],
        y=[100.0 * e["move"] for e in days_out],
        width=6 * 86_400_000,
    )
    for level, colour in ((t["limit"], COLOURS[4 if "initial" in n else 1]) for n, t in limits.items()):
        for sign in (-1.0, 1.0):
            figure.add_hline(y=100.0 * sign * level, line={"color": colour, "dash": "dot", "width": 1})
    figure.update_yaxes(title="move, %")
    return layout(figure, 320, showlegend=False)


def _dates_beyond(limits: Mapping[str, Any]) -> Table:
    """One line a day: its furthest move, and the limits that it passed."""
    passed: dict[str, list[str]] = {}
    furthest: dict[str, float] = {}
    for name, t in limits.items():
        for e in t["exceedances"]:
            passed.setdefault(e["date"], []).append(_limit_name(name))
            furthest[e["date"]] = max(furthest.get(e["date"], 0.0), e["move"], key=abs)
    rows = [(day, f"{furthest[day]:+.1%}", "; ".join(passed[day])) for day in sorted(passed)]
    return Table(("date", "furthest move", "beyond"), rows, wide=(2,))


def _backtest(document: Document) -> list[Section]:
    sections = [_verdicts(document)]
    for asset, found in document["assets"].items():
        limits = found["limits"]
        counts = {
            "beyond": [t["count"] for t in limits.values()],
            "expected": [t["expected"] for t in limits.values()],
        }
        rows = [
            (
                _limit_name(name), percent(t["limit"]), str(t["observations"]), f"{t['expected']:.1f}", str(t["count"]),
                *(_probability(t[key]["pValue"]) for key in ("kupiec", "independence", "shortfall")),
                t["trafficLight"], _cell(t["passes"]),
            )
            for name, t in limits.items()
        ]  # fmt: skip
        header = (
            "limit",
            "move",
            "blocks",
            "expected",
            "beyond",
            "Kupiec p",
            "independence p",
            "ES p",
            "light",
            "passes",
        )
        cycle = [
            (rule, *(f"{values[key]:.2f}" for key in ("peakToTrough", "rise1", "rise5", "rise20")))
            for rule, values in found["procyclicality"].items()
        ]
        moved = ("procyclicality of the rule", "peak over trough", "rise in 1 block", "in 5", "in 20")
        bars = columns_figure([_limit_name(name) for name in limits], counts, "blocks")
        sections.append(Section(asset, figures=(bars,), tables=[Table(header, rows), Table(moved, cycle)]))
        if any(t["exceedances"] for t in limits.values()):
            beyond = Section(f"{asset}: moves beyond", figures=(_days_beyond(limits),), tables=[_dates_beyond(limits)])
            sections.append(beyond)
    return sections


def _rule_backtest(document: Document) -> list[Section]:
    sections = []
    text = (
        f"{document['first']} to {document['last']}, coverage {document['coverage']}, a grace of "
        f"{document['graceSec']} seconds after a raise. "
        "Days whose furthest price went beyond a margin, and how the range moved."
    )
    for asset, found in document["assets"].items():
        rows = [
            {
                "callers": callers, "expected": test["initial"]["expected"],
                "beyond initial": test["initial"]["count"], "beyond maintenance": test["maintenance"]["count"],
                "beyond maintenance in grace": test["maintenanceInGrace"]["count"],
                **{key: value for key, value in test.items() if not isinstance(value, Mapping)},
            }
            for callers, test in found.items()
        ]  # fmt: skip
        sections.append(Section(asset, text, (), _records(rows)))
    return sections


def _chain_backtest(document: Document) -> list[Section]:
    sections = []
    for asset, found in document["assets"].items():
        books = found["books"]
        figure = columns_figure(
            list(books),
            {"largest loss": [b["largestLossOverMaintenance"] for b in books.values()]},
            "of maintenance margin",
        )
        figure.add_hline(y=1.0, line={"color": COLOURS[4], "dash": "dot"})
        short = [
            {
                "book": name, "beyond initial": b["initial"]["count"], "beyond maintenance": b["maintenance"]["count"],
                "expected": b["maintenance"]["expected"], "largest": b["largestLossOverMaintenance"],
                **b["procyclicality"], "passes": b["initial"]["passes"] and b["maintenance"]["passes"],
            }
            for name, b in books.items()
        ]  # fmt: skip
        text = f"{found['pairs']} days, {found['first']} to {found['last']}, {found['skipped']} left out."
        sections.append(Section(asset, text, (figure,), _records(short)))
    return sections


def _var_backtest(document: Document) -> list[Section]:
    """Show what each method got right, the days beyond it, and its verdict in words."""
    methods = document["methods"]
    points = [f"{name} {'passes' if m['passes'] else 'FAILS'}: {m['verdict']}." for name, m in methods.items()]
    counts = {
        "beyond": [m["count"] for m in methods.values()],
        "expected": [m["expected"] for m in methods.values()],
    }
    rows = [
        (
            name, money(m["meanVar"]), money(m["meanEs"]),
            str(m["observations"]), f"{m['expected']:.1f}", str(m["count"]),
            *(_probability(m[key]["pValue"]) for key in ("kupiec", "independence", "conditionalCoverage", "shortfall")),
            m["trafficLight"], _cell(m["passes"]),
        )
        for name, m in methods.items()
    ]  # fmt: skip
    header = (
        "method", "mean VaR", "mean ES", "days", "expected", "beyond", "Kupiec p", "independence p", "both p", "ES p",
        "light", "passes",
    )  # fmt: skip
    text = (
        f"Today's book in today's market, moved as each day from {document['first']} to {document['last']} moved; "
        f"{document['window']} days behind each forecast. Passes: not too many days beyond the VaR, not clustered, and "
        "losses beyond it no larger than expected shortfall says, each at 5%."
    )
    beyond = [
        Section(f"{name}: days beyond", tables=_records(m["exceedances"])) for name, m in methods.items() if m["count"]
    ]
    bars = columns_figure(list(methods), counts, "days")
    return [Section("How far to believe each method", text, (bars,), [Table(header, rows)], points=points), *beyond]


def _cascade(document: Document) -> list[Section]:
    rounds = document["rounds"]
    names = [str(i) for i in range(len(rounds))]
    path = columns_figure(names, {"move": [100.0 * r["move"] for r in rounds]}, "move since the start, %")
    flows = {"hedging": [r["hedging"] for r in rounds], "liquidations": [r["liquidationTrades"] for r in rounds]}
    figures = (path, columns_figure(names, flows, "trades, cash", stacked=True))
    rest = "The price rests." if document["settled"] else "The price does not rest within the model's range."
    text = f"{rest} The shock is amplified {document['amplification']:.3f} times."
    return [Section("Rounds", text, figures, _records(rounds, wide=("liquidated", "insolvent")))]


def _optimise(document: Document) -> list[Section]:
    sides = [document["before"], document["after"]]
    keys = ("equity", "initialMargin", "maintenanceMargin", "excessInitial")
    figure = columns_figure(["before", "after"], {_words(key): [side[key] for side in sides] for key in keys}, "cash")
    text = (
        f"Equity less initial margin rises by {money(document['released'])}, after a cost of {money(document['cost'])}."
    )
    tables = [
        *_records(document["trades"], skip=("underlying", "kind", "expiry", "strike")),
        *_records([{"side": n, **s} for n, s in zip(("before", "after"), sides, strict=True)], skip=("greeks",)),
    ]
    return [Section("Trades", text, (figure,), tables, document["notes"])]


def _calibrate(document: Document) -> list[Section]:
    params = document["params"]
    named = {key: value for key, value in params.items() if key != "schema"}
    assets = list(document["reasons"])
    rows = [
        (_words(key), *(_cell(value.get(name)) if isinstance(value, Mapping) else _cell(value) for name in assets))
        for key, value in named.items()
    ]
    text = "All that the parameter file holds. Test it with backtest --params, take it to the contracts with propose."
    return [
        Section("Proposed parameters", text, tables=[Table(("parameter", *assets), rows)]),
        *(Section(f"{name}: why", points=reasons) for name, reasons in document["reasons"].items()),
    ]


PAGES: Final[Mapping[str, tuple[str, Callable[[Document], list[Section]]]]] = {
    "plimsoll.compare/1": ("Margin models side by side", _compare),
    "plimsoll.risk/1": ("Value at risk and expected shortfall", _risk),
    "plimsoll.varBacktest/1": ("Back-test of value at risk", _var_backtest),
    "plimsoll.stress/1": ("Stress", _stress),
    "plimsoll.backtest/1": ("Back-test of the scan range", _backtest),
    "plimsoll.ruleBacktest/1": ("Back-test of the rule of ranges", _rule_backtest),
    "plimsoll.chainBacktest/1": ("Back-test over option chains", _chain_backtest),
    "plimsoll.cascade/1": ("Cascade", _cascade),
    "plimsoll.optimise/1": ("Suggested trades", _optimise),
    "plimsoll.calibration/1": ("Calibration", _calibrate),
}


def document_page(document: Document) -> str:
    """Build the page of a document that a command prints.

    Parameters
    ----------
    document : mapping

    Returns
    -------
    str
        A whole HTML document without references to a network.

    Raises
    ------
    InputError
        When there is no page for its schema.
    """
    schema = str(document.get("schema"))
    if schema not in PAGES:
        raise InputError("--html", f"there is no page for {schema}")
    title, sections = PAGES[schema]
    plain = {k: v for k, v in document.items() if isinstance(v, str | int | float) and k != "schema"}
    tiles = [Tile(_words(name), _figure(name, value)) for name, value in plain.items()]
    notes = [Section("Notes", notes=document["notes"])] if document.get("notes") and schema in NOTED else []
    return page_of(title, "", tiles, _warned(document), [*sections(document), *_prices(document), *notes])


def _prices(document: Document) -> list[Section]:
    """Say which prices the figures rest on, where a document rests on any."""
    found = document.get("history")
    if not found:
        return []
    rows = [(_words(name), _cell(value)) for name, value in found.items() if name != "warnings"]
    return [Section("Prices behind the figures", tables=[Table(("prices", ""), rows, wide=(1,))])]


def _warned(document: Document) -> list[str]:
    """Say above everything else what is wrong with the prices, and what could not be computed."""
    found = list((document.get("history") or {}).get("warnings", ()))
    return found + [f"{name} is missing: {why}" for name, why in (document.get("failed") or {}).items()]
