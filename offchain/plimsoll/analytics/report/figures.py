"""Figures that pages and the front door share: each takes results and returns a plotly figure, and shows nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.report.drawing.colours import COLOURS
from plimsoll.analytics.report.page import days, layout, money, percent
from plimsoll.mirror.settlement_window import time_to_expiry
from plimsoll.mirror.svi import total_variance, volatility
from plimsoll.model import Round
from plimsoll.params import VOL_NAMES

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from plimsoll.analytics.optimise.frontier import Frontier
    from plimsoll.analytics.stress.surface import SurfacePoint
    from plimsoll.analytics.var.tail import Interval
    from plimsoll.mirror.margin_engine import RowPnl

Vector = npt.NDArray[np.float64]
#: Diverging, readable without red against green alone.
SCALE: Final = [[0.0, "#b22222"], [0.5, "#ffffff"], [1.0, "#1f6f9f"]]
#: A smile is drawn so many standard deviations of the money to either side.
SMILE_STD: Final = 2.5
SMILE_POINTS: Final = 81
BINS: Final = 80
#: Titles start here, in shares of the width.
TITLE_X: Final = 0.01
#: Where a date is an axis or a legend.
_DAY: Final = "%Y-%m-%d"


def day_of(ts: int) -> str:
    """Return the day of a time, UTC."""
    return datetime.fromtimestamp(ts, UTC).strftime(_DAY)


def columns_figure(
    names: Sequence[str], series: Mapping[str, Sequence[float]], title: str, stacked: bool = False
) -> Figure:
    """Draw upright bars, one group per name; ``title`` is that of the values."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for label, values in series.items():
        figure.add_bar(name=label, x=list(names), y=list(values))
    figure.update_yaxes(title=title)
    return layout(figure, 360, barmode="relative" if stacked else "group", showlegend=len(series) > 1)


def bars_figure(labels: Sequence[str], values: Sequence[float], title: str, *, losses: bool = False) -> Figure:
    """Draw lying bars, what hurts in red: a negative P&L, or with ``losses`` a positive loss."""
    import plotly.graph_objects as go

    colours = [COLOURS[4] if (v > 0.0) == losses and v != 0.0 else COLOURS[0] for v in values]
    figure = go.Figure(go.Bar(x=list(values), y=list(labels), orientation="h", marker_color=colours))
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(title=title)
    return layout(figure, 110 + 26 * len(labels), showlegend=False)


def models_figure(names: Sequence[str], initial: Sequence[float], maintenance: Sequence[float]) -> Figure:
    """Draw what every margin model asks for: market equity, cash."""
    series = {"initial": initial, "maintenance": maintenance}
    return columns_figure(names, series, "market equity needed, cash")


def _whiskers(values: Sequence[float], spans: Sequence[Interval | None]) -> dict[str, Any]:
    """Return error bars from values to the ends of their intervals; none where there is no interval."""
    up = [0.0 if s is None else max(0.0, s[1] - v) for s, v in zip(spans, values, strict=True)]
    down = [0.0 if s is None else max(0.0, v - s[0]) for s, v in zip(spans, values, strict=True)]
    return {"type": "data", "array": up, "arrayminus": down, "symmetric": False}


