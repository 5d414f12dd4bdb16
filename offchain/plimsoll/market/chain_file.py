"""Option-chain snapshot files: strict reading, splitting by snapshot, atomic writing.

The columns and units are those of docs/operate/market-data.md; option prices are in coin, volatility is a decimal.
Times, numbers and delimiters are read by the rules of ``plimsoll.dialects``; each snapshot says by which.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from plimsoll.dialects.csv_text import TextTable, read_text_table
from plimsoll.dialects.numerals import EMPTY, Mark, decimal_mark, read_float
from plimsoll.dialects.times import read_times
from plimsoll.errors import InputError

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MAX_SYMBOL: Final = 31
"""Characters of the symbol of an underlying, as in a market file."""
INDEX_NAME: Final = "index_price"
IV_LIMIT: Final = 10.0
"""Largest volatility read as a decimal; Deribit's marks reached 3.5 in the worst crash on file."""
MARK_SLACK: Final = 1.05
"""A mark in coin is at most 1 (call) or K/F (put); a mark in USD misses this by orders of magnitude."""
UNDERLYING_RATIO_LIMIT: Final = 2.0

_TIME: pa.DataType = pa.timestamp("s", tz="UTC")
_FLOAT: pa.DataType = pa.float64()
_TEXT: pa.DataType = pa.string()

SCHEMA: Final = pa.schema(
    [
        ("ts", _TIME),
        ("currency", _TEXT),
        ("expiry", _TIME),
        ("strike", _FLOAT),
        ("type", _TEXT),
        ("bid", _FLOAT),
        ("ask", _FLOAT),
        ("mark", _FLOAT),
        ("mark_iv", _FLOAT),
        ("underlying", _FLOAT),
        ("underlying_name", _TEXT),
        ("index_price", _FLOAT),
        ("delta", _FLOAT),
        ("vega", _FLOAT),
        ("open_interest", _FLOAT),
        ("volume_24h", _FLOAT),
    ]
)
_NULLABLE: Final = ("bid", "ask", "mark_iv")


@dataclass(frozen=True, slots=True)
class ChainSnapshot:
    """All rows of one currency at one time, as columns of equal length.

    Attributes
    ----------
    source : str
        File or market the rows came from; named in every error.
    ts : int
        Start of the snapshot, unix seconds.
    currency : str
        Underlying symbol.
    expiry_ts : ndarray of int64
        Unix seconds.
    strike, underlying, index : ndarray of float64, USD
        ``underlying`` is the forward of the row's expiry when the row was polled.
    is_call, is_index : ndarray of bool
        ``is_index`` where the row's underlying is the index itself (no future, no synthetic forward).
    bid, ask, mark : ndarray of float64, coin
        ``bid`` and ``ask`` are NaN without a quote.
    iv : ndarray of float64
        Decimal per year, NaN when absent.
    delta, vega, open_interest, volume : ndarray of float64
        As the venue reports them.
    reading : tuple of str
        How times and numbers of the file were read, one sentence each.
    """

    source: str
    ts: int
    currency: str
    expiry_ts: Integers
    strike: Vector
    is_call: Flags
    bid: Vector
    ask: Vector
    mark: Vector
    iv: Vector
    underlying: Vector
    is_index: Flags
    index: Vector
    delta: Vector
    vega: Vector
    open_interest: Vector
    volume: Vector
    reading: tuple[str, ...] = ()

    @property
    def spot(self) -> float:
        """Median index price of the rows; a round takes the spot of ``forwards.term_structure`` instead."""
        return float(np.median(self.index))

    @property
    def expiries(self) -> tuple[int, ...]:
        """Listed expiries, increasing."""
        return tuple(int(e) for e in np.unique(self.expiry_ts))

    def strikes(self, expiry_ts: int) -> tuple[float, ...]:
        """Return the listed strikes of one expiry, increasing."""
        return tuple(float(k) for k in np.unique(self.strike[self.expiry_ts == expiry_ts]))


