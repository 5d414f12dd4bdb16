"""Documents from tables: the columns are the keys of the files, one row a position or an expiry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plimsoll.errors import InputError
from plimsoll.frames import Table, records_of
from plimsoll.model import CASH_SYMBOL

#: What messages call a table.
NAME: Final = "table"
#: What a market says of an underlying, alike in each of its rows.
_OF_UNDERLYING: Final = ("spot", "perp", "confidence", "settlementMean")
_OF_SLICE: Final = ("a", "b", "rho", "m", "sigma")
_OF_EXPIRY: Final = ("expiry", "forward", "rate")
_MARKET_COLUMNS: Final = ("timestamp", "underlying", *_OF_UNDERLYING, *_OF_EXPIRY, *_OF_SLICE)


def refuse_beside_file(**given: object) -> None:
    """Refuse what only goes with a table: a file or a mapping says it by itself."""
    for name, value in given.items():
        if value is not None:
            raise InputError(name, "goes with a table only; a file says it by itself")


def portfolio_document(
    table: Table, mode: str | None, cash: float | None, collateral: Mapping[str, float] | None
) -> dict[str, Any]:
    """Return the ``plimsoll.portfolio/1`` document of a table of positions.

    Parameters
    ----------
    table : pandas.DataFrame, polars.DataFrame or pyarrow.Table
        One row per position, with the keys of the file as columns; a cell that does not apply is empty.
    mode : str, optional
        Margin mode, default SINGLE.
    cash : float, optional
        Cash, default 0.
    collateral : mapping of str to float, optional
        Amounts by token symbol, default none.

    Returns
    -------
    dict
    """
    amounts = [{"token": symbol, "amount": amount} for symbol, amount in (collateral or {}).items()]
    return {
        "schema": "plimsoll.portfolio/1",
        "mode": "SINGLE" if mode is None else mode,
        "cash": 0.0 if cash is None else cash,
        "collateral": amounts,
        "positions": records_of(table),
    }


def market_document(table: Table, tokens: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Any]:
    """Return the ``plimsoll.market/1`` document of a table of expiries.

    Parameters
    ----------
    table : pandas.DataFrame, polars.DataFrame or pyarrow.Table
        One row per expiry: ``timestamp``, ``underlying``, ``spot``, ``perp``, ``confidence``, ``expiry``, ``forward``,
        ``rate`` and the slice ``a``, ``b``, ``rho``, ``m``, ``sigma``. Where an underlying has no expiry its one row
        leaves those empty.
    tokens : mapping of str to mapping, optional
        Entries of the key ``tokens`` of the file; default: the cash token at par.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        For an unknown column, or rows that say different things of one underlying.
    """
    underlyings: dict[str, dict[str, Any]] = {}
    stamps = []
    for number, row in enumerate(records_of(table)):
        unknown = sorted(set(row) - set(_MARKET_COLUMNS))
        if unknown:
            raise InputError(NAME, f"unknown column {unknown[0]!r}; known columns are {', '.join(_MARKET_COLUMNS)}")
        for name in ("timestamp", "underlying"):
            if name not in row:
                raise InputError(NAME, f"row {number + 1} has no {name}")
        stamps.append(row["timestamp"])
        _add(underlyings, row)
    if len(set(stamps)) != 1:
        raise InputError(NAME, f"holds {len(set(stamps))} different times; a market has one")
    listed = {CASH_SYMBOL: {"price": 1.0}} if tokens is None else {name: dict(item) for name, item in tokens.items()}
    return {"schema": "plimsoll.market/1", "timestamp": stamps[0], "tokens": listed, "underlyings": underlyings}


def _add(underlyings: dict[str, dict[str, Any]], row: Mapping[str, Any]) -> None:
    """Add the expiry of a row to its underlying."""
    name = row["underlying"]
    head = {key: row[key] for key in _OF_UNDERLYING if key in row}
    entry = underlyings.setdefault(name, head | {"expiries": []})
    for key in _OF_UNDERLYING:
        if entry.get(key) != head.get(key):
            raise InputError(NAME, f"{name}: {key} is {entry.get(key)} in one row and {head.get(key)} in another")
    found = {key: row[key] for key in _OF_EXPIRY if key in row}
    found_slice = {key: row[key] for key in _OF_SLICE if key in row}
    if found or found_slice:
        entry["expiries"].append(found | {"svi": found_slice})