def risk_figure(
    names: Sequence[str], var: Sequence[float], es: Sequence[float], spans: Sequence[Sequence[Interval | None]]
) -> Figure:
    """Draw VaR and expected shortfall by method; whiskers are their confidence intervals, first those of VaR."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for label, values, ends in zip(("VaR", "expected shortfall"), (var, es), spans, strict=True):
        figure.add_bar(name=label, x=list(names), y=list(values), error_y=_whiskers(values, ends))
    figure.update_yaxes(title="loss, cash")
    return layout(figure, 360, barmode="group")


def distribution_figure(pnl: Vector, var: float, es: float, level: float, horizon_days: int) -> Figure:
    """Draw how often the scenarios end at which P&L, with VaR and expected shortfall as lines.

    Parameters
    ----------
    pnl : ndarray, shape (n,)
        Cash of every scenario, a loss negative.
    var, es : float
        Cash, a loss positive.
    level : float
    horizon_days : int

    Returns
    -------
    plotly.graph_objects.Figure
    """
    import plotly.graph_objects as go

    figure = go.Figure(go.Histogram(x=pnl, nbinsx=BINS, name="scenarios", marker_color=COLOURS[0]))
    for label, loss, colour in (("VaR", var, COLOURS[1]), ("expected shortfall", es, COLOURS[4])):
        note = f"{label} {money(loss)}"
        place = "top right" if label == "VaR" else "top left"
        figure.add_vline(x=-loss, line={"color": colour, "width": 2}, annotation_text=note, annotation_position=place)
    figure.update_xaxes(title=f"P&L over {days(horizon_days)}, cash")
    figure.update_yaxes(title="scenarios")
    title = {"text": f"{percent(level)} of {pnl.size:,} scenarios lose less than VaR", "x": TITLE_X}
    return layout(figure, 380, showlegend=False, title=title)


def row_label(row: RowPnl) -> str:
    """Name the price of a scenario row: its move, skew and weight."""
    label = f"{row.price:+.1%}"
    if row.skew:
        return f"{label} skew {row.skew:+.2f}"
    return label if row.weight == 1.0 else f"{label} x{row.weight:.2f}"


def scenario_figure(name: str, scenario_rows: Sequence[RowPnl]) -> Figure:
    """Draw the P&L of every scenario row of an underlying: price move down, volatility across."""
    import plotly.graph_objects as go

    rows = sorted(scenario_rows, key=lambda row: (-row.price, row.skew))
    labels = list(dict.fromkeys(row_label(row) for row in rows))
    cells: list[list[float | None]] = [[None] * len(VOL_NAMES) for _ in labels]
    for row in rows:
        cells[labels.index(row_label(row))][VOL_NAMES.index(row.vol)] = row.pnl
    most = max((abs(row.pnl) for row in rows), default=1.0) or 1.0
    text = [["" if value is None else f"{value:,.0f}" for value in line] for line in cells]
    heat = go.Heatmap(
        z=cells, x=[f"vol {v}" for v in VOL_NAMES], y=labels, text=text, texttemplate="%{text}",
        colorscale=SCALE, zmin=-most, zmax=most, xgap=2, ygap=2, colorbar={"title": "P&L"},
    )  # fmt: skip
    figure = go.Figure(heat)
    figure.update_yaxes(autorange="reversed", type="category", title="move of the price")
    figure.update_xaxes(title="move of all volatilities")
    return layout(figure, 150 + 24 * len(labels), title={"text": name, "x": TITLE_X})


def liquidation_figure(points: Sequence[SurfacePoint]) -> Figure:
    """Draw the distance to liquidation over price and volatility, one panel per time; below zero is liquidatable."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    hours, vols, prices = (sorted({getattr(p, axis) for p in points}) for axis in ("hours", "vol", "price"))
    titles = ["now" if h == 0.0 else f"after {days(h / 24.0)}" for h in hours]
    figure = make_subplots(rows=1, cols=len(hours), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.02)
    distance = {(p.hours, p.vol, p.price): p.distance for p in points}
    most = float(np.quantile(np.abs(list(distance.values())), 0.9)) or 1.0
    for number, hour in enumerate(hours):
        heat = go.Heatmap(
            z=[[distance[hour, v, x] for v in vols] for x in prices], x=[f"{v:+.0%}" for v in vols],
            y=[f"{x:+.0%}" for x in prices], colorscale=SCALE, zmin=-most, zmax=most, showscale=number == 0,
            colorbar={"title": "cash"}, xgap=1, ygap=1,
            hovertemplate="price %{y}, vol %{x}: %{z:,.0f}<extra></extra>",
        )  # fmt: skip
        figure.add_trace(heat, row=1, col=number + 1)
    figure.update_xaxes(title="vol move", type="category")
    figure.update_yaxes(type="category")
    figure.update_yaxes(title="price move", row=1, col=1)
    return layout(figure, 430)


def frontier_figure(found: Frontier) -> Figure:
    """Draw expected return over volatility, per year; the weights are in the label of a point."""
    import plotly.graph_objects as go

    texts = [
        ", ".join(f"{name} {weight:.0%}" for name, weight in zip(found.assets, point.weights, strict=True))
        for point in found.points
    ]
    figure = go.Figure()
    figure.add_scatter(
        x=[100.0 * point.volatility for point in found.points], y=[100.0 * point.mean for point in found.points],
        text=texts, name="frontier", mode="lines+markers", line={"color": COLOURS[0]},
        hovertemplate="%{text}: return %{y:.1f}%, volatility %{x:.1f}%<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="volatility per year, %")
    figure.update_yaxes(title="expected return per year, %")
    return layout(figure, 380, showlegend=False)


def smile_of_slice(found: Round, number: int) -> tuple[Vector, Vector]:
    """Return strikes and volatilities of one expiry of a round, round the money.

    Parameters
    ----------
    found : Round
    number : int
        Of the expiry.

    Returns
    -------
    ndarray, shape (SMILE_POINTS,); ndarray, shape (SMILE_POINTS,)
        Strikes, cash, ``SMILE_STD`` standard deviations of the money to either side; volatilities, decimals per year.
    """
    surface = found.surfaces[number]
    years = time_to_expiry(surface.expiry_ts, found.ts)
    width = SMILE_STD * float(np.sqrt(total_variance(surface.svi, np.zeros(1))[0]))
    log_moneyness = np.linspace(-width, width, SMILE_POINTS)
    return surface.forward * np.exp(log_moneyness), volatility(surface.svi, log_moneyness, years)


def smile_figure(found: Round) -> Figure:
    """Draw the volatility smiles of a round, one line per expiry."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for number, surface in enumerate(found.surfaces):
        strikes, vols = smile_of_slice(found, number)
        figure.add_scatter(x=strikes, y=100.0 * vols, name=day_of(surface.expiry_ts), mode="lines")
    figure.add_vline(x=found.spot, line={"color": "#9aa7b3", "width": 1, "dash": "dot"}, annotation_text="spot")
    figure.update_xaxes(title="strike, cash")
    figure.update_yaxes(title="volatility per year, %")
    return layout(figure, 400, title={"text": found.underlying, "x": TITLE_X, "y": 0.98}, showlegend=True)