_VECTOR_FIELDS: Final = {
    "strike": "strike",
    "bid": "bid",
    "ask": "ask",
    "mark": "mark",
    "iv": "mark_iv",
    "underlying": "underlying",
    "index": "index_price",
    "delta": "delta",
    "vega": "vega",
    "open_interest": "open_interest",
    "volume": "volume_24h",
}


def load_chain(path: Path, zone: ZoneInfo | None = None, mark: Mark | None = None) -> list[ChainSnapshot]:
    """Read and check an option-chain file.

    Parameters
    ----------
    path : Path
        ``.parquet``, ``.csv`` or ``.csv.gz`` with exactly the columns of ``SCHEMA``.
    zone : ZoneInfo, optional
        Of times that name none; without it they are refused.
    mark : str, optional
        Decimal mark of a text, ``.`` or ``,``; without it the cells decide, and a doubt is refused.

    Returns
    -------
    list of ChainSnapshot
        Ordered by time, then currency.

    Raises
    ------
    InputError
        When the file cannot be read or any row is outside the documented domain; names column, row and limit.
    """
    if file_format(path) == "parquet":
        return split_table(_read_parquet(path), str(path), zone)
    table, rules = _numbered(read_text_table(path), mark)
    return split_table(table, str(path), zone, rules)


def split_table(
    table: pa.Table, source: str, zone: ZoneInfo | None = None, rules: tuple[str, ...] = ()
) -> list[ChainSnapshot]:
    """Check a chain table and split it into snapshots.

    Parameters
    ----------
    table : pyarrow.Table
        Rows with the columns of ``SCHEMA``, in any order.
    source : str
        Named in errors.
    zone : ZoneInfo, optional
        Of times that name none; without it they are refused.
    rules : tuple of str
        How the table was made of a text, for ``reading``.

    Returns
    -------
    list of ChainSnapshot
        Ordered by time, then currency.

    Raises
    ------
    InputError
        When a column or a row is outside the documented domain.
    """
    table, said = _conform(table, source, zone)
    columns = _Columns(table, source, (*rules, *said))
    columns.check()
    return list(columns.split())


def is_symbol(name: str) -> bool:
    """Whether a word can be the symbol of an underlying: ``BTC``, ``1000PEPE``."""
    return 1 <= len(name) <= MAX_SYMBOL and name.isascii() and name.replace("_", "").isalnum()


def write_chain(table: pa.Table, path: Path) -> None:
    """Write a chain table in the format its suffix names, whole or not at all.

    Parameters
    ----------
    table : pyarrow.Table
        Rows with the columns of ``SCHEMA``.
    path : Path
        ``.parquet``, ``.csv`` or ``.csv.gz``.

    Raises
    ------
    InputError
        When the suffix is unknown or the folder cannot be written.
    """
    kind = file_format(path)
    writer: Callable[[str], None]
    if kind == "parquet":
        writer = lambda name: pa_parquet.write_table(table, name)  # noqa: E731
    else:
        writer = lambda name: _write_csv(table, name, compressed=path.suffix == ".gz")  # noqa: E731
    replace_file(path, writer)


