"""``plimsoll market``: fit an option-chain file, look at the fit, fetch a live chain."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from plimsoll.analytics.series.as_of import moment_of_text
from plimsoll.cli.html_option import HtmlFile
from plimsoll.cli.output import print_document
from plimsoll.dialects.numerals import MARKS
from plimsoll.dialects.times import zone_of
from plimsoll.errors import InputError
from plimsoll.market.chain_file import ChainSnapshot, file_format, is_symbol, load_chain
from plimsoll.market.fit.forwards import term_structure
from plimsoll.market.fit.rounds import SnapshotFit, fit_snapshot
from plimsoll.market.market_file import write_market
from plimsoll.market.replay.data_folder import FUNDING_FILE
from plimsoll.market.replay.replay import load_funding, premium_at

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

SHOWN_TIMES = 6


class DecimalMark(StrEnum):
    """Sign before the decimals of a text."""

    POINT = "point"
    COMMA = "comma"


ChainFile = Annotated[Path, typer.Argument(help="Option chain: .parquet, .csv or .csv.gz.")]
Underlying = Annotated[str | None, typer.Option("--currency", help="Only this underlying; all in the file otherwise.")]
Timezone = Annotated[str | None, typer.Option(help="Zone of times that name none, like Europe/Berlin.")]
Decimals = Annotated[DecimalMark | None, typer.Option("--decimal", help="Decimal mark, where a text leaves it open.")]


def _snapshots(file: Path, timezone: str | None, decimal: DecimalMark | None) -> list[ChainSnapshot]:
    """Read a chain file as the options say."""
    return load_chain(file, zone_of(timezone), None if decimal is None else MARKS[decimal.value])


def iso(ts: int) -> str:
    """Return a time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pick(
    snapshots: list[ChainSnapshot], currency: str | None, ts: int | None, source: str
) -> tuple[list[ChainSnapshot], str | None]:
    """Choose the snapshots of one time.

    Parameters
    ----------
    snapshots : list of ChainSnapshot
        Whole file.
    currency : str or None
        Only this underlying; all without it.
    ts : int or None
        Time of the snapshot; the last without it.
    source : str
        Named in errors.

    Returns
    -------
    chosen : list of ChainSnapshot
        One for each underlying.
    note : str or None
        Says which time was taken when the file holds several and none was asked for.

    Raises
    ------
    InputError
        When nothing matches.
    """
    own = [s for s in snapshots if currency is None or s.currency == currency]
    if not own:
        raise InputError("--currency", f"{source} holds no rows of {currency}")
    times = sorted({s.ts for s in own})
    if ts is not None and ts not in times:
        raise InputError("--ts", f"{source} holds no snapshot at {ts}; it holds {_times(times)}")
    taken = times[-1] if ts is None else ts
    note = None
    if ts is None and len(times) > 1:
        note = f"{len(times)} snapshots in the file, the last is taken; --ts picks another: {_times(times)}"
    return [s for s in own if s.ts == taken], note


def _say_note(note: str | None) -> None:
    """Say which snapshot was taken, in lines as wide as the tables above."""
    if note is not None:
        Console().print(f"note: {note}", highlight=False, markup=False)


def _say_reading(snapshots: Sequence[ChainSnapshot]) -> None:
    """Say how times and numbers of a file were read."""
    for sentence in snapshots[0].reading:
        typer.echo(sentence)


def _times(times: list[int]) -> str:
    shown = [f"{t} ({iso(t)})" for t in times]
    if len(shown) > SHOWN_TIMES:
        half = SHOWN_TIMES // 2
        shown = [*shown[:half], f"... {len(times) - SHOWN_TIMES} more ...", *shown[-half:]]
    return ", ".join(shown)


