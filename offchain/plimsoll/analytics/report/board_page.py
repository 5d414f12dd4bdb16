"""The board page: one sheet of A4 about one account, made for print and readable on a screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from plimsoll.analytics.explain.liquidation import LiquidationPrice
from plimsoll.analytics.report.account_page import TONES
from plimsoll.analytics.report.board import Board, RangeLine
from plimsoll.analytics.report.figures import row_label
from plimsoll.analytics.report.page import Section, Table, Tile, days, money, page_of, percent
from plimsoll.analytics.stress.shock import Shock
from plimsoll.mirror.margin_engine import HEALTHY, MarginResult

#: Lines of a table that the sheet has room for; the document holds all.
MOST: Final = 5

#: Everything on one sheet: small type, two columns, no cards.
STYLE: Final = """
main{max-width:1040px}@media(min-width:900px){.tiles{grid-template-columns:repeat(6,1fr)}}
.tile b{font-size:18px}.tile b.long{font-size:14px}
@page{size:A4;margin:10mm 12mm}
@media print{body{font-size:10.6px;line-height:1.4}h1{font-size:18px}h2{font-size:12px}.sub{margin:0 0 6px}
.tiles{grid-template-columns:repeat(6,1fr);margin:6px 0;gap:5px}.tile{padding:4px 6px}.tile b{font-size:12.5px}
.tile b.long{font-size:10.5px}.tile span{font-size:8.5px}section{padding:6px 0 0;margin:7px 0 0}
section p{max-width:none;margin:1px 0 3px}.scroll{margin-top:4px}table{font-size:10px}td,th{padding:2px 4px}
ul{margin:2px 0 0;padding-left:14px}.note{font-size:9px}ul.alert{margin:2px 0 0}}
"""


def _time(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _passes(passed: bool) -> str:
    return "passes" if passed else "FAILS"


def _left_out(count: int, what: str) -> tuple[str, ...]:
    return (f"{count - MOST} more {what} are in the JSON file.",) if count > MOST else ()


def _ranges(board: Board) -> Section:
    shown = sorted(board.ranges, key=lambda line: -max(line.requirement_before, line.requirement_after))
    rows = [_range_row(line) for line in shown[:MOST]]
    rows += [_account_row(board, f"{name} margin", f"{name}_margin") for name in ("initial", "maintenance")]
    after = board.sources.proposed
    header = ("", "range", "days beyond", "requirement", f"range, {after}", "days beyond", "requirement", "change")
    test = board.ranges[0].test_before
    text = (
        f"In force ({board.sources.params}) and {after}. Days beyond: of {test.observations}, on which the furthest "
        f"price was further than the range; {test.expected:.1f} are expected at a coverage of "
        f"{percent(board.coverage)}. Requirements in cash; those of underlyings are before the factors of the account."
    )
    return Section(
        "Ranges before and after calibration",
        text,
        tables=(Table(header, rows),),
        notes=_left_out(len(shown), "underlyings"),
    )


def _range_row(line: RangeLine) -> Sequence[str]:
    sides = (
        (line.before, line.test_before, line.requirement_before),
        (line.after, line.test_after, line.requirement_after),
    )
    cells = [
        text
        for price_range, test, requirement in sides
        for text in (percent(price_range), f"{len(test.exceedances)}, {_passes(test.passes)}", money(requirement))
    ]
    return (line.underlying, *cells, _change(line.requirement_before, line.requirement_after))


def _account_row(board: Board, label: str, field: str) -> Sequence[str]:
    before, after = (float(getattr(side, field)) for side in (board.before, board.after))
    return (label, "", "", money(before), "", board.after.state, money(after), _change(before, after))


def _change(before: float, after: float) -> str:
    return f"{after / before - 1.0:+.1%}" if before > 0.0 else ""


def _risk(board: Board) -> Section:
    settings = board.risk.settings
    rows = []
    for name, result in board.risk.results.items():
        judged = board.judged.results.get(name)
        verdict = ("", "", "not judged")
        if judged is not None:
            verdict = (
                str(len(judged.exceedances)),
                f"{judged.expected:.1f}",
                f"{_passes(judged.passes)}: {judged.verdict.partition('; ')[2]}",
            )
        rows.append((name, money(result.var), money(result.es), *verdict))
    header = ("method", "VaR", "ES", "days beyond", "expected", "verdict of the back-test")
    text = (
        f"Loss not exceeded with {percent(settings.level)} over {days(settings.horizon_days)}, cash, positions "
        f"unchanged. Back-test over one day: {board.judged.first} to {board.judged.last}."
    )
    failed = {**board.judged.failed, **board.risk.failed}
    notes = [f"{name} is missing: {why}" for name, why in failed.items()]
    return Section("Value at risk and expected shortfall", text, tables=(Table(header, rows, wide=(5,)),), notes=notes)


def _moved(name: str, shock: Shock) -> str:
    return f"{name} {shock.price:+.1%}, vol {shock.vol:+.0%}"


def _scenarios(board: Board) -> Section:
    rows = [
        (
            found.scenario.name, "; ".join(_moved(u, s) for u, s in found.scenario.shocks.items()), money(found.pnl),
            money(found.equity), found.state,
        )
        for found in board.crashes[:MOST]
    ]  # fmt: skip
    rows += [
        (
            f"row of the book, {name}",
            f"{row_label(u.rows[u.worst_row])}, vol {u.rows[u.worst_row].vol}",
            money(u.rows[u.worst_row].pnl),
            "",
            "",
        )
        for name, u in list(board.before.underlyings.items())[:MOST]
        if u.requirement > 0.0
    ]
    text = (
        "The costliest past crashes on today's book, every asset at its own low at once, then the worst rows of the "
        "scenario book."
    )
    header = ("scenario", "moves", "P&L", "equity after", "state after")
    return Section("Worst scenarios", text, tables=(Table(header, rows, wide=(1,)),))


def _liquidation(board: Board) -> Section:
    by_name: dict[str, dict[str, LiquidationPrice]] = {}
    for found in board.liquidation:
        by_name.setdefault(found.underlying, {})[found.side] = found
    rows = [
        (
            name, f"{sides['down'].spot:,.2f}",
            *(_price(price, one.spot) for one in _sides(sides) for price in (one.price_alone, one.with_vol)),
        )
        for name, sides in list(by_name.items())[:MOST]
    ]  # fmt: skip
    header = ("underlying", "spot", "falls to", "with volatility", "rises to", "with volatility")
    text = (
        "Prices at which equity falls below maintenance margin, the other underlyings standing still; with volatility: "
        "it rises by its scenario move for every price range. " + _joint(board)
    )
    return Section(
        "Liquidation prices", text, tables=(Table(header, rows),), notes=_left_out(len(by_name), "underlyings")
    )


def _sides(found: dict[str, LiquidationPrice]) -> tuple[LiquidationPrice, LiquidationPrice]:
    return found["down"], found["up"]


def _price(price: float | None, spot: float) -> str:
    return "out of reach" if price is None else f"{price:,.2f} ({price / spot - 1.0:+.1%})"


def _joint(board: Board) -> str:
    found = next(r for r in board.reverse if r.threshold == "maintenance")
    if found.size is None:
        return "No joint move within the search liquidates it."
    if found.size == 0.0:
        return "It can be liquidated now."
    moves = "; ".join(f"{u} {s.price:+.1%} with vol {s.vol:+.0%}" for u, s in found.moves.items())
    return f"The smallest joint move that does: {moves}."


def _provenance(board: Board) -> Section:
    s = board.sources
    points = [
        f"Account {board.name}, mode {board.portfolio.mode.name}; portfolio {s.portfolio}; market {s.market}, as of "
        f"{_time(board.market.ts)}; parameters in force {s.params}, proposed {s.proposed}.",
        f"Prices: {board.history.sentence}. Seed {board.risk.settings.seed}.",
        f"Computed {_time(s.run_ts)} by plimsoll {s.version}, the float mirror of the contracts; every figure is in "
        "the JSON file of the same name.",
        *board.notes,
    ]
    return Section("Where this comes from", notes=points)


def _tiles(board: Board) -> list[Tile]:
    m: MarginResult = board.before
    tone = TONES[m.state]
    return [
        Tile("state", m.state, tone),
        Tile("equity", money(m.equity)),
        Tile("cash", money(board.portfolio.cash)),
        Tile("initial margin", money(m.initial_margin)),
        Tile("maintenance margin", money(m.maintenance_margin)),
        Tile("free above initial", money(m.equity - m.initial_margin), tone),
    ]


def _alerts(board: Board) -> list[str]:
    found = list(board.history.warnings)
    if board.before.state != HEALTHY:
        found.append(f"the account is in state {board.before.state}")
    if board.after.state not in (board.before.state, HEALTHY):
        found.append(f"under {board.sources.proposed} it would be in state {board.after.state}")
    found += [
        f"the range of {line.underlying} in force fails its back-test"
        for line in board.ranges
        if not line.test_before.passes
    ]
    return found


def board_page(board: Board) -> str:
    """Build the page.

    Parameters
    ----------
    board : Board

    Returns
    -------
    str
        A whole HTML document that prints on one sheet of A4 and loads nothing.
    """
    spots = list(board.market.rounds.items())
    subtitle = f"{_time(board.market.ts)}; spot " + ", ".join(f"{name} {r.spot:,.2f}" for name, r in spots[:MOST])
    sections = [_ranges(board), _risk(board), _scenarios(board), _liquidation(board), _provenance(board)]
    return page_of(f"Board page: {board.name}", subtitle, _tiles(board), _alerts(board), sections, style=STYLE)