def replace_file(path: Path, write: Callable[[str], object]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then move it there.

    Parameters
    ----------
    path : Path
        Target; its folder must exist.
    write : callable
        Gets the name of the temporary file.

    Raises
    ------
    InputError
        When the folder does not exist or cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from error
    try:
        write(name)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _write_csv(table: pa.Table, name: str, *, compressed: bool) -> None:
    if not compressed:
        pa_csv.write_csv(table, name)
        return
    with pa.output_stream(name, compression="gzip") as stream:
        pa_csv.write_csv(table, stream)


def file_format(path: Path) -> str:
    """Return ``parquet`` or ``csv`` from the suffix.

    Parameters
    ----------
    path : Path
        File to read or write.

    Returns
    -------
    str
        Format of the file.

    Raises
    ------
    InputError
        When the suffix is neither.
    """
    if path.name.endswith(".parquet"):
        return "parquet"
    if path.name.endswith((".csv", ".csv.gz")):
        return "csv"
    raise InputError(str(path), "unknown file type; expected .parquet, .csv or .csv.gz")


def _read_parquet(path: Path) -> pa.Table:
    try:
        return pa_parquet.read_table(path)
    except FileNotFoundError as error:
        raise InputError(str(path), "no such file") from error
    except (OSError, pa.ArrowException) as error:
        raise InputError(str(path), f"cannot be read: {_first_line(error)}") from error


def _numbered(text: TextTable, mark: Mark | None) -> tuple[pa.Table, tuple[str, ...]]:
    """Return a text with its number columns read, and how; columns that are not known stay texts."""
    names = [name for name in text.names if name in SCHEMA.names and SCHEMA.field(name).type == _FLOAT]
    cells = (cell for name in names for cell in text.column(name))
    rule = "decimal mark as given"
    if mark is None:
        mark, rule = decimal_mark(cells, text.source, text.delimiter)
    columns = {}
    for name in text.names:
        found = text.column(name)
        columns[name] = pa.array(_floats(found, mark, text.source, name) if name in names else found)
    return pa.table(columns), (text.rule, rule)


def _floats(cells: list[str], mark: Mark, source: str, name: str) -> list[float | None]:
    """Return the numbers of a column; ``None`` where a cell is empty."""
    return [
        None if cell in EMPTY else read_float(cell, mark, source, f"column {name} row {row + 1}")
        for row, cell in enumerate(cells)
    ]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _conform(table: pa.Table, source: str, zone: ZoneInfo | None) -> tuple[pa.Table, tuple[str, ...]]:
    """Return ``table`` with exactly the columns, order and types of ``SCHEMA``, and how its times were read."""
    missing = [name for name in SCHEMA.names if name not in table.column_names]
    if missing:
        raise InputError(source, f"missing column {', '.join(missing)}")
    unknown = [name for name in table.column_names if name not in SCHEMA.names]
    if unknown:
        raise InputError(source, f"unknown column {', '.join(unknown)}")
    if len(table.column_names) != len(SCHEMA.names):
        raise InputError(source, "a column appears twice")
    if table.num_rows == 0:
        raise InputError(source, "holds no rows")
    arrays, said = [], []
    for field in SCHEMA:
        column = table[field.name]
        if field.name not in _NULLABLE and column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy())[0])
            raise InputError(source, f"column {field.name} row {row + 1}: is empty")
        if field.type == _TIME:
            times = read_times(column, source, field.name, zone=zone, is_expiry=field.name == "expiry")
            arrays.append(pa.chunked_array([pa.array(times.ts).cast(_TIME)]))
            said.append(f"{field.name} read as {times.rule}")
            continue
        try:
            arrays.append(column.cast(field.type))
        except pa.ArrowException as error:
            raise InputError(source, f"column {field.name}: {_first_line(error)}") from error
    return pa.table(arrays, schema=SCHEMA), tuple(said)


