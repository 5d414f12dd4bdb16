"""Tables of ``plimsoll market fit`` for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.analytics.report.smile import Smile
from plimsoll.cli.tables import plain_table
from plimsoll.market.fit.neighbours import crossing_of
from plimsoll.market.fit.rounds import SnapshotFit, years_to

SHAPES = ("five", "level", "three", "flat", "held")
_FIT = ("expiry", "forward", "rate", "rms", "largest", "quotes", "shape", "min g", "arbitrage")
_SVI = ("expiry", "days", "a", "b", "rho", "m", "sigma")


def show(fit: SnapshotFit, perp_origin: str) -> None:
    """Print the fit of one underlying.

    Parameters
    ----------
    fit : SnapshotFit
        Round and slices.
    perp_origin : str
        Where the perpetual's price comes from.
    """
    console = Console()
    fitted, report = fit.round, fit.report
    console.print(
        f"[bold]{fitted.underlying}[/bold] {_day(fitted.ts)}  spot {fitted.spot:,.2f}  perp {fitted.perp:,.2f} "
        f"({perp_origin})  confidence {fitted.confidence:.3f}"
    )
    console.print(
        f"rows {report.rows}: used {report.used}; dropped in the money {report.in_the_money}, "
        f"far wing {report.far_wing}, stale {report.stale}, crossed {report.crossed}, "
        f"without volatility {report.no_volatility}"
    )
    console.print(_quality(fit))
    console.print(_parameters(fit))
    for warning in fit.warnings:
        console.print(Text(f"warning: {warning}", style="yellow"))


def _quality(fit: SnapshotFit) -> Table:
    """One row per expiry: how well it fits; errors in vol points over the quotes used."""
    table = plain_table(
        f"{fit.round.underlying}: fit less marks, vol points, and arbitrage checks", _FIT, left=_FIT[-1:]
    )
    for surface, part, verdict in zip(fit.round.surfaces, fit.fits, _arbitrage(fit), strict=True):
        table.add_row(
            _day(surface.expiry_ts)[:10],
            f"{surface.forward:,.2f}",
            f"{surface.rate:.2%}",
            f"{part.rms * 100.0:.2f}",
            f"{part.max_error * 100.0:.2f}",
            str(part.quotes),
            part.shape.value,
            f"{part.butterfly:.3f}",
            Text(verdict, style="green" if verdict == "none" else "yellow"),
        )
    return table


def _parameters(fit: SnapshotFit) -> Table:
    """One row per expiry: its slice, total variance of what is still open."""
    table = plain_table(f"{fit.round.underlying}: SVI slices", _SVI)
    for surface in fit.round.surfaces:
        svi = surface.svi
        table.add_row(
            _day(surface.expiry_ts),
            f"{years_to(surface.expiry_ts, fit.round.ts) * 365.0:.2f}",
            *(f"{v:.6f}" for v in (svi.a, svi.b, svi.rho, svi.m, svi.sigma)),
        )
    return table


def _arbitrage(fit: SnapshotFit) -> list[str]:
    """Name the checks that each expiry fails; calendar spreads count against the far leg."""
    verdicts = []
    for i, part in enumerate(fit.fits):
        failed = ["butterfly"] if part.butterfly < 0.0 else []
        years = years_to(part.expiry_ts, fit.round.ts)
        if i and not crossing_of(fit.fits[i - 1].svi, part.svi, years).is_free:
            failed.append("calendar")
        verdicts.append(", ".join(failed) or "none")
    return verdicts


def show_smile(smile: Smile) -> None:
    """Print errors and checks of every expiry."""
    names = ("expiry", "quotes", "rms", "largest", "strike", "min g", "min rise", "arbitrage")
    table = plain_table(f"{smile.currency}: fit less marks, vol points, and arbitrage checks", names, left=names[-1:])
    for one in smile.slices:
        found = one.to_json()
        failed = [name for name in ("butterfly", "calendar") if not found[f"{name}Free"]]
        worst = max(found["strikes"], key=lambda s: abs(s["errorVolPoints"]))
        table.add_row(
            _day(one.expiry_ts)[:10],
            str(len(found["strikes"])),
            f"{found['rmsVolPoints']:.2f}",
            f"{worst['errorVolPoints']:+.2f}",
            f"{worst['strike']:,.6g}",
            f"{one.butterfly_min:.4f}",
            "" if found["calendarMin"] is None else f"{one.calendar_min:.2e}",
            Text(", ".join(failed) or "none", style="yellow" if failed else "green"),
        )
    Console().print(table)


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%M")


def show_errors(name: str, found: Mapping[str, Any]) -> None:
    """Print the mark errors of one underlying.

    Parameters
    ----------
    name : str
        Symbol.
    found : mapping
        Its entry of the plimsoll.markErrors/1 document.
    """
    console = Console()
    slices, confidence = found["slices"], found["confidence"]
    shapes = ", ".join(f"{shape} {slices[shape]}" for shape in SHAPES)
    console.print(
        f"[bold]{name}[/bold] {found['snapshots']} snapshots, {found['roundsNotOffered']} not offered; "
        f"{slices['total']} slices: {shapes}; left out {slices['leftOut']}"
    )
    console.print(
        f"confidence median {confidence['median']:.3f}, least {confidence['least']:.3f}, "
        f"below the threshold {confidence['belowThreshold']}"
    )
    console.print(
        "Fitted less venue's mark, by size: the 99th percentile and the worst in coin, the worst in USD; median, 99th "
        "percentile and worst in points of volatility; how many lie outside bid and ask, and by how much in coin."
    )
    names = ("from", "marks", "99%", "worst", "USD", "median", "99%", "worst", "out", "by")
    for title, key in (("vega as a share of the largest", "byVega"), ("price in coin", "byPrice")):
        table = plain_table(f"{name}: by {title}", names)
        for group in found[key]:
            coin, vol, outside = group["coin"], group["volPoints"], group["outsideQuotes"]
            table.add_row(
                f"{group['from']:g}", str(group["instruments"]), f"{coin['p99']:.5f}", f"{coin['worst']:.5f}",
                f"{group['usdWorst']:,.2f}", f"{vol['median']:.2f}", f"{vol['p99']:.2f}", f"{vol['worst']:.2f}",
                str(outside["count"]), f"{outside['worstCoin']:.5f}",
            )  # fmt: skip
        console.print(table)
    columns = ("mark", "venue, coin", "error, coin", "USD", "points", "vega share", "outside")
    for title, key in (("price", "worstByPrice"), ("volatility where vega counts", "worstByVol")):
        table = plain_table(f"{name}: worst by {title}, one of each slice", columns)
        for row in found[key]:
            label = f"{_day(row['timestamp'])} for {_day(row['expiry'])} {row['strike']:g} {row['right']}"
            table.add_row(
                label, f"{row['venueCoin']:.5f}", f"{row['errorCoin']:+.5f}", f"{row['errorUsd']:+,.2f}",
                f"{row['errorVolPoints']:+.2f}", f"{row['vegaShare']:.3f}", f"{row['outsideQuotesCoin']:.5f}",
            )  # fmt: skip
        console.print(table)
