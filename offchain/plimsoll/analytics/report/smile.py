"""Marks against the fitted surface: error per strike, butterfly and calendar checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.report.drawing.colours import COLOURS
from plimsoll.analytics.report.figures import day_of
from plimsoll.analytics.report.page import Section, Table, Tile, layout, page_of
from plimsoll.errors import DomainError
from plimsoll.market.chain_file import ChainSnapshot
from plimsoll.market.fit.clean import clean
from plimsoll.market.fit.rounds import SnapshotFit, fit_snapshot, years_to
from plimsoll.market.fit.slice_check import durrleman
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Round

Vector = npt.NDArray[np.float64]
#: Checks cover the quotes, and at least this many standard deviations of the expiry at the money.
CHECK_STD: Final = 2.5
CHECK_POINTS: Final = 81
#: Total variance may fall by this much before a calendar is called arbitrage: rounding of a fit.
CALENDAR_SLACK: Final = 1e-9


@dataclass(frozen=True, slots=True)
class SmileSlice:
    """One expiry: quotes and fit by strike, and its checks.

    Attributes
    ----------
    strike, mark_vol, fit_vol : ndarray
        Volatilities are decimals per year; the error is fit less mark.
    check_k, check_vol, variance, butterfly : ndarray
        Log-moneyness of the checks; fitted volatility, total variance and Durrleman's function there.
    butterfly_min, calendar_min : float
        Least of Durrleman's function; least rise of total variance from the expiry before (infinite for the first).
    """

    expiry_ts: int
    forward: float
    strike: Vector
    mark_vol: Vector
    fit_vol: Vector
    check_k: Vector
    check_vol: Vector
    variance: Vector
    butterfly: Vector
    butterfly_min: float
    calendar_min: float

    @property
    def error(self) -> Vector:
        """Fit less mark, volatility."""
        return np.asarray(self.fit_vol - self.mark_vol)

    def to_json(self) -> dict[str, Any]:
        """Build the entry of the plimsoll.smile/1 document."""
        return {
            "expiry": self.expiry_ts,
            "forward": self.forward,
            "rmsVolPoints": 100.0 * float(np.sqrt((self.error**2).mean())),
            "maxErrorVolPoints": 100.0 * float(np.abs(self.error).max()),
            "butterflyMin": self.butterfly_min,
            "butterflyFree": self.butterfly_min >= 0.0,
            "calendarMin": self.calendar_min if np.isfinite(self.calendar_min) else None,
            "calendarFree": self.calendar_min >= -CALENDAR_SLACK,
            "strikes": [
                {"strike": float(k), "markVol": float(m), "fitVol": float(f), "errorVolPoints": 100.0 * float(f - m)}
                for k, m, f in zip(self.strike, self.mark_vol, self.fit_vol, strict=True)
            ],
        }


@dataclass(frozen=True, slots=True)
class Smile:
    """All expiries of one underlying, and the round that a signer would post of them."""

    round: Round
    slices: tuple[SmileSlice, ...]
    warnings: tuple[str, ...]

    @property
    def currency(self) -> str:
        """Symbol of the underlying."""
        return self.round.underlying

    def to_json(self) -> dict[str, Any]:
        """Build the entry of the plimsoll.smile/1 document."""
        return {
            "timestamp": self.round.ts,
            "spot": self.round.spot,
            "expiries": [one.to_json() for one in self.slices],
            "warnings": list(self.warnings),
        }


def _slice(snapshot: ChainSnapshot, fitted: SnapshotFit, number: int) -> SmileSlice:
    surface = fitted.round.surfaces[number]
    quotes = clean(snapshot)[0][surface.expiry_ts]
    years = years_to(surface.expiry_ts, snapshot.ts)
    k = quotes.log_moneyness
    width = CHECK_STD * float(np.sqrt(total_variance(surface.svi, np.zeros(1))[0]))
    check = np.linspace(min(-width, float(k.min())), max(width, float(k.max())), CHECK_POINTS)
    variance = total_variance(surface.svi, check)
    shape = durrleman(surface.svi, check)
    return SmileSlice(
        expiry_ts=surface.expiry_ts,
        forward=surface.forward,
        strike=surface.forward * np.exp(k),
        mark_vol=quotes.iv,
        fit_vol=np.sqrt(total_variance(surface.svi, k) / years),
        check_k=check,
        check_vol=np.sqrt(variance / years),
        variance=variance,
        butterfly=shape,
        butterfly_min=float(shape.min()),
        calendar_min=float("inf"),
    )


def smile_of(snapshot: ChainSnapshot) -> Smile:
    """Fit a snapshot and lay it beside its marks.

    Parameters
    ----------
    snapshot : ChainSnapshot

    Returns
    -------
    Smile
        Calendar checks compare total variance at equal log-moneyness within the range of the nearer expiry.

    Raises
    ------
    DomainError
        If a figure is not finite.
    """
    from dataclasses import replace

    fitted = fit_snapshot(snapshot)
    slices = [_slice(snapshot, fitted, i) for i in range(len(fitted.round.surfaces))]
    surfaces = fitted.round.surfaces
    for i, (near, far) in enumerate(pairwise(slices)):
        rise = total_variance(surfaces[i + 1].svi, near.check_k) - near.variance
        slices[i + 1] = replace(far, calendar_min=float(rise.min()))
    for one in slices:
        if not all(np.isfinite(x).all() for x in (one.mark_vol, one.fit_vol, one.butterfly, one.variance)):
            raise DomainError(snapshot.currency, f"expiry {one.expiry_ts}: a figure is not a finite number")
    return Smile(fitted.round, tuple(slices), fitted.warnings)


def slice_figure(one: SmileSlice) -> Any:
    """Draw marks and fit above, error per strike below."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.04)
    line = one.forward * np.exp(one.check_k)
    figure.add_scatter(
        x=line, y=100.0 * one.check_vol, name="SVI", mode="lines", line={"color": COLOURS[0]}, row=1, col=1
    )
    figure.add_scatter(
        x=one.strike, y=100.0 * one.mark_vol, name="marks", mode="markers",
        marker={"color": COLOURS[1], "size": 7}, row=1, col=1,
    )  # fmt: skip
    figure.add_bar(
        x=one.strike, y=100.0 * one.error, name="error", showlegend=False, marker_color=COLOURS[4], row=2, col=1
    )
    figure.update_yaxes(title="vol, %", row=1, col=1)
    figure.update_yaxes(title="error, points", row=2, col=1)
    figure.update_xaxes(title="strike", row=2, col=1)
    rms = 100.0 * float(np.sqrt((one.error**2).mean()))
    title = f"{day_of(one.expiry_ts)}: rms {rms:.2f} points, largest {100.0 * float(np.abs(one.error).max()):.2f}"
    found = layout(figure, 360, title={"text": title, "x": 0.0, "font": {"size": 14}})
    found.update_layout(legend={"orientation": "h", "x": 1.0, "xanchor": "right", "y": 1.02})
    return found


