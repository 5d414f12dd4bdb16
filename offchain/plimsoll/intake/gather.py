"""From files of one account to a statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from plimsoll.dialects.numerals import Mark
from plimsoll.errors import InputError
from plimsoll.intake.chains import take_prices
from plimsoll.intake.contract import Contract
from plimsoll.intake.positions import contract_sizes, take_balances, take_positions
from plimsoll.intake.records import Form, Record, Sheet, dated, is_table, read_answer, read_table, sheet_of
from plimsoll.intake.statement import Balance, Statement
from plimsoll.intake.venue import Unpacked, Venue
from plimsoll.intake.venues.bybit import BYBIT
from plimsoll.intake.venues.deribit import DERIBIT
from plimsoll.intake.venues.derive import DERIVE
from plimsoll.intake.venues.okx import OKX
from plimsoll.intake.venues.tardis import TARDIS
from plimsoll.market.chain_rows import ChainRows

VENUES: Final[Mapping[str, Venue]] = {v.name: v for v in (DERIBIT, OKX, BYBIT, DERIVE, TARDIS)}
#: The venue whose volatilities tardis.dev writes in per cent; of others the unit is not settled.
COLLECTED: Final = "deribit"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the user says of how files are written.

    Attributes
    ----------
    zone : ZoneInfo or None
        Of times that name none.
    mark : str or None
        Decimal mark of tables of text.
    at_ts : int or None
        Prices after it are ignored, unix seconds; it dates prices that have no time.
    prices : mapping of str to Fraction
        USD of one coin, by its symbol.
    """

    zone: ZoneInfo | None = None
    mark: Mark | None = None
    at_ts: int | None = None
    prices: Mapping[str, Fraction] = field(default_factory=dict)


def gather_files(venue: Venue, paths: Iterable[Path], dialect: Dialect) -> Statement:
    """Read the files of one account.

    Parameters
    ----------
    venue : Venue
    paths : iterable of Path
        Answers in JSON and tables of text, in any order.
    dialect : Dialect

    Returns
    -------
    Statement

    Raises
    ------
    InputError
        When a file cannot be read, or is nothing that is known.
    """
    statement = Statement(venue.name, ChainRows(venue.name))
    sheets: list[Sheet] = []
    for path in paths:
        if is_table(path):
            records, rules = read_table(path, dialect.zone, dialect.mark)
            for rule in rules:
                statement.say(f"{path.name}: {rule}")
            sheets += _sheets(str(path), (records,), None)
        else:
            sheets += unpacked_sheets(statement, venue.unpack(read_answer(path), str(path)), str(path), dialect)
    return gather(statement, venue, sheets, dialect)


def unpacked_sheets(statement: Statement, found: Unpacked, source: str, dialect: Dialect) -> list[Sheet]:
    """Return the sheets of one answer, its times in unix seconds.

    Parameters
    ----------
    statement : Statement
        Told how times were read.
    found : Unpacked
    source : str
    dialect : Dialect

    Returns
    -------
    list of Sheet

    Raises
    ------
    InputError
        When times cannot be read, or the records are nothing that is known.
    """
    lists = []
    if found.rule:
        statement.say(found.rule)
    for records in found.lists:
        ours, rules = dated(records, source, dialect.zone)
        for rule in rules:
            statement.say(rule)
        lists.append(ours)
    return _sheets(source, lists, found.ts)


def _sheets(source: str, lists: Iterable[Sequence[Record]], ts: int | None) -> list[Sheet]:
    return [sheet for records in lists if (sheet := sheet_of(source, records, ts)) is not None]


def gather(statement: Statement, venue: Venue, sheets: Sequence[Sheet], dialect: Dialect) -> Statement:
    """Take everything that the sheets say.

    Parameters
    ----------
    statement : Statement
        Empty but for what was said.
    venue : Venue
    sheets : sequence of Sheet
    dialect : Dialect

    Returns
    -------
    Statement
        The same.

    Raises
    ------
    InputError
        When a position or balance cannot be read.
    """
    by_form: dict[Form, list[Sheet]] = {form: [s for s in sheets if s.form is form] for form in Form}
    if dialect.at_ts is not None:
        by_form[Form.PRICES] = [_until(sheet, dialect.at_ts) for sheet in by_form[Form.PRICES]]
    contracts = _contracts(venue, sheets)
    known = {contract.underlying for contract in contracts}
    if any(contract.expiry_ts for contract in contracts):
        statement.say("expiries are the days of the names, each at 08:00 UTC, the venue's rule")
    statement.spots.update({name: price for name, price in dialect.prices.items() if name in known})
    for sheet in sheets:
        statement.date(_last_ts(sheet))
    sizes = contract_sizes(by_form[Form.SIZES]) if venue.counts_contracts else None
    for sheet in by_form[Form.POSITIONS]:
        take_positions(statement, sheet, venue.parse, sizes)
    for sheet in by_form[Form.BALANCES]:
        take_balances(statement, sheet)
    if venue.finish is not None:
        venue.finish(statement, [record for sheet in by_form[Form.POSITIONS] for record in sheet.records])
    _check_collected(venue, by_form[Form.PRICES])
    take_prices(statement, by_form[Form.PRICES], venue.parse, is_percent=venue.is_percent)
    _price_tokens(statement, dialect.prices)
    return statement


def _contracts(venue: Venue, sheets: Iterable[Sheet]) -> list[Contract]:
    """Return all contracts that are named."""
    names = {(str(r["name"]), str(r.get("category", ""))) for s in sheets for r in s.records if "name" in r}
    return [contract for name in names if (contract := venue.parse(*name)) is not None]


def _last_ts(sheet: Sheet) -> int | None:
    stamps = [int(record["ts"]) for record in sheet.records if "ts" in record]
    return sheet.ts if sheet.ts is not None or sheet.form is not Form.PRICES or not stamps else max(stamps)


def _until(sheet: Sheet, at_ts: int) -> Sheet:
    """Return a sheet of prices up to a time, which dates those without one."""
    kept = tuple({"ts": at_ts, **record} for record in sheet.records if int(record.get("ts", at_ts)) <= at_ts)
    if not kept:
        raise InputError(sheet.source, f"holds no price up to {at_ts}")
    return Sheet(sheet.source, sheet.form, kept, None)


def _check_collected(venue: Venue, sheets: Iterable[Sheet]) -> None:
    """Refuse collected chains of a venue whose unit of volatility is not settled."""
    for sheet in sheets:
        for row, record in enumerate(sheet.records):
            exchange: Any = record.get("exchange", COLLECTED)
            if venue.name == TARDIS.name and exchange != COLLECTED:
                message = f"row {row + 1}: {exchange!r} is not {COLLECTED!r}, of which alone the unit is settled"
                raise InputError(sheet.source, message)


def _price_tokens(statement: Statement, prices: Mapping[str, Fraction]) -> None:
    """Give balances the price that the user says."""
    for name, price in prices.items():
        held = statement.balances.get(name)
        if held is not None:
            statement.balances[name] = Balance(held.amount, held.counts_positions, price)
