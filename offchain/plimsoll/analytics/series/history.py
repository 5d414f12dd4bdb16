"""Price history from a file: strict reading, resampling to one row per step, alignment of assets."""

from __future__ import annotations

import csv as rows
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from plimsoll.constants import DAY_SEC
from plimsoll.dialects.csv_text import read_text_table
from plimsoll.dialects.numerals import EMPTY, Mark, decimal_mark, read_float
from plimsoll.dialects.time_units import not_seconds
from plimsoll.errors import InputError
from plimsoll.frames import Table, arrow_of

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Column of the file -> field; the first name that is present is taken.
_ALIASES: Final = {
    "time": ("ts", "date"),
    "close": ("close", "close_usd", "index_price"),
    "iv": ("iv", "atm_iv_30d"),
}


@dataclass(frozen=True, slots=True)
class History:
    """Aligned history of ``k`` assets, one row per step, no gap.

    Attributes
    ----------
    sources : tuple of str
        Files, as they were given.
    assets : tuple of str, length k
    ts : ndarray of int64, shape (n,)
        Start of each step, unix seconds.
    close, high, low : ndarray, shape (n, k), cash
        Last price, highest and lowest price of the step (the close where the file has no range).
    iv : ndarray of shape (n, k) or None
        30-day at-the-money volatility, decimal per year, where the file has it.
    step_sec : int
        Length of a step.
    """

    sources: tuple[str, ...]
    assets: tuple[str, ...]
    ts: Integers
    close: Vector
    high: Vector
    low: Vector
    iv: Vector | None
    step_sec: int

    @property
    def source(self) -> str:
        """Files as they were given, for errors."""
        return ", ".join(self.sources)

    @property
    def name(self) -> str:
        """Files without their folders, for reports, which are the same wherever a file lies."""
        return ", ".join(Path(source).name or source for source in self.sources)

    def date(self, row: int) -> str:
        """ISO time of a row, UTC."""
        return _iso(int(self.ts[row]), self.step_sec)

    def between(self, start_ts: int, end_ts: int) -> History:
        """Return the steps that start in ``[start_ts, end_ts)``; at least two, else InputError."""
        keep = np.flatnonzero((self.ts >= start_ts) & (self.ts < end_ts))
        if keep.size < 2:
            there = f"the history goes from {self.date(0)} to {self.date(-1)}"
            raise InputError(self.source, f"fewer than two rows in the time asked for; {there}")
        rows = slice(int(keep[0]), int(keep[-1]) + 1)
        iv = None if self.iv is None else self.iv[rows]
        return History(
            self.sources,
            self.assets,
            self.ts[rows],
            self.close[rows],
            self.high[rows],
            self.low[rows],
            iv,
            self.step_sec,
        )

    def select(self, assets: Sequence[str]) -> History:
        """Return the same rows for some assets, in the order given; InputError names one that is not there."""
        missing = [name for name in assets if name not in self.assets]
        if missing:
            raise InputError(self.source, f"holds no rows of {missing[0]!r}, only {', '.join(self.assets)}")
        columns = [self.assets.index(name) for name in assets]
        iv = None if self.iv is None else self.iv[:, columns]
        return History(
            self.sources,
            tuple(assets),
            self.ts,
            self.close[:, columns],
            self.high[:, columns],
            self.low[:, columns],
            iv,
            self.step_sec,
        )


#: Last time that a row may bear, the first second of the year 2100, and the prices and volatilities that it may hold.
LAST_TS = 4_102_444_800
LEAST, MOST = 1e-12, 1e12


