"""The dashboard of ``plimsoll watch``: a terminal application over views that somebody hands in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Footer, Header, Static

from plimsoll.analytics.stress.watch import WatchView
from plimsoll.errors import PlimsollError
from plimsoll.mirror.margin_engine import RowPnl
from plimsoll.params import VOL_NAMES

#: Characters of a bar, in a narrow terminal and in a wide one.
SHORT_BAR: Final = 28
BAR: Final = 40
#: Columns below which one table is shown at a time, and rows below which there is no title line.
NARROW: Final = 96
LOW: Final = 30
STYLES: Final = {"healthy": "green", "margin call": "yellow", "liquidatable": "red", "insolvent": "bold red"}


def gauge(view: WatchView, bar: int = BAR) -> Text:
    """Draw equity, initial and maintenance margin as bars of one scale, the largest ``bar`` characters long."""
    m = view.margin
    values = (
        ("equity", m.equity, "blue"),
        ("initial", m.initial_margin, "yellow"),
        ("maintenance", m.maintenance_margin, "red"),
    )
    most = max(1e-9, *(value for _, value, _ in values))
    text = Text()
    text.append("portfolio file  " if view.account is None else f"account {view.account}  ")
    text.append(m.state, style=STYLES[m.state])
    text.append("\n" if view.account is None else f"  block {view.block}\n")
    spots = ", ".join(f"{name} {round_.spot:,.2f}" for name, round_ in view.market.rounds.items())
    text.append(f"{datetime.fromtimestamp(view.market.ts, UTC):%Y-%m-%d %H:%M} UTC  {spots}\n", style="dim")
    for name, value, colour in values:
        filled = round(bar * max(0.0, value) / most)
        text.append(f"{name:<12}")
        text.append("█" * filled, style=colour)
        text.append("·" * (bar - filled), style="dim")
        text.append(f" {value:,.2f}\n")
    text.append(f"{'excess':<12}{m.equity - m.initial_margin:,.2f} over initial, ")
    text.append(f"{m.equity - m.maintenance_margin:,.2f} over maintenance\n")
    text.append(f"{'liquidation':<12}{_move(view.down)} down, {_move(view.up)} up (all prices at once)")
    return text


def _move(move: float | None) -> str:
    if move is None:
        return "none within 75 %"
    return "now" if move == 0.0 else f"{move:+.1%}"


def alert_text(view: WatchView) -> Text:
    """List the alerts."""
    if not view.alerts:
        return Text("no alerts", style="green")
    return Text("\n".join(f"! {alert}" for alert in view.alerts), style="bold red")


def row_label(row: RowPnl) -> str:
    """Name a line of the heat map: price, and weight beyond the range."""
    return f"{row.price:+.1%}" if row.weight == 1.0 else f"{row.price:+.0%} x{row.weight:.2f}"


def heat(pnl: float, most: float) -> Text:
    """Colour a P&L by its share of the largest one."""
    depth = round(150 * min(1.0, abs(pnl) / most)) if most > 0.0 else 0
    colour = f"rgb({50 + depth},40,40)" if pnl < 0.0 else f"rgb(40,{50 + depth},40)"
    return Text(f"{pnl:>8,.0f}", style=f"white on {colour}")


class Dashboard(App[None]):
    """Equity against requirements, greeks per expiry, scenario heat map, distance to liquidation, alerts.

    Parameters
    ----------
    look : callable
        Returns a new view; a PlimsollError is shown, and the last view stays.
    interval_sec : float
        Seconds between looks.
    """

    TITLE = "plimsoll watch"
    CSS = """
    #top { height: auto; }
    #gauge { width: 2fr; border: round $primary; padding: 0 1; }
    #alerts { width: 1fr; height: 100%; border: round $success; padding: 0 1; }
    #alerts.-raised { border: round $error; }
    #greeks { width: 56; height: 100%; border: round $primary; }
    #heat { width: 1fr; height: 100%; border: round $primary; }
    #problem { height: auto; display: none; color: $error; padding: 0 1; }
    #problem.-shown { display: block; }
    .-low Header { display: none; }
    .-narrow #top { layout: vertical; }
    .-narrow #gauge { width: 1fr; }
    .-narrow #alerts { width: 1fr; height: auto; max-height: 5; display: none; }
    .-narrow #alerts.-raised { display: block; }
    .-narrow #greeks { width: 1fr; }
    .-narrow #heat { display: none; }
    .-narrow.-turned #greeks { display: none; }
    .-narrow.-turned #heat { display: block; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        ("q", "quit", "Quit"),
        ("r", "refresh", "Refresh"),
        ("u", "underlying", "Underlying"),
        ("t", "turn", "Greeks/scenarios"),
    ]

    def __init__(self, look: Callable[[], WatchView], interval_sec: float = 5.0) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-high")]
        self._look, self._interval_sec = look, interval_sec
        self.view: WatchView | None = None
        self.chosen = 0

    def compose(self) -> ComposeResult:
        """Lay out the widgets."""
        yield Header(show_clock=True)
        yield Static("", id="problem")
        with Vertical():
            with Horizontal(id="top"):
                yield Static("waiting for the first look", id="gauge")
                yield Static("", id="alerts")
            with Horizontal():
                yield DataTable(id="greeks", cursor_type="none", zebra_stripes=True)
                yield DataTable(id="heat", cursor_type="none")
        yield Footer()

    def on_mount(self) -> None:
        """Look at once, then again and again."""
        greeks, rows = self.query_one("#greeks", DataTable), self.query_one("#heat", DataTable)
        greeks.border_title = "greeks by expiry"
        greeks.add_columns(
            "expiry", *(Text(name, justify="right") for name in ("delta", "gamma", "vega/pt", "theta/d"))
        )
        rows.add_columns("price", *(Text(f"vol {name}", justify="right") for name in VOL_NAMES))
        self.query_one("#alerts", Static).border_title = "alerts"
        self.action_refresh()
        self.set_interval(self._interval_sec, self.action_refresh)

    def action_refresh(self) -> None:
        """Look in a thread, so that keys are answered meanwhile; a look that still runs is not doubled."""
        if not any(worker.is_running for worker in self.workers):
            self.run_worker(self._fetch, thread=True)

    def action_underlying(self) -> None:
        """Show the heat map of the next underlying."""
        self.chosen += 1
        if self.view is not None:
            self.show(self.view)

    def action_turn(self) -> None:
        """Show the other table where there is room for one."""
        self.screen.toggle_class("-turned")

    def on_resize(self) -> None:
        """Draw the bars anew for another width."""
        if self.view is not None:
            self.show(self.view)

    def _fetch(self) -> None:
        try:
            view = self._look()
        except PlimsollError as problem:
            self.call_from_thread(self.fail, str(problem))
            return
        self.call_from_thread(self.show, view)

    def fail(self, problem: str) -> None:
        """Say what is wrong; the last view stays, and says of which block it is."""
        shown = self.query_one("#problem", Static)
        shown.update(Text(f"error: {problem}"))
        shown.add_class("-shown")

    def show(self, view: WatchView) -> None:
        """Fill the widgets."""
        self.view = view
        problem, alerts = self.query_one("#problem", Static), self.query_one("#alerts", Static)
        problem.update("")
        problem.remove_class("-shown")
        self.query_one("#gauge", Static).update(gauge(view, SHORT_BAR if self.size.width < NARROW else BAR))
        alerts.update(alert_text(view))
        alerts.set_class(bool(view.alerts), "-raised")
        self._greeks(view)
        self._heat(view)

    def _greeks(self, view: WatchView) -> None:
        table = self.query_one("#greeks", DataTable)
        table.clear()
        for name, part in view.margin.underlyings.items():
            for e in part.expiries:
                if not any((e.delta, e.gamma, e.vega, e.theta)):
                    continue
                day = datetime.fromtimestamp(e.expiry_ts, UTC).strftime("%Y-%m-%d") if e.expiry_ts else "no expiry"
                figures = (f"{e.delta:,.3f}", f"{e.gamma:,.5f}", f"{e.vega / 100:,.2f}", f"{e.theta / 365:,.2f}")
                table.add_row(f"{name} {day}", *(Text(figure, justify="right") for figure in figures))

    def _heat(self, view: WatchView) -> None:
        table = self.query_one("#heat", DataTable)
        table.clear()
        held = [name for name, part in view.margin.underlyings.items() if any(row.pnl for row in part.rows)]
        if not held:
            return
        name = held[self.chosen % len(held)]
        worst = view.margin.underlyings[name].rows[view.margin.underlyings[name].worst_row]
        table.border_title = name
        table.border_subtitle = f"worst: {row_label(worst)}, vol {worst.vol}"
        # Skew rows feed a charge of their own and no scan; the map shows what the scan sees.
        rows = sorted((row for row in view.margin.underlyings[name].rows if row.weight), key=lambda row: -row.price)
        most = max(abs(row.pnl) for row in rows)
        lines: dict[str, dict[str, Text]] = {}
        for row in rows:
            lines.setdefault(row_label(row), {})[row.vol] = heat(row.pnl, most)
        for label, cells in lines.items():
            table.add_row(label, *(cells.get(vol, Text("")) for vol in VOL_NAMES))
