"""Times as others write them: units by declared ranges, zones only where they are written or named."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from plimsoll.dialects.time_units import END_SEC, FIRST_SEC, RANGES, UNITS
from plimsoll.errors import InputError

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

EXPIRY_HOUR: Final = 8
"""Venues list an expiry by its day; Deribit, OKX, Bybit, Derive and this protocol all end it at 08:00 UTC."""
MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ARROW_UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DIGITS: Final = re.compile(r"\d+(\.\d+)?")
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s?(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?"
)
_NAMED: Final = re.compile(r"(\d{1,2})[- ]?([A-Za-z]{3})[- ]?(\d{4}|\d\d)(?:,? (\d\d):(\d\d)(?::(\d\d))?\s?(Z|UTC)?)?")


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times.

    Attributes
    ----------
    ts : ndarray of int64
        Unix seconds; parts of a second are cut off.
    rule : str
        How they were read, to be said: ``milliseconds since 1970, UTC``.
    """

    ts: Integers
    rule: str


def zone_of(name: str | None) -> ZoneInfo | None:
    """Return a time zone by its name, such as ``Europe/Berlin``.

    Parameters
    ----------
    name : str or None
        Value of ``--timezone``.

    Returns
    -------
    ZoneInfo or None

    Raises
    ------
    InputError
        When there is no zone of that name.
    """
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError("--timezone", f"{name!r} is no time zone; expected one like UTC or Europe/Berlin") from None


def day_of(year: int, month: int, day: int) -> int:
    """Return the unix seconds at which an option of a day expires: 08:00 UTC.

    Parameters
    ----------
    year, month, day : int

    Returns
    -------
    int

    Raises
    ------
    ValueError
        When there is no such day.
    """
    return int((datetime(year, month, day, tzinfo=UTC) + timedelta(hours=EXPIRY_HOUR)).timestamp())


def read_times(
    column: pa.ChunkedArray[Any] | Sequence[object],
    source: str,
    name: str,
    *,
    zone: ZoneInfo | None = None,
    is_expiry: bool = False,
) -> Times:
    """Read a column of times by what it is: numbers by their size, texts and columns of times by their zone.

    Parameters
    ----------
    column : pyarrow.ChunkedArray or sequence
        Integers or floats since 1970, texts, times or days; no gaps.
    source : str
        File, for errors.
    name : str
        Column, for errors.
    zone : ZoneInfo, optional
        Of times that name none; without it they are refused.
    is_expiry : bool
        Days are at 08:00 UTC, and parts of a second are refused. Of other times a day alone is refused.

    Returns
    -------
    Times

    Raises
    ------
    InputError
        When a time is outside the declared ranges, in another unit than its column, without a zone, or none at all.
    """
    reader = _Reader(source, name, zone, is_expiry)
    try:
        found = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([_array_of(column)])
    except (pa.ArrowException, TypeError, OverflowError):
        raise InputError(source, f"column {name}: holds times of several kinds") from None
    if found.null_count:
        raise reader.at(int(np.flatnonzero(found.is_null().to_numpy())[0]), "is empty")
    return reader.read(found)


