"""Numbers as others write them: exact, with one decimal mark for a table, decided by what cannot be read twice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final, Literal

from plimsoll.errors import InputError

Mark = Literal[".", ","]

MARKS: Final[dict[str, Mark]] = {"point": ".", "comma": ","}
#: Cells that hold nothing.
EMPTY: Final = frozenset(("", "-", "--", "N/A", "null"))
MAX_EXPONENT: Final = 40
"""More than that is no amount of anything, and as a fraction would fill the memory."""

_NUMBER: Final = re.compile(r"[+-]?(?P<digits>[\d.,\u00a0\u2009\u202f' ]*\d|\d*[.,])(?:[eE][+-]?\d{1,4})?")
#: Without groups, and within the exponents that are read.
_UNGROUPED: Final = re.compile(r"[+-]?\d{1,17}(?:\.\d{1,20})?(?:[eE][+-]?\d)?", re.ASCII)
#: Signs between groups of three that are no decimal mark anywhere.
_SPACES: Final = re.compile(r"(?<=\d)[\u00a0\u2009\u202f' ](?=\d{3}(?:\D|$))")


def exact(value: object, source: str, what: str) -> Fraction:
    """Return a number of a JSON document exactly as it is written.

    Parameters
    ----------
    value : object
        Integer, float, ``Decimal``, ``Fraction``, or a text with a decimal point, as most venues write amounts.
    source : str
        File, for errors.
    what : str
        What the number is, for errors.

    Returns
    -------
    Fraction

    Raises
    ------
    InputError
        When it is no finite number.
    """
    if isinstance(value, Fraction):
        return value
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
            raise ValueError
        found = Decimal(str(value).strip())
        if not found.is_finite() or abs(found.adjusted()) > MAX_EXPONENT:
            raise ValueError
        return Fraction(found)
    except (ValueError, InvalidOperation):
        raise InputError(source, f"{what}: {_shown(value)} is no number") from None


def decimal_mark(cells: Iterable[str], source: str, delimiter: str) -> tuple[Mark, str]:
    """Decide on the decimal mark of a whole table.

    Parameters
    ----------
    cells : iterable of str
        All cells that are to be read as numbers.
    source : str
        File, for errors.
    delimiter : str
        Between the fields of the table. Where that is a comma, a number that can be read twice has a point.

    Returns
    -------
    mark : str
        ``.`` or ``,``.
    rule : str
        How it was decided, to be said.

    Raises
    ------
    InputError
        When cells contradict each other, or every one can be read twice: ``1.234`` is 1234 where the mark is a comma.
    """
    sure: dict[Mark, str] = {}
    doubtful: list[str] = []
    for cell in cells:
        points, commas = cell.count("."), cell.count(",")
        if points + commas == 0 or (points + commas == 1 and ("." if points else ",") in sure):
            continue  # says nothing new, as most cells of a table
        found = _marks_of(cell)
        if found == (".", ","):
            doubtful.append(cell)
        elif len(found) == 1:
            sure.setdefault(found[0], cell)
    if len(sure) == 2:
        message = f"{sure['.']!r} has a decimal point and {sure[',']!r} a decimal comma; a table has one of them"
        raise InputError(source, message)
    if sure:
        mark, cell = next(iter(sure.items()))
        return mark, f"decimal {_name(mark)}, as in {cell}"
    if doubtful and delimiter != ",":
        options = "--decimal point or --decimal comma"
        raise InputError(source, f"{doubtful[0]!r} is a whole number or has three decimals; say which with {options}")
    return ".", "decimal point"


def read_number(cell: str, mark: Mark, source: str, what: str) -> Fraction:
    """Return one cell as a number, exactly.

    Parameters
    ----------
    cell : str
        Groups of three digits may be parted by the other mark, a space or an apostrophe.
    mark : str
        Decimal mark of the table.
    source, what : str
        File, and column with row, for errors.

    Returns
    -------
    Fraction

    Raises
    ------
    InputError
        When the cell is no number with that mark.
    """
    text = _plain(cell)
    other = "," if mark == "." else "."
    whole, _, parts = text.partition(mark)
    groups = whole.lstrip("+-").split(other)
    is_grouped = len(groups) == 1 or (1 <= len(groups[0]) <= 3 and all(len(g) == 3 for g in groups[1:]))
    if not _NUMBER.fullmatch(text) or other in parts or mark in parts or not is_grouped:
        raise InputError(source, f"{what}: {cell!r} is no number with a decimal {_name(mark)}")
    return exact(text.replace(other, "").replace(mark, "."), source, what)


def read_float(cell: str, mark: Mark, source: str, what: str) -> float:
    """Return one cell as the nearest double; as ``read_number``, and quick for a cell without groups.

    Parameters
    ----------
    cell : str
    mark : str
        Decimal mark of the table.
    source, what : str
        File, and column with row, for errors.

    Returns
    -------
    float

    Raises
    ------
    InputError
        When the cell is no number with that mark.
    """
    text = cell if mark == "." else cell.replace(",", ".") if "." not in cell else ""
    if _UNGROUPED.fullmatch(text):
        return float(text)
    return float(read_number(cell, mark, source, what))


def _plain(cell: str) -> str:
    """Return a cell with an ASCII sign and without the signs between groups that are no marks."""
    return _SPACES.sub("", cell.strip().replace("\u2212", "-"))


def _marks_of(cell: str) -> tuple[Mark, ...]:
    """Return the decimal marks that a number can have; both where it can be read twice, none where it has no mark."""
    text = _plain(cell)
    found = _NUMBER.fullmatch(text)
    if found is None:
        return ()
    digits = found["digits"]
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        return (".",) if digits.rindex(".") > digits.rindex(",") else (",",)
    if points + commas == 0:
        return ()
    sign: Mark = "." if points else ","
    if points + commas > 1:
        return (",",) if points else (".",)
    before, after = digits.split(sign)
    is_group = len(after) == 3 and 1 <= len(before) <= 3 and not before.startswith("0")
    return (".", ",") if is_group and found["digits"] == text.lstrip("+-") else (sign,)


def _name(mark: Mark) -> str:
    return "point" if mark == "." else "comma"


def _shown(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "nothing"
    return repr(str(value)[:40])