class _Columns:
    """Checked columns of a whole file."""

    def __init__(self, table: pa.Table, source: str, reading: tuple[str, ...]) -> None:
        self.source = source
        self.reading = reading
        self.table = table
        self.numbers: dict[str, Vector] = {
            name: table[name].to_numpy().astype(np.float64) for name in _VECTOR_FIELDS.values()
        }
        self.ts: Integers = table["ts"].cast(pa.int64()).to_numpy()
        self.expiry_ts: Integers = table["expiry"].cast(pa.int64()).to_numpy()
        self.currency = self._text("currency")
        self.type = self._text("type")
        self.is_call: Flags = self.type == "C"
        self.is_index: Flags = self._text("underlying_name") == INDEX_NAME

    def _text(self, name: str) -> npt.NDArray[Any]:
        encoded = self.table[name].combine_chunks().dictionary_encode()
        words = np.array(encoded.dictionary.to_pylist(), dtype=str)
        chosen: npt.NDArray[Any] = words[encoded.indices.to_numpy()]
        return chosen

    def check(self) -> None:
        """Raise InputError at the first row outside the domain."""
        names, of_row = np.unique(self.currency, return_inverse=True)
        known = np.array([is_symbol(str(name)) for name in names], dtype=bool)
        self._reject("currency", ~known[of_row], f"is no symbol of 1 to {MAX_SYMBOL} letters, digits and underscores")
        self._reject("type", ~np.isin(self.type, ("C", "P")), "expected C or P")
        for name, values in self.numbers.items():
            absent = self.table[name].is_null().to_numpy() if name in _NULLABLE else np.False_
            self._reject(name, ~np.isfinite(values) & ~absent, "must be a finite number")
        for name in ("strike", "underlying", "index_price"):
            self._reject(name, self.numbers[name] <= 0.0, "must be above 0")
        for name in ("bid", "ask", "mark", "mark_iv", "vega", "open_interest", "volume_24h"):
            self._reject(name, self.numbers[name] < 0.0, "must not be negative")
        self._reject("mark_iv", self.numbers["mark_iv"] > IV_LIMIT, f"above {IV_LIMIT:g}; volatility in percent?")
        self._reject("delta", np.abs(self.numbers["delta"]) > 1.0, "outside [-1, 1]")
        self._check_prices()
        self._reject("expiry", self.expiry_ts <= self.ts, "not after ts; the row has expired", self.table["expiry"])
        self._check_duplicates()

    def _check_prices(self) -> None:
        forward = self.numbers["underlying"]
        ratio = forward / self.numbers["index_price"]
        limit = UNDERLYING_RATIO_LIMIT
        self._reject(
            "underlying", (ratio > limit) | (ratio < 1.0 / limit), f"more than {limit:g} times away from index_price"
        )
        bound = MARK_SLACK * np.maximum(1.0, self.numbers["strike"] / forward)
        self._reject("mark", self.numbers["mark"] > bound, "above its bound max(1, strike/underlying); price in USD?")

    def _check_duplicates(self) -> None:
        strike = self.numbers["strike"]
        keys = (self.is_call, strike, self.expiry_ts, np.unique(self.currency, return_inverse=True)[1], self.ts)
        order = np.lexsort(keys)
        same = np.ones(order.size - 1, dtype=bool)
        for key in keys:
            ordered = key[order]
            same &= ordered[1:] == ordered[:-1]
        if same.any():
            first = int(np.flatnonzero(same)[0])
            row, earlier = int(order[first + 1]), int(order[first])
            name = f"{self.currency[row]} {strike[row]:g} {self.type[row]}"
            raise InputError(self.source, f"row {row + 1}: duplicates row {earlier + 1} (ts, instrument {name})")

    def _reject(self, name: str, bad: Flags, limit: str, shown: Any = None) -> None:
        if not bad.any():
            return
        row = int(np.flatnonzero(bad)[0])
        value = self.table[name][row].as_py() if shown is None else shown[row].as_py()
        raise InputError(self.source, f"column {name} row {row + 1}: {value} {limit}")

    def split(self) -> Iterator[ChainSnapshot]:
        """Yield the snapshots by time, then currency."""
        for ts in np.unique(self.ts):
            at_ts = self.ts == ts
            for currency in np.unique(self.currency[at_ts]):
                rows = np.flatnonzero(at_ts & (self.currency == currency))
                vectors = {field: self.numbers[name][rows] for field, name in _VECTOR_FIELDS.items()}
                yield ChainSnapshot(
                    source=self.source,
                    ts=int(ts),
                    currency=str(currency),
                    expiry_ts=self.expiry_ts[rows],
                    is_call=self.is_call[rows],
                    is_index=self.is_index[rows],
                    reading=self.reading,
                    **vectors,
                )
