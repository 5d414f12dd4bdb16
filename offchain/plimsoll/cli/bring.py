"""``plimsoll import``: a book of another venue, from files or live, as portfolio and market files."""

from __future__ import annotations

import json
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from plimsoll.analytics.series.as_of import moment_of_text
from plimsoll.cli.market import DecimalMark, Decimals, Timezone
from plimsoll.cli.output import print_document
from plimsoll.dialects.numerals import MARKS, exact
from plimsoll.dialects.times import zone_of
from plimsoll.errors import DomainError, InputError
from plimsoll.files.market import load_market
from plimsoll.files.portfolio import load_portfolio
from plimsoll.intake.book import Book, book_of, portfolio_document
from plimsoll.intake.gather import VENUES, Dialect, gather_files
from plimsoll.intake.market import FittedMarket, fitted_market
from plimsoll.intake.statement import Statement
from plimsoll.market.chain_file import replace_file


class VenueName(StrEnum):
    """Whose files they are."""

    DERIBIT = "deribit"
    OKX = "okx"
    BYBIT = "bybit"
    DERIVE = "derive"
    TARDIS = "tardis"


class ModeName(StrEnum):
    """Margin modes."""

    SINGLE = "SINGLE"
    STANDARD = "STANDARD"
    CROSS = "CROSS"


def _dialect(timezone: str | None, decimal: DecimalMark | None, at: str | None, prices: list[str]) -> Dialect:
    found: dict[str, Fraction] = {}
    for item in prices:
        name, _, text = item.partition("=")
        price = exact(text, "--price", name) if name and text else Fraction(0)
        if price <= 0:
            raise InputError("--price", f"{item!r} is not like ETH=1900")
        found[name.strip().upper()] = price
    mark = None if decimal is None else MARKS[decimal.value]
    return Dialect(zone_of(timezone), mark, None if at is None else moment_of_text(at, "--at"), found)


def _live(venue: VenueName, key_file: Path | None, url: str | None, chains: list[str], dialect: Dialect) -> Statement:
    """Ask the venue; what it needs is imported only here."""
    import httpx

    from plimsoll.intake.credentials import PARTS, read_key
    from plimsoll.intake.live import ROOTS, TIMEOUT_SEC, Live

    if venue.value not in PARTS:
        raise InputError("--live", f"{venue.value} is a collector of files; there is no account to ask")
    root = (ROOTS[venue.value] if url is None else url).rstrip("/")
    if not root.startswith(("http://", "https://")):
        raise InputError("--url", f"{root!r} is no http address")
    key = read_key(venue.value, key_file)
    with httpx.Client(timeout=TIMEOUT_SEC) as client:
        return Live(VENUES[venue.value], client, root, key).statement([name.upper() for name in chains], dialect)


def _check_targets(targets: dict[str, Path | None], force: bool) -> None:
    """Refuse, before anything is read, what could not be written."""
    chosen = {option: path for option, path in targets.items() if path is not None}
    if len(set(chosen.values())) < len(chosen):
        raise InputError("--portfolio", "is the same file as --market")
    for option, path in chosen.items():
        if not path.parent.is_dir():
            raise InputError(option, f"folder {path.parent} does not exist")
        if path.exists() and not force:
            raise InputError(option, f"{path} is there already; --force replaces it")


def _checked(
    statement: Statement, book: Book, mode: str, wants_market: bool
) -> tuple[dict[str, Any], FittedMarket | None]:
    """Return both documents as the readers of files accept them; what they refuse is refused here."""
    document = portfolio_document(book, mode)
    market = fitted_market(statement, book) if wants_market else None
    load_portfolio(document, None if market is None else load_market(market.document))
    return document, market


def _write(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    replace_file(path, lambda name: Path(name).write_text(text, encoding="utf-8"))


def command(
    venue: Annotated[VenueName, typer.Argument(help="Whose book it is.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Answers (.json) and exports (.csv) of one account, in any order.")
    ] = None,
    portfolio: Annotated[Path | None, typer.Option(help="Portfolio file to write.")] = None,
    market: Annotated[Path | None, typer.Option(help="Market file to write, fitted to the option chain.")] = None,
    mode: Annotated[ModeName, typer.Option(help="Margin mode of the portfolio.")] = ModeName.CROSS,
    live: Annotated[bool, typer.Option("--live", help="Ask the venue with a read-only key, not files.")] = False,
    key_file: Annotated[
        Path | None, typer.Option(help="Key for --live; default: PLIMSOLL_<VENUE>_... of the environment.")
    ] = None,
    chain: Annotated[list[str] | None, typer.Option(help="With --live: an underlying beside those held.")] = None,
    url: Annotated[str | None, typer.Option(help="With --live: another root of the venue's interface.")] = None,
    timezone: Timezone = None,
    decimal: Decimals = None,
    at: Annotated[str | None, typer.Option(help="Time of the prices: unix seconds or ISO 8601.")] = None,
    price: Annotated[list[str] | None, typer.Option(help="USD of a coin that no file prices: USDT=0.9998.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Bring a book from another venue: read it, convert it exactly, write portfolio and market files.

    Without --portfolio and --market it shows the book and writes nothing.
    """
    _check_targets({"--portfolio": portfolio, "--market": market}, force)
    dialect = _dialect(timezone, decimal, at, price or [])
    if live == bool(files):
        raise InputError("FILES", "give files, or --live to ask the venue; not both")
    if live:
        statement = _live(venue, key_file, url, chain or [], dialect)
    else:
        statement = gather_files(VENUES[venue.value], files or [], dialect)
    if (market is None or portfolio is not None) and not statement.holdings and not statement.balances:
        alone = "; leave --portfolio out for a market alone" if market is not None else ""
        raise InputError(venue.value, f"no positions and no balances among the files{alone}")
    try:
        book = book_of(statement)
        document, fitted = _checked(statement, book, mode.value, market is not None)
    except DomainError as error:
        raise InputError(venue.value, str(error)) from None
    if market is not None and fitted is not None:
        _write(market, fitted.document)
    if portfolio is not None:
        _write(portfolio, document)
    from plimsoll.cli.bring_tables import imported_document, show

    written = [path for path in (portfolio, market) if path is not None]
    if as_json:
        print_document(imported_document(statement, document, fitted, written))
    else:
        show(statement, document, fitted, portfolio, market)
