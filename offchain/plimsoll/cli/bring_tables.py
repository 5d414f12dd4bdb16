"""What ``plimsoll import`` says: legs, how things were read, what was left out, where it was written."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from plimsoll.cli.tables import plain_table
from plimsoll.intake.market import FittedMarket
from plimsoll.intake.statement import Statement
from plimsoll.market.chain_rows import dropped_notes

WIDTH: Final = 80


def imported_document(
    statement: Statement, portfolio: Mapping[str, Any], fitted: FittedMarket | None, written: Sequence[Path]
) -> dict[str, Any]:
    """Return what ``--json`` prints.

    Parameters
    ----------
    statement : Statement
    portfolio : mapping
        The portfolio document.
    fitted : FittedMarket or None
    written : sequence of Path

    Returns
    -------
    dict
    """
    return {
        "schema": "plimsoll.import/1",
        "venue": statement.venue,
        "timestamp": statement.ts,
        "portfolio": portfolio,
        "market": None if fitted is None else fitted.document,
        "said": statement.said,
        "leftOut": [{"instrument": name, "reason": reason} for name, reason in statement.chain.dropped],
        "warnings": [*_lacks(statement), *([] if fitted is None else fitted.warnings)],
        "written": [str(path) for path in written],
    }


def show(
    statement: Statement,
    document: Mapping[str, Any],
    fitted: FittedMarket | None,
    portfolio: Path | None,
    market: Path | None,
) -> None:
    """Print what was imported.

    Parameters
    ----------
    statement : Statement
    document : mapping
        The portfolio document.
    fitted : FittedMarket or None
    portfolio, market : Path or None
        Where they were written.
    """
    options = len(statement.chain)
    parts = [f"{len(statement.holdings)} positions", f"{len(statement.balances)} balances"]
    parts += [f"{options} options of {', '.join(sorted(statement.chain.underlyings))}"] if options else []
    dated = "" if statement.ts is None else f" at {_minute(statement.ts)}"
    _lines([f"{statement.venue}{dated}: {', '.join(parts)}"], "")
    if document["positions"] or document["collateral"] or document["cash"]:
        _show_legs(document)
    print("read as")
    _lines(statement.said, "  ")
    for number, note in enumerate(dropped_notes(statement.chain.dropped)):
        _lines([note], "  " if number else "warning: ")
    for warning in (*_lacks(statement), *(() if fitted is None else _counted(fitted.warnings))):
        _lines([warning], "warning: ")
    for name, path in (("portfolio", portfolio), ("market", market)):
        if path is not None:
            print(f"{name} written to {path}")
    if portfolio is None and market is None:
        print("nothing is written; --portfolio and --market name files")
    if portfolio is not None and market is not None:
        print(f"next: plimsoll margin --market {market} --portfolio {portfolio}")


def _show_legs(document: Mapping[str, Any]) -> None:
    table = plain_table("portfolio", ("leg", "expiry", "quantity", "strike or entry"))
    for leg in document["positions"]:
        word = leg.get("right", leg["kind"])
        expiry = _minute(leg["expiry"])[:10] if "expiry" in leg else ""
        price = leg.get("strike", leg.get("entry", 0.0))
        table.add_row(f"{leg['underlying']} {word}", expiry, f"{leg['quantity']:+,.8g}", f"{price:,.8g}")
    table.add_row("cash", "", f"{document['cash']:+,.2f}", "")
    for item in document["collateral"]:
        table.add_row(f"{item['token']} collateral", "", f"{item['amount']:+,.8g}", "")
    Console(width=WIDTH).print(table)


def _lacks(statement: Statement) -> list[str]:
    """Say what an account of positions alone lacks."""
    if statement.balances or not statement.holdings:
        return []
    return [
        f"there are positions of {statement.venue} and no balances among the files: cash is 0 and there is no "
        "collateral; the coins that pay inverse contracts are missing as well, so that the account is not the "
        "venue's until the balances are given beside it"
    ]


def _counted(warnings: Sequence[str], most: int = 3) -> list[str]:
    """Return the first warnings of a fit, and how many more there are."""
    more = len(warnings) - most
    return [*warnings[:most], *([f"{more} more of the fit, see plimsoll import --json"] if more > 0 else [])]


def _lines(sentences: Iterable[str], indent: str) -> None:
    for sentence in sentences:
        print(textwrap.fill(sentence, WIDTH, initial_indent=indent, subsequent_indent=" " * max(len(indent), 2) + "  "))


def _minute(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%M UTC")
