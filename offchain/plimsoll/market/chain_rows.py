"""Rows of an option chain as venues and collectors give them: a wrong one is left out by name, the others stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from plimsoll.constants import YEAR_SEC
from plimsoll.errors import InputError
from plimsoll.market.chain_file import IV_LIMIT, MARK_SLACK, SCHEMA, UNDERLYING_RATIO_LIMIT
from plimsoll.mirror.black76 import greeks, price_and_delta

MIN_KEPT: Final = 0.5
"""Share of the rows that must be right: where more than half is wrong it is the form that is another, not a row."""
NAMED: Final = 3
"""Rows left out that a warning names; the others are counted."""

#: A row by the columns of a chain file; ``ts`` and ``expiry`` are unix seconds.
Row = dict[str, Any]


@dataclass(slots=True)
class ChainRows:
    """Collects rows; wrong ones with their reason.

    Attributes
    ----------
    source : str
        Where the rows come from; named in errors.
    dropped : list of (str, str)
        Instruments left out, each with the reason.
    """

    source: str
    dropped: list[tuple[str, str]] = field(default_factory=list)
    _rows: dict[tuple[int, str, int, float, str], Row] = field(default_factory=dict)

    def drop(self, name: str, reason: str) -> None:
        """Leave a row out.

        Parameters
        ----------
        name : str
            Instrument.
        reason : str
        """
        self.dropped.append((name, reason))

    def add(self, name: str, row: Row) -> None:
        """Take a row, or leave it out when a chain file would refuse it or the instrument is there already.

        Parameters
        ----------
        name : str
            Instrument.
        row : dict
            Columns of a chain file; without ``delta`` and ``vega`` they are Black-76 at the volatility of the mark.
            ``mark_iv`` is NaN where there is none.
        """
        key = (row["ts"], row["currency"], row["expiry"], row["strike"], row["type"])
        fault = fault_of(row) or ("is there twice" if key in self._rows else None)
        if fault is None:
            self._rows[key] = row
        else:
            self.drop(name, fault)

    @property
    def underlyings(self) -> set[str]:
        """Underlyings with a row that is right."""
        return {currency for _, currency, _, _, _ in self._rows}

    def __len__(self) -> int:
        return len(self._rows)

    def table(self) -> pa.Table:
        """Return the rows that are right as the table of a chain file.

        Returns
        -------
        pyarrow.Table

        Raises
        ------
        InputError
            When fewer than the share ``MIN_KEPT`` of the rows is right.
        """
        seen = len(self._rows) + len(self.dropped)
        if len(self._rows) < MIN_KEPT * seen:
            name, reason = self.dropped[0]
            message = f"{len(self.dropped)} of {seen} rows are wrong, more than half; the first: {name} {reason}"
            raise InputError(self.source, message)
        rows = [self._rows[key] for key in sorted(self._rows)]
        _add_greeks(rows)
        return pa.table([pa.array([r[f.name] for r in rows]).cast(f.type) for f in SCHEMA], schema=SCHEMA)


def fault_of(row: Row) -> str | None:
    """Return why a chain file would refuse a row, ``None`` when it is right.

    Parameters
    ----------
    row : dict
        Columns of a chain file.

    Returns
    -------
    str or None
    """
    for name in ("strike", "underlying", "index_price"):
        if not 0.0 < row[name] < float("inf"):
            return f"{name} is {row[name]:g}, it must be above 0"
    for name in ("bid", "ask", "mark", "open_interest", "volume_24h"):
        if row[name] is not None and not 0.0 <= row[name] < float("inf"):
            return f"{name} is {row[name]:g}, it must not be negative"
    iv = row["mark_iv"]
    if iv < 0.0 or iv > IV_LIMIT:
        return f"mark_iv is {100.0 * iv:g} %, outside 0 to {100.0 * IV_LIMIT:g} %"
    ratio = row["underlying"] / row["index_price"]
    if not 1.0 / UNDERLYING_RATIO_LIMIT <= ratio <= UNDERLYING_RATIO_LIMIT:
        return f"underlying is {ratio:g} times the index, the limit is a factor of {UNDERLYING_RATIO_LIMIT:g}"
    bound = MARK_SLACK * max(1.0, row["strike"] / row["underlying"])
    if row["mark"] > bound:
        return f"mark is {row['mark']:g} coin, above its bound {bound:g}; price in USD?"
    return None


def dropped_notes(dropped: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Say what was left out: how many, and the first of them by name.

    Parameters
    ----------
    dropped : sequence of (str, str)

    Returns
    -------
    tuple of str
    """
    if not dropped:
        return ()
    named = [f"left out: {name} {reason}" for name, reason in dropped[:NAMED]]
    more = len(dropped) - NAMED
    rows = "1 row is" if len(dropped) == 1 else f"{len(dropped)} rows are"
    return (f"{rows} wrong and left out", *named, *([f"left out: {more} more"] if more > 0 else []))


def _add_greeks(rows: list[Row]) -> None:
    """Add what a venue's summary lacks, and write an absent volatility as a gap."""
    forward, strike, sigma = (np.array([r[n] for r in rows], dtype=float) for n in ("underlying", "strike", "mark_iv"))
    is_call = np.array([r["type"] == "C" for r in rows], dtype=bool)
    years = np.array([(r["expiry"] - r["ts"]) / YEAR_SEC for r in rows], dtype=float)
    known = np.nan_to_num(sigma)
    delta = price_and_delta(is_call, forward, strike, known * np.sqrt(years), np.ones_like(years))[1]
    vega = greeks(is_call, forward, strike, known, years, np.zeros_like(years)).vega / 100.0
    for row, d, v in zip(rows, delta, vega, strict=True):
        row.setdefault("delta", round(float(d), 5))
        row.setdefault("vega", round(float(v), 5))
        row["mark_iv"] = None if np.isnan(row["mark_iv"]) else round(row["mark_iv"], 6)
