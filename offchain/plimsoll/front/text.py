"""Results as plain text: tables that fit a terminal of 80 columns, and errors that name Python's arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from plimsoll.errors import InputError, UnavailableError


def cash(value: float) -> str:
    """Cash to the cent, with thousands separators; what rounds to nothing has no sign."""
    return f"{0.0 if abs(value) < 0.005 else value:,.2f}"


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], gap: int = 2) -> list[str]:
    """Return the lines of a table.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequence of str
        As long as the header; the first column is aligned left, the others right.
    gap : int
        Blanks between two columns.

    Returns
    -------
    list of str
    """
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = []
    for row in (header, *rows):
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0] = row[0].ljust(widths[0])
        lines.append((" " * gap).join(cells).rstrip())
    return lines


@contextmanager
def python_errors() -> Iterator[None]:
    """Say what went wrong as Python does: ``keep``, where the analytics name the option ``--keep`` of the command line.

    Raises
    ------
    InputError
        The one that came, with the name changed.
    UnavailableError
        In place of an import error: a package of the extra ``desk`` is not installed.
    """
    try:
        yield
    except InputError as error:
        if not error.source.startswith("--"):
            raise
        raise type(error)(error.source[2:].replace("-", "_"), error.message) from None
    except ImportError as missing:
        hint = "is not installed; pip install 'plimsoll-margin[desk]'"
        raise UnavailableError(missing.name or "a package", hint) from None
