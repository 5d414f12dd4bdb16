"""Answers and exports as records with one name for each thing, whatever the venue calls it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from plimsoll.dialects.csv_text import TextTable, read_text_table
from plimsoll.dialects.json_text import json_of
from plimsoll.dialects.numerals import EMPTY, Mark, decimal_mark, read_number
from plimsoll.dialects.times import read_times
from plimsoll.errors import InputError

MAX_BYTES: Final = 64 * 1024 * 1024
"""Of an answer in JSON."""

#: Our name -> what venues and collectors call it; capitals and signs between words do not count.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("instrument name", "instrument", "inst id", "symbol", "contract", "market"),
    "size": ("size", "pos", "position size", "position", "qty", "quantity"),
    "amount": ("amount",),
    "side": ("direction", "side", "pos side", "position side"),
    "entry": ("average price", "avg price", "avg px", "entry price", "avg entry price", "average entry price"),
    "mark": ("mark price", "mark px", "M"),
    "index": ("index price", "idx px", "I"),
    "value": ("mark value",),
    "category": ("category",),
    "currency": ("currency", "coin", "ccy", "asset", "asset name"),
    "equity": ("equity", "eq"),
    "cash": ("balance", "wallet balance", "cash bal", "cash balance"),
    "usd": ("usd value", "eq usd", "value usd"),
    "face": ("ct val",),
    "multiple": ("ct mult",),
    "face_currency": ("ct val ccy",),
    "bid": ("bid price", "bid1 price", "bid px", "best bid price", "bid", "b"),
    "ask": ("ask price", "ask1 price", "ask px", "best ask price", "ask", "a"),
    "mark_iv": ("mark iv", "mark vol", "i", "iv"),
    "forward": ("underlying price", "fwd px", "forward price", "f"),
    "forward_name": ("underlying index",),
    "delivery": ("estimated delivery price",),
    "interest": ("open interest", "oi"),
    "volume": ("volume", "volume24h", "vol ccy 24h", "v"),
    "ts": ("timestamp", "ts", "time", "u time", "t"),
    "strike": ("strike price", "strike"),
    "expiry": ("expiration", "expiration timestamp", "exp time"),
    "exchange": ("exchange",),
}
#: Names whose cells are numbers; texts of a table are read with its decimal mark.
NUMBERS: Final = frozenset(
    (
        *("size", "amount", "entry", "mark", "index", "value", "equity", "cash", "usd", "face", "multiple", "bid"),
        *("ask", "mark_iv", "forward", "delivery", "interest", "volume", "strike"),
    )
)

Record = Mapping[str, Any]


def _plain(key: str) -> str:
    """Return a key without capitals and signs; one letter keeps its case, because Derive tells B from b."""
    return key if len(key) == 1 else re.sub(r"[^a-z0-9]", "", key.lower())


_OURS: Final = {_plain(theirs): ours for ours, names in NAMES.items() for theirs in names}


class Form(Enum):
    """What a list of records is."""

    POSITIONS = "positions"
    BALANCES = "balances"
    SIZES = "contract sizes"
    PRICES = "prices"
    LISTING = "list of instruments"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Records of one form.

    Attributes
    ----------
    source : str
        File or address, for errors.
    form : Form
    records : tuple of mapping
        By our names; what has none is left out.
    ts : int or None
        Time of the answer, unix seconds.
    """

    source: str
    form: Form
    records: tuple[Record, ...]
    ts: int | None = None


def renamed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record by our names; a thing that is there under two names is taken from the first.

    Parameters
    ----------
    record : mapping

    Returns
    -------
    dict
        Without gaps: ``None`` and empty texts are left out.
    """
    found: dict[str, Any] = {}
    for key, value in record.items():
        ours = _OURS.get(_plain(key))
        if ours is not None and value is not None and value != "":
            found.setdefault(ours, value)
    return found


def sheet_of(source: str, records: Sequence[Record], ts: int | None = None) -> Sheet | None:
    """Return the records with the form that their names show; ``None`` for none at all.

    Parameters
    ----------
    source : str
    records : sequence of mapping
        By our names.
    ts : int, optional
        Time of the answer, unix seconds.

    Returns
    -------
    Sheet or None

    Raises
    ------
    InputError
        When the names show no form that is known.
    """
    if not records:
        return None
    names = set().union(*records)
    form = form_of(names)
    if form is None and names >= {"currency", "strike", "mark_iv"}:
        raise InputError(source, "is a file of option chains, no account: 'plimsoll market fit' makes a market of it")
    if form is None:
        known = ", ".join(form.value for form in Form)
        raise InputError(source, f"is none of {known}: no columns or keys of these were found")
    return Sheet(source, form, tuple(records), ts)


def dated(records: list[dict[str, Any]], source: str, zone: ZoneInfo | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the records of an answer with their times in unix seconds, and how those were read.

    Parameters
    ----------
    records : list of dict
        As the venue names things.
    source : str
    zone : ZoneInfo, optional
        Of times that name none.

    Returns
    -------
    records : list of dict
        By our names.
    rules : list of str

    Raises
    ------
    InputError
        When a time cannot be read.
    """
    ours, rules = [renamed(record) for record in records], []
    for name in ("ts", "expiry"):
        rows = [row for row, record in enumerate(ours) if name in record]
        if rows:
            cells = [str(ours[row][name]) for row in rows]
            times = read_times(cells, source, name, zone=zone, is_expiry=name == "expiry")
            for row, ts in zip(rows, times.ts, strict=True):
                ours[row][name] = int(ts)
            rules.append(f"times read as {times.rule}")
    return ours, rules