def _check_figure(smile: Smile) -> Any:
    """Draw Durrleman's function and total variance, one line per expiry."""
    from plotly.subplots import make_subplots

    titles = (
        "butterfly: Durrleman's function, negative is arbitrage",
        "calendar: total variance, lines must not cross",
    )
    figure = make_subplots(rows=1, cols=2, subplot_titles=titles, horizontal_spacing=0.08)
    for i, one in enumerate(smile.slices):
        colour, name = COLOURS[i % len(COLOURS)], day_of(one.expiry_ts)
        style = {"color": colour, "dash": ("solid", "dash", "dot")[i // len(COLOURS) % 3]}
        for col, y in ((1, one.butterfly), (2, one.variance)):
            figure.add_scatter(
                x=one.check_k,
                y=y,
                name=name,
                legendgroup=name,
                showlegend=col == 1,
                mode="lines",
                line=style,
                row=1,
                col=col,
            )
    figure.add_hline(y=0.0, line={"color": "#9aa7b3", "width": 1}, row=1, col=1)
    figure.update_xaxes(title="log-moneyness")
    figure.update_yaxes(type="log", dtick=1, row=1, col=2)
    found = layout(figure, 460)
    found.update_layout(legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0}, margin={"b": 90})
    return found


def _sections(smile: Smile) -> list[Section]:
    rows = [
        (
            day_of(d["expiry"]), str(len(d["strikes"])), f"{d['rmsVolPoints']:.2f}", f"{d['maxErrorVolPoints']:.2f}",
            f"{d['butterflyMin']:.4f}", "yes" if d["butterflyFree"] else "NO",
            "" if d["calendarMin"] is None else f"{d['calendarMin']:.2e}", "yes" if d["calendarFree"] else "NO",
        )
        for d in (one.to_json() for one in smile.slices)
    ]  # fmt: skip
    header = (
        "expiry",
        "quotes",
        "rms, points",
        "largest, points",
        "least g",
        "no butterfly",
        "least rise",
        "no calendar",
    )
    text = (
        "Quotes that the fit uses against the slice the oracle would post, at the quoted strikes. Butterfly: "
        "Durrleman's function must stay positive. Calendar: total variance must not fall from one expiry to the next."
    )
    return [
        Section(f"{smile.currency}: checks", text, (_check_figure(smile),), (Table(header, rows),), smile.warnings),
        Section(
            f"{smile.currency}: smiles",
            "Marks, fit, and fit less mark by strike.",
            [slice_figure(s) for s in smile.slices],
        ),
    ]


def smile_page(smiles: list[Smile]) -> str:
    """Build the page of one snapshot.

    Parameters
    ----------
    smiles : list of Smile

    Returns
    -------
    str
        A whole HTML document without references to a network.
    """
    when = datetime.fromtimestamp(smiles[0].round.ts, UTC).strftime("%Y-%m-%d %H:%M UTC")
    tiles = []
    for smile in smiles:
        errors = np.concatenate([one.error for one in smile.slices])
        clean_slices = sum(one.butterfly_min >= 0.0 and one.calendar_min >= -CALENDAR_SLACK for one in smile.slices)
        whole = clean_slices == len(smile.slices)
        tiles.append(Tile(f"{smile.currency} rms error", f"{100.0 * float(np.sqrt((errors**2).mean())):.2f} pts"))
        label = f"{smile.currency} free of arbitrage"
        tiles.append(Tile(label, f"{clean_slices} of {len(smile.slices)}", "good" if whole else "warn"))
    subtitle = f"{when}; spot " + ", ".join(f"{s.currency} {s.round.spot:,.2f}" for s in smiles)
    return page_of("Volatility surface", subtitle, tiles, (), [x for smile in smiles for x in _sections(smile)])