def _iso(ts: int, step_sec: int = DAY_SEC) -> str:
    moment = datetime.fromtimestamp(ts, UTC)
    return moment.strftime("%Y-%m-%d" if step_sec % DAY_SEC == 0 else "%Y-%m-%dT%H:%MZ")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Rows of one source, and where each of them stands there: on which line of a text, or as which row of a table."""

    source: str
    table: pa.Table
    word: str
    places: Integers

    def at(self, row: int) -> str:
        """Say where a row stands, for example ``line 17``."""
        return f"{self.word} {self.places[row]}"

    def of(self, mask: npt.NDArray[np.bool_]) -> _Sheet:
        """Return some of the rows."""
        return _Sheet(self.source, self.table.filter(pa.array(mask)), self.word, self.places[mask])


def _sheet_of(source: str | Path | Table) -> _Sheet:
    """Read a source."""
    if isinstance(source, str | Path):
        return _read_sheet(Path(source))
    return _rows_of("table", arrow_of(source))


def _rows_of(source: str, table: pa.Table) -> _Sheet:
    """Return a table whose rows are counted from 1."""
    return _Sheet(source, table, "row", np.arange(1, table.num_rows + 1))


def _is_number(name: str) -> bool:
    """Whether a column of a text holds prices or volatilities."""
    return name in (*_ALIASES["close"], *_ALIASES["iv"], "high", "low")


def _decimal(cell: str, mark: Mark) -> str:
    """Return a number with a decimal point; what is none stays as it is, and is refused by row."""
    try:
        return cell if cell in EMPTY else repr(read_float(cell, mark, "", ""))
    except InputError:
        return cell


def _read_text(path: Path) -> _Sheet:
    """Read a text as every command does: delimiter, decimal mark and encoding are what the text shows."""
    text = read_text_table(path)
    numbers = [name for name in text.names if _is_number(name)]
    try:
        mark, _ = decimal_mark((cell for name in numbers for cell in text.column(name)), text.source, text.delimiter)
    except InputError as error:
        raise InputError(text.source, f"{error.message.partition(';')[0]}; commas between fields settle it") from None
    columns = [
        [_decimal(cell, mark) for cell in text.column(name)] if name in numbers else text.column(name)
        for name in text.names
    ]
    plain = io.StringIO()
    rows.writer(plain).writerows([text.names, *zip(*columns, strict=True)])
    table = csv.read_csv(io.BytesIO(plain.getvalue().encode()), csv.ReadOptions(use_threads=False))
    return _Sheet(text.source, table, "line", np.array(text.lines, dtype=np.int64))


def _read_sheet(path: Path) -> _Sheet:
    source = str(path)
    if not path.exists():
        raise InputError(source, "no such file")
    if not path.is_file():
        raise InputError(source, "is no file")
    try:
        sheet = _rows_of(source, parquet.read_table(path)) if path.suffix == ".parquet" else _read_text(path)
    except OSError as error:
        raise InputError(source, f"cannot be read ({error.strerror or 'not a readable table'})") from None
    except pa.ArrowInvalid as error:
        raise InputError(source, f"is no table ({str(error).splitlines()[0]})") from None
    names = sheet.table.column_names
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(source, f"column {twice[0]!r} is there twice")
    return sheet


def _time_of(sheet: _Sheet) -> Integers:
    """Unix seconds, every one of them there and in this century or the last."""
    column = _column(sheet.table, _ALIASES["time"])
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        raise InputError(sheet.source, f"{sheet.at(row)} has no time")
    ts = _seconds(sheet, column)
    bad = (ts < 0) | (ts > LAST_TS)
    if bad.any():
        row = int(bad.argmax())
        raise InputError(sheet.source, f"{sheet.at(row)}: time {not_seconds(int(ts[row]), 0, LAST_TS)}")
    return ts


def _column(table: pa.Table, names: Sequence[str]) -> Any:
    found = next((name for name in names if name in table.column_names), None)
    return None if found is None else table[found]


def _numbers(sheet: _Sheet, column: Any, name: str) -> Vector:
    try:
        values: Vector = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    except pa.ArrowInvalid:
        row = next(row for row, cell in enumerate(column) if not _casts(cell, pa.float64()))
        said = f"{sheet.at(row)}: {name} {column[row].as_py()!r} is text where a number belongs"
        raise InputError(sheet.source, said) from None
    return values


def _casts(cell: Any, kind: pa.DataType) -> bool:
    """Whether a cell can be read as a type."""
    try:
        pc.cast(cell, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # the second is Arrow's for types that no cast joins
        return False
    return True


def _seconds(sheet: _Sheet, column: Any) -> Integers:
    """Unix seconds of a date, time or integer column."""
    stamp = pa.timestamp("s", tz="UTC" if pa.types.is_timestamp(column.type) else None)
    try:
        if pa.types.is_integer(column.type):
            return np.asarray(column.to_numpy(), dtype=np.int64)
        return np.asarray(pc.cast(pc.cast(column, stamp), pa.int64()).to_numpy(), dtype=np.int64)
    # A cast of text, a cast that Arrow does not know, integers with gaps: one answer for the reader of the file.
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
        row = next((row for row, cell in enumerate(column) if not _casts(cell, stamp)), 0)
        said = f"{sheet.at(row)}: time {column[row].as_py()!r} is no date and no unix seconds"
        raise InputError(sheet.source, said) from None


def _check_rows(sheet: _Sheet, asset: str, ts: Integers, fields: dict[str, Vector]) -> None:
    """Raise for the first row that is out of order, doubled or not a positive number."""
    step = np.diff(ts)
    if (step == 0).any():
        i = int((step == 0).argmax()) + 1
        raise InputError(sheet.source, f"{asset}: {sheet.at(i)} repeats the time {_iso(int(ts[i]), 1)}")
    if (step < 0).any():
        i = int((step < 0).argmax()) + 1
        said = f"{asset}: {sheet.at(i)} ({_iso(int(ts[i]), 1)}) is before the {sheet.word} above it: unsorted"
        raise InputError(sheet.source, said)
    for name, values in fields.items():
        beyond = np.isfinite(values) & (values > 0.0) & ((values < LEAST) | (values > MOST))
        if beyond.any():
            i = int(beyond.argmax())
            said = f"{asset}: {name} {values[i]:g} of {sheet.at(i)} is outside {LEAST:g} to {MOST:g}"
            raise InputError(sheet.source, said)
        bad = ~(np.isfinite(values) & (values > 0.0))
        if bad.any():
            i = int(bad.argmax())
            said = f"{asset}: {name} of {sheet.at(i)} ({_iso(int(ts[i]), 1)}) is no positive number"
            raise InputError(sheet.source, said)
    if ts.size > 1 and np.ptp(fields["close"]) == 0.0:
        said = f"{asset}: the price is constant at {fields['close'][0]:g} in all {ts.size} rows"
        raise InputError(sheet.source, said)


def _resample(ts: Integers, fields: dict[str, Vector], step_sec: int) -> tuple[Integers, dict[str, Vector]]:
    """Last close and volatility, highest high, lowest low of every step."""
    bucket = ts // step_sec
    starts = np.flatnonzero(np.r_[True, np.diff(bucket) > 0])
    ends = np.r_[starts[1:], ts.size] - 1
    out = {name: values[ends] for name, values in fields.items()}
    out["high"] = np.maximum.reduceat(fields["high"], starts)
    out["low"] = np.minimum.reduceat(fields["low"], starts)
    return bucket[starts], out


def _asset(sheet: _Sheet, asset: str, step_sec: int, start: int) -> tuple[Integers, dict[str, Vector]]:
    """Read the steps of one asset, checked."""
    names = pc.cast(sheet.table["asset"], pa.string())
    own = sheet.of(np.array([name == asset for name in names.to_pylist()], dtype=np.bool_))
    if own.table.num_rows == 0:
        known = ", ".join(sorted({str(n) for n in names.unique().to_pylist()}))
        raise InputError(sheet.source, f"holds no rows of {asset!r}, only {known}" if known else "holds no rows")
    ts = _time_of(own)
    close = _numbers(own, _column(own.table, _ALIASES["close"]), "close")
    fields = {"close": close}
    for name in ("high", "low"):
        fields[name] = _numbers(own, own.table[name], name) if name in own.table.column_names else close
    iv = _column(own.table, _ALIASES["iv"])
    if iv is not None:
        fields["iv"] = _numbers(own, iv, "iv")
    _check_rows(own, asset, ts, fields)
    keep = ts >= start
    if not keep.any():
        raise InputError(sheet.source, f"{asset}: no row at or after {_iso(start)}")
    return _resample(ts[keep], {name: values[keep] for name, values in fields.items()}, step_sec)


def _no_gap(source: str, asset: str, bucket: Integers, step_sec: int) -> None:
    jump = np.diff(bucket)
    if (jump > 1).any():
        i = int((jump > 1).argmax())
        first = _iso(int(bucket[i] + 1) * step_sec, step_sec)
        total = int((jump - 1).sum())
        raise InputError(source, f"{asset}: {total} step(s) missing, the first is {first}")


def load_history(
    source: str | Path | Table, assets: Sequence[str] | None = None, *, step_sec: int = DAY_SEC, start: int = 0
) -> History:
    """Read and check the history of some assets.

    Parameters
    ----------
    source : str or Path or DataFrame
        CSV (also gzipped) or parquet, or a pandas, polars or Arrow table, one row per time and asset: ``ts`` or
        ``date``, ``asset``, ``close`` (or ``close_usd``, ``index_price``), optionally ``high``, ``low`` and ``iv`` (or
        ``atm_iv_30d``).
    assets : sequence of str, optional
        Distinct; the columns of the result. Default: all that the source holds, in order of appearance.
    step_sec : int
        Rows inside one step are merged: last close, highest high, lowest low.
    start : int
        Unix seconds; earlier rows are left out.

    Returns
    -------
    History
        The steps that all assets have in common.

    Raises
    ------
    InputError
        Naming file, asset and line (of a table: row): unreadable, unsorted, doubled, missing or constant prices.

    Examples
    --------
    >>> import polars as pl
    >>> days = ["2026-02-04", "2026-02-05", "2026-02-06"]
    >>> table = pl.DataFrame({"date": days, "asset": ["ETH"] * 3, "close": [2_150.0, 1_820.0, 2_060.0]})
    >>> load_history(table).assets
    ('ETH',)
    """
    sheet = _sheet_of(source)
    name, table = sheet.source, sheet.table
    for key, names in (("time", _ALIASES["time"]), ("asset", ("asset",)), ("close", _ALIASES["close"])):
        if _column(table, names) is None:
            raise InputError(name, f"has no column {' or '.join(names)} ({key})")
    listed = pc.drop_null(pc.unique(pc.cast(table["asset"], pa.string()))).to_pylist() if assets is None else assets
    wanted = [str(asset) for asset in listed]
    if not wanted:
        raise InputError(name, "holds no rows")
    parts = [_asset(sheet, asset, step_sec, start) for asset in wanted]
    return _aligned(name, wanted, parts, step_sec)


def _aligned(
    source: str, assets: Sequence[str], parts: Sequence[tuple[Integers, dict[str, Vector]]], step_sec: int
) -> History:
    """Put the steps of all assets side by side, where they have them in common."""
    for asset, (bucket, _) in zip(assets, parts, strict=True):
        _no_gap(source, asset, bucket, step_sec)
    first = max(int(bucket[0]) for bucket, _ in parts)
    last = min(int(bucket[-1]) for bucket, _ in parts)
    if last - first < 1:
        raise InputError(source, f"{', '.join(assets)} have fewer than two steps in common")

    def stack(name: str) -> Vector:
        return np.stack([f[name][first - int(b[0]) : last - int(b[0]) + 1] for b, f in parts], axis=1)

    iv = stack("iv") if all("iv" in fields for _, fields in parts) else None
    ts = np.arange(first, last + 1, dtype=np.int64) * step_sec
    return History((source,), tuple(assets), ts, stack("close"), stack("high"), stack("low"), iv, step_sec)


def join_histories(earlier: History, later: History) -> History:
    """Continue one history with another of the same assets and step.

    Parameters
    ----------
    earlier, later : History
        ``later`` starts at the latest one step after ``earlier`` ends; where both have a step ``earlier`` counts.

    Returns
    -------
    History
        Without volatilities; the source names both.

    Raises
    ------
    InputError
        When assets or steps differ, or steps are missing between the two.
    """
    if earlier.assets != later.assets or earlier.step_sec != later.step_sec:
        raise InputError(later.source, f"holds other assets or steps than {earlier.source}")
    end = int(earlier.ts[-1])
    if int(later.ts[0]) > end + earlier.step_sec:
        raise InputError(
            later.source, f"starts {later.date(0)}, {earlier.source} ends {earlier.date(-1)}: steps missing"
        )
    new = later.ts > end
    return History(
        (*earlier.sources, *later.sources),
        earlier.assets,
        np.concatenate([earlier.ts, later.ts[new]]),
        np.concatenate([earlier.close, later.close[new]]),
        np.concatenate([earlier.high, later.high[new]]),
        np.concatenate([earlier.low, later.low[new]]),
        None,
        earlier.step_sec,
    )