def premium_of(snapshot: ChainSnapshot, folder: Path, perp: float | None) -> tuple[float, str]:
    """Find the perpetual's premium over spot and where it comes from.

    Parameters
    ----------
    snapshot : ChainSnapshot
        One underlying at one time.
    folder : Path
        Folder of the chain file; a funding file there is used.
    perp : float or None
        Price given on the command line.

    Returns
    -------
    premium : float
        Fraction of spot.
    origin : str
        For the report.
    """
    if perp is not None:
        return perp / term_structure(snapshot).spot - 1.0, "--perp"
    path = folder / FUNDING_FILE
    if path.is_file():
        return premium_at(load_funding(path).get(snapshot.currency), snapshot.ts), FUNDING_FILE
    return 0.0, "spot"


def fit_document(file: Path, fits: dict[str, SnapshotFit], origins: dict[str, str]) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    return {
        "schema": "plimsoll.fit/1",
        "file": file.name,
        "timestamp": next(iter(fits.values())).round.ts,
        "underlyings": {name: _underlying_document(fit, origins[name]) for name, fit in fits.items()},
    }


def _underlying_document(fit: SnapshotFit, origin: str) -> dict[str, Any]:
    report = fit.report
    return {
        "spot": fit.round.spot,
        "perp": fit.round.perp,
        "perpSource": origin,
        "confidence": fit.round.confidence,
        "rows": {
            "read": report.rows,
            "noVolatility": report.no_volatility,
            "crossed": report.crossed,
            "stale": report.stale,
            "inTheMoney": report.in_the_money,
            "farWing": report.far_wing,
            "used": report.used,
        },
        "expiries": [
            {
                "expiry": s.expiry_ts,
                "forward": s.forward,
                "rate": s.rate,
                "svi": {"a": s.svi.a, "b": s.svi.b, "rho": s.svi.rho, "m": s.svi.m, "sigma": s.svi.sigma},
                "rmsVolPoints": f.rms * 100.0,
                "weightedRmsVolPoints": f.weighted_rms * 100.0,
                "maxErrorVolPoints": f.max_error * 100.0,
                "quotes": f.quotes,
                "quoted": f.quoted,
                "durrlemanMin": f.butterfly,
                "shape": f.shape.value,
            }
            for s, f in zip(fit.round.surfaces, fit.fits, strict=True)
        ],
        "warnings": list(fit.warnings),
    }