@dataclass(frozen=True, slots=True)
class _Reader:
    source: str
    name: str
    zone: ZoneInfo | None
    is_expiry: bool

    def at(self, row: int, message: str) -> InputError:
        """Return the error of one row."""
        return InputError(self.source, f"column {self.name} row {row + 1}: {message}")

    def read(self, column: pa.ChunkedArray[Any]) -> Times:
        kind = column.type
        if pa.types.is_timestamp(kind):
            return self._stamps(column)
        if pa.types.is_date(kind):
            return self._days(column)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return self._numbers(column.to_numpy())
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return self._texts(column)
        raise InputError(self.source, f"column {self.name}: of type {kind}, which is no time")

    def _stamps(self, column: pa.ChunkedArray[Any]) -> Times:
        unit = column.type.unit
        if column.type.tz is None:
            if self.zone is None:
                raise self.at(0, f"{column[0].as_py()} names no time zone; say which with --timezone")
            stamps: list[Any] = column.cast(pa.timestamp("us"), safe=False).to_pylist()
            return self._texts(pa.chunked_array([pa.array([f"{stamp:%Y-%m-%d %H:%M:%S}" for stamp in stamps])]))
        counts = column.cast(pa.int64()).to_numpy()
        return Times(self._seconds(counts, _ARROW_UNITS[unit]), f"times with their zone ({column.type.tz}), as UTC")

    def _days(self, column: pa.ChunkedArray[Any]) -> Times:
        if not self.is_expiry:
            raise self.at(0, f"{column[0].as_py()} is a day without a time")
        days = column.cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
        return Times(self._within(days + EXPIRY_HOUR * 3_600), "days, each at 08:00 UTC")

    def _numbers(self, values: npt.NDArray[Any]) -> Times:
        if values.dtype == object:
            values = np.array([float(v) for v in values])
        if self.is_expiry and _are_day_numbers(values):
            return self._each([str(int(v)) for v in values], _day_number, "days as YYYYMMDD, each at 08:00 UTC")
        for unit, scale in UNITS.items():
            inside = (values >= FIRST_SEC * scale) & (values < END_SEC * scale)
            if inside.all():
                return Times(self._seconds(values, scale), f"{unit} since 1970, UTC")
            if inside.any() and inside[0]:
                row = int(np.flatnonzero(~inside)[0])
                raise self.at(row, f"{values[row]} is not in {unit} since 1970 like row 1; a column has one unit")
        raise self.at(0, f"{values[0]} is no time; {RANGES}, and so on to nanoseconds")

    def _seconds(self, values: npt.NDArray[Any], scale: int) -> Integers:
        whole = np.floor_divide(values, scale).astype(np.int64)
        if self.is_expiry:
            parts = values != whole * scale
            if parts.any():
                row = int(np.flatnonzero(parts)[0])
                raise self.at(row, f"{values[row]} has parts of a second; an expiry is a whole one")
        return self._within(whole)

    def _within(self, ts: Integers) -> Integers:
        outside = (ts < FIRST_SEC) | (ts >= END_SEC)
        if outside.any():
            row = int(np.flatnonzero(outside)[0])
            raise self.at(row, f"{int(ts[row])} s since 1970 is outside the years 2000 to 2099")
        return ts

    def _texts(self, column: pa.ChunkedArray[Any]) -> Times:
        encoded = column.combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        places = encoded.indices.to_numpy()
        words = [str(word).strip() for word in encoded.dictionary.to_pylist()]
        rows = [int(np.flatnonzero(places == number)[0]) for number in range(len(words))]
        if all(_DIGITS.fullmatch(word) for word in words):
            numbers = [float(w) if "." in w else int(w) for w in words]
            if max(numbers) >= 2**63:
                raise self.at(0, f"{words[0]} is no time; {RANGES}")
            found = self._numbers(np.array(numbers))
            return Times(found.ts[places], found.rule)
        read = [self._text(word, row) for word, row in zip(words, rows, strict=True)]
        rules = sorted({rule for _, rule in read})
        if len(rules) > 1:
            row = next(row for row, (_, rule) in zip(rows, read, strict=True) if rule != read[0][1])
            raise self.at(row, f"{words[places[row]]!r} is {rules[1]}, others are {rules[0]}; a column is of one kind")
        return Times(self._within(np.array([ts for ts, _ in read], dtype=np.int64))[places], rules[0])

    def _text(self, word: str, row: int) -> tuple[int, str]:
        """Return one time and the rule it was read by."""
        iso, named = _ISO.fullmatch(word), _NAMED.fullmatch(word)
        if iso is not None:
            year, month, day, *clock, zone = iso.groups()
        elif named is not None and named[2].upper() in MONTHS:
            day, word_month, year, *clock, zone = named.groups()
            year = year if len(year) == 4 else f"20{year}"
            month = str(MONTHS.index(word_month.upper()) + 1)
        else:
            hint = "; day and month may be either: write 2026-02-05" if "/" in word else ""
            raise self.at(row, f"{word!r} is no time{hint or '; expected one like 2026-02-05T21:29:00Z'}")
        try:
            if clock[0] is None:
                return self._day(word, row, day_of(int(year), int(month), int(day)))
            hour, minute, second = (int(part or 0) for part in clock)
            moment = datetime(int(year), int(month), int(day), hour, minute, second)
        except ValueError:
            raise self.at(row, f"{word!r} is no time: there is no such day or hour") from None
        return self._moment(word, row, moment, zone)

    def _day(self, word: str, row: int, ts: int) -> tuple[int, str]:
        if not self.is_expiry:
            raise self.at(row, f"{word!r} is a day without a time")
        return ts, "days, each at 08:00 UTC"

    def _moment(self, word: str, row: int, moment: datetime, zone: str | None) -> tuple[int, str]:
        if zone is not None:
            offset = timedelta(0) if zone in ("Z", "UTC") else _offset_of(zone)
            return int((moment - offset).replace(tzinfo=UTC).timestamp()), "times with their zone, as UTC"
        if self.zone is None:
            raise self.at(row, f"{word!r} names no time zone; say which with --timezone")
        first, second = (int(moment.replace(tzinfo=self.zone, fold=fold).timestamp()) for fold in (0, 1))
        if first != second:
            raise self.at(row, f"{word!r} is there twice or not at all in {self.zone.key}, where the clocks change")
        return first, f"times without a zone, taken as {self.zone.key} (--timezone)"

    def _each(self, words: Sequence[str], read: Callable[[str], int], rule: str) -> Times:
        found = []
        for row, word in enumerate(words):
            try:
                found.append(read(word))
            except ValueError:
                raise self.at(row, f"{word} is no day as YYYYMMDD") from None
        return Times(self._within(np.array(found, dtype=np.int64)), rule)


def _array_of(values: Sequence[object]) -> pa.Array[Any]:
    cells: Any = list(values)
    found: pa.Array[Any] = pa.array(cells)
    return found


def _are_day_numbers(values: npt.NDArray[Any]) -> bool:
    """Whether all are days like 20260327; no unit since 1970 has numbers of that size."""
    return bool(((values >= 20_000_101) & (values <= 20_991_231)).all())


def _day_number(word: str) -> int:
    return day_of(int(word[:4]), int(word[4:6]), int(word[6:]))


def _offset_of(zone: str) -> timedelta:
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    found = timedelta(hours=hours, minutes=minutes)
    return -found if zone[0] == "-" else found
