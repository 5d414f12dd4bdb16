"""From records to a statement: signs, contract sizes, equity and cash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

from plimsoll.dialects.numerals import exact
from plimsoll.errors import InputError
from plimsoll.intake.contract import Contract
from plimsoll.intake.records import Record, Sheet
from plimsoll.intake.statement import Balance, Holding, Statement

#: Reads a contract's name; the second argument is the category that the answer gives, or nothing.
Parse = Callable[[str, str], Contract | None]

_SIGNS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("buy", "long"), 1),
    **dict.fromkeys(("sell", "short"), -1),
    **dict.fromkeys(("net", "zero", "none", "both"), 0),
}


def number_of(record: Record, name: str, source: str, row: int) -> Fraction | None:
    """Return a number of a record, exactly; ``None`` where it has none.

    Parameters
    ----------
    record : mapping
    name : str
        Our name.
    source : str
    row : int
        From 0.

    Returns
    -------
    Fraction or None

    Raises
    ------
    InputError
        When it is no number.
    """
    value = record.get(name)
    return None if value is None else exact(value, source, f"row {row + 1} {name}")


def take_positions(statement: Statement, sheet: Sheet, parse: Parse, sizes: Mapping[str, Fraction] | None) -> None:
    """Take every position; a row that cannot be read is refused, because a book without a leg has a wrong margin.

    Parameters
    ----------
    statement : Statement
    sheet : Sheet
        Of positions.
    parse : callable
    sizes : mapping of str to Fraction, optional
        What one contract is, by name, where the venue counts contracts.

    Raises
    ------
    InputError
        When a row has no size, a sign that contradicts its side, an unknown contract or an unknown size of one.
    """
    for row, record in enumerate(sheet.records):
        size = _signed_size(record, sheet.source, row)
        if size == 0:
            continue
        name = str(record.get("name", ""))
        contract = parse(name, str(record.get("category", "")))
        if contract is None:
            message = f"row {row + 1}: {name!r} is no future, perpetual or option of {statement.venue}"
            raise InputError(sheet.source, message)
        if sizes is not None:
            if name not in sizes:
                message = f"{name}: the size of a contract is not known; add the venue's list of instruments"
                raise InputError(sheet.source, message)
            size *= sizes[name]
        entry, mark, index = (number_of(record, key, sheet.source, row) for key in ("entry", "mark", "index"))
        if index is not None and index > 0:
            statement.spots.setdefault(contract.underlying, index)
        if contract.kind.is_linear and contract.expiry_ts == 0 and mark is not None and mark > 0:
            statement.perps.setdefault(contract.underlying, mark)
        statement.hold(Holding(contract, size, entry, mark, sheet.source))


def _signed_size(record: Record, source: str, row: int) -> Fraction:
    size = number_of(record, "size" if "size" in record else "amount", source, row)
    if size is None:
        raise InputError(source, f"row {row + 1}: has no size")
    side = str(record.get("side", "net")).strip().lower()
    if side not in _SIGNS:
        raise InputError(source, f"row {row + 1} side: {side!r} is not one of {', '.join(_SIGNS)}")
    sign = _SIGNS[side]
    if sign > 0 > size:
        raise InputError(source, f"row {row + 1}: the size {float(size):g} is negative and the side {side}")
    return size if sign == 0 else sign * abs(size)


def take_balances(statement: Statement, sheet: Sheet) -> None:
    """Take every balance: equity where there is one, else cash.

    Parameters
    ----------
    statement : Statement
    sheet : Sheet
        Of balances.

    Raises
    ------
    InputError
        When a row has no currency or no amount, or a currency is there twice.
    """
    for row, record in enumerate(sheet.records):
        currency = str(record.get("currency", "")).upper()
        equity, cash, amount, usd, mark = (
            number_of(record, key, sheet.source, row) for key in ("equity", "cash", "amount", "usd", "mark")
        )
        held = equity if equity is not None else cash if cash is not None else amount
        if not currency or held is None:
            raise InputError(sheet.source, f"row {row + 1}: has no {'amount' if currency else 'currency'}")
        if held == 0:
            continue
        price = mark if mark is not None and mark > 0 else None
        if price is None and usd is not None and usd / held > 0:
            price = usd / held
        statement.bank(currency, Balance(held, equity is not None, price), sheet.source)
        kind = "equity, open profit and options in it" if equity is not None else "cash, open profit not in it"
        statement.say(f"balances: {kind}")


def contract_sizes(sheets: Iterable[Sheet]) -> dict[str, Fraction]:
    """Return what one contract is, by name: face value times multiple.

    Parameters
    ----------
    sheets : iterable of Sheet
        Of contract sizes.

    Returns
    -------
    dict of str to Fraction
        USD for an inverse future or perpetual, else coins.

    Raises
    ------
    InputError
        When a size is no number above 0.
    """
    found: dict[str, Fraction] = {}
    for sheet in sheets:
        for row, record in enumerate(sheet.records):
            name: Any = record.get("name")
            face = number_of(record, "face", sheet.source, row)
            if name is None or face is None:
                continue
            size = face * (number_of(record, "multiple", sheet.source, row) or 1)
            if size <= 0:
                raise InputError(sheet.source, f"row {row + 1}: the size of a contract is {float(size):g}")
            found[str(name)] = size
    return found