def form_of(names: set[str]) -> Form | None:
    """Return what records with these names are.

    Parameters
    ----------
    names : set of str
        Our names.

    Returns
    -------
    Form or None
    """
    if "name" in names:
        if names & {"entry", "side"}:
            return Form.POSITIONS
        if "face" in names:
            return Form.SIZES
        if names & {"mark", "mark_iv", "bid", "ask", "forward", "index"}:
            return Form.PRICES
        return Form.LISTING if "expiry" in names else None
    if "currency" in names and names & {"equity", "cash", "amount"}:
        return Form.BALANCES
    return None


def parse_answer(content: bytes, source: str) -> Any:
    """Read an answer in JSON; numbers stay as they are written.

    Parameters
    ----------
    content : bytes
    source : str
        Named in errors.

    Returns
    -------
    object
        Floats as ``Decimal``.

    Raises
    ------
    InputError
        When it is no JSON, or repeats a key, or holds a number that is none.
    """

    def refuse(word: str) -> None:
        raise InputError(source, f"holds {word}, which is no number")

    return json_of(content, source, MAX_BYTES, parse_float=Decimal, parse_constant=refuse)


def read_answer(path: Path) -> Any:
    """Read a file as an answer in JSON.

    Parameters
    ----------
    path : Path

    Returns
    -------
    object

    Raises
    ------
    InputError
        When the file cannot be read or is no JSON.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})") from None
    return parse_answer(content, str(path))


def is_table(path: Path) -> bool:
    """Whether a file is a table of text by its name."""
    return path.name.lower().endswith((".csv", ".csv.gz", ".tsv", ".txt"))


def read_table(path: Path, zone: ZoneInfo | None, mark: Mark | None) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Read a table of text into records by our names, with exact numbers and unix seconds.

    Parameters
    ----------
    path : Path
    zone : ZoneInfo, optional
        Of times that name none.
    mark : str, optional
        Decimal mark; without it the cells decide.

    Returns
    -------
    records : list of dict
    rules : tuple of str
        How it was read.

    Raises
    ------
    InputError
        When the table, a number or a time cannot be read.
    """
    table = read_text_table(path)
    ours = {name: _OURS.get(_plain(name)) for name in table.names}
    numbers = [name for name, our in ours.items() if our in NUMBERS]
    rule = "decimal mark as given"
    if mark is None:
        cells = (cell for name in numbers for cell in table.column(name))
        mark, rule = decimal_mark(cells, table.source, table.delimiter)
    records: list[dict[str, Any]] = [{} for _ in table.rows]
    rules = [f"{table.rule}, {rule}"]
    for name, our in ours.items():
        if our is None:
            continue
        if our in ("ts", "expiry"):
            rules += _add_times(records, table, name, our, zone)
            continue
        for row, cell in enumerate(table.column(name)):
            if cell not in EMPTY:
                what = f"column {name} row {row + 1}"
                value = read_number(cell, mark, table.source, what) if our in NUMBERS else cell
                records[row].setdefault(our, value)
    return records, tuple(rules)


def _add_times(
    records: list[dict[str, Any]], table: TextTable, name: str, our: str, zone: ZoneInfo | None
) -> list[str]:
    """Add a column of times where it has any; return how they were read."""
    cells = table.column(name)
    filled = [row for row, cell in enumerate(cells) if cell not in EMPTY]
    if not filled:
        return []
    times = read_times([cells[row] for row in filled], table.source, name, zone=zone, is_expiry=our == "expiry")
    for row, ts in zip(filled, times.ts, strict=True):
        records[row].setdefault(our, int(ts))
    return [f"{name} read as {times.rule}"]