@app.command()
def fit(
    file: ChainFile,
    out: Annotated[Path | None, typer.Option(help="Write a plimsoll.market/1 file.")] = None,
    currency: Underlying = None,
    ts: Annotated[str | None, typer.Option(help="Snapshot to take: unix seconds or ISO 8601.")] = None,
    perp: Annotated[float | None, typer.Option(help="Price of the perpetual, USD; needs --currency.")] = None,
    timezone: Timezone = None,
    decimal: Decimals = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Fit one SVI slice per expiry and report errors and arbitrage checks."""
    if perp is not None and currency is None:
        raise InputError("--perp", "one price needs one underlying; give --currency too")
    if perp is not None and not 0.0 < perp < float("inf"):
        raise InputError("--perp", f"{perp} must be a finite price above 0")
    asked = moment_of_text(ts, "--ts") if ts is not None else None
    chosen, note = pick(_snapshots(file, timezone, decimal), currency, asked, str(file))
    fits: dict[str, SnapshotFit] = {}
    origins: dict[str, str] = {}
    for snapshot in chosen:
        premium, origins[snapshot.currency] = premium_of(snapshot, file.parent, perp)
        fits[snapshot.currency] = fit_snapshot(snapshot, perp_premium=premium)
    if out is not None:
        write_market({name: f.round for name, f in fits.items()}, out)
    if as_json:
        print_document(fit_document(file, fits, origins))
        return
    from plimsoll.cli.market_tables import show

    _say_reading(chosen)
    for name, fitted in fits.items():
        show(fitted, origins[name])
    _say_note(note)
    if out is not None:
        typer.echo(f"market written to {out}")


@app.command()
def smile(
    file: ChainFile,
    currency: Underlying = None,
    ts: Annotated[str | None, typer.Option(help="Snapshot to take: unix seconds or ISO 8601.")] = None,
    html: HtmlFile = None,
    timezone: Timezone = None,
    decimal: Decimals = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Lay marks beside the fitted surface: error per strike, butterfly and calendar checks."""
    from plimsoll.analytics.report.smile import smile_of, smile_page

    asked = moment_of_text(ts, "--ts") if ts is not None else None
    chosen, note = pick(_snapshots(file, timezone, decimal), currency, asked, str(file))
    smiles = [smile_of(snapshot) for snapshot in chosen]
    found = {one.currency: one.to_json() for one in smiles}
    document = {"schema": "plimsoll.smile/1", "file": file.name, "underlyings": found}
    if html is not None:
        from plimsoll.analytics.report.page import write_pair

        beside = write_pair(html, smile_page(smiles), document)
        print(f"{html} and {beside} written", file=sys.stderr)
    if as_json:
        print_document(document)
        return
    from plimsoll.cli.market_tables import show_smile

    _say_reading(chosen)
    for one in smiles:
        show_smile(one)
    _say_note(note)


@app.command()
def fetch(
    currency: Annotated[str, typer.Option(help="Underlying: BTC, ETH, or one of linear options like SOL.")],
    out: Annotated[Path, typer.Option(help="Chain file to write: .parquet, .csv or .csv.gz.")],
    url: Annotated[str, typer.Option(help="Root of Deribit's public REST API.")] = "https://www.deribit.com/api/v2",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Fetch a live option chain from Deribit's public API into a chain file."""
    import httpx

    from plimsoll.market.chain_file import write_chain
    from plimsoll.market.chain_rows import dropped_notes
    from plimsoll.market.venues.deribit import Deribit

    file_format(out)
    if not out.parent.is_dir():
        raise InputError("--out", f"folder {out.parent} does not exist")
    name = currency.upper()
    if not is_symbol(name):
        raise InputError("--currency", f"{currency!r} is no symbol of an underlying")
    if not url.startswith(("http://", "https://")):
        raise InputError("--url", f"{url!r} is no http address")
    with httpx.Client(follow_redirects=True) as client:
        live = Deribit(client, url.rstrip("/")).fetch(name)
    write_chain(live.table, out)
    left_out = [{"instrument": name, "reason": reason} for name, reason in live.dropped]
    document = {
        "file": str(out),
        "timestamp": live.ts,
        "rows": live.table.num_rows,
        "perp": live.perp,
        "leftOut": left_out,
    }
    if as_json:
        print_document(document)
        return
    typer.echo(f"{live.table.num_rows} options of {name} at {iso(live.ts)} written to {out}")
    for sentence in dropped_notes(live.dropped):
        typer.echo(f"warning: {sentence}")
    typer.echo(f"perpetual mark {live.perp:,.2f} USD: pass it on with `plimsoll market fit --perp {live.perp}`")


@app.command()
def errors(
    file: ChainFile,
    currency: Underlying = None,
    timezone: Timezone = None,
    decimal: Decimals = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Fit every snapshot in turn and report the errors of all marks, by vega and by price."""
    from plimsoll.cli.slow import Slow
    from plimsoll.market.fit.mark_errors import walk_errors

    snapshots = [s for s in _snapshots(file, timezone, decimal) if currency is None or s.currency == currency]
    if not snapshots:
        raise InputError("--currency", f"{file} holds no rows of {currency or 'anything'}")
    walks = walk_errors(snapshots, Slow().tell)
    underlyings = {name: walk.to_json() for name, walk in sorted(walks.items())}
    document = {
        "schema": "plimsoll.markErrors/1",
        "file": file.name,
        "first": snapshots[0].ts,
        "last": snapshots[-1].ts,
        "underlyings": underlyings,
    }
    if as_json:
        print_document(document)
        return
    from plimsoll.cli.market_tables import show_errors

    _say_reading(snapshots)
    for name, found in underlyings.items():
        show_errors(name, found)
