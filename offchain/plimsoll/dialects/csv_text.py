"""Tables of text: byte order marks, delimiters and quotes as spreadsheets and collectors write them."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plimsoll.errors import InputError

DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MAX_BYTES: Final = 512 * 1024 * 1024
"""Of the text, unpacked."""
_SEPARATOR: Final = "sep="
"""First line of what a spreadsheet exports: names the delimiter."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table as written.

    Attributes
    ----------
    source : str
        File, for errors.
    delimiter : str
    names : tuple of str
        Of the columns, without spaces around them.
    rows : list of list of str
        As many cells each as there are names.
    lines : list of int
        Of the file, from 1, that each row ends on.
    """

    source: str
    delimiter: str
    names: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]

    def column(self, name: str) -> list[str]:
        """Return the cells of a column."""
        place = self.names.index(name)
        return [row[place].strip() for row in self.rows]

    @property
    def rule(self) -> str:
        """Say how the table was read."""
        return f"fields parted by {DELIMITERS[self.delimiter]}"


def read_text_table(path: Path) -> TextTable:
    """Read a file of delimited text, packed (``.gz``) or not.

    Parameters
    ----------
    path : Path
        UTF-8, with a byte order mark or without, or UTF-16 with one.

    Returns
    -------
    TextTable

    Raises
    ------
    InputError
        When the file cannot be read, its delimiter is not clear, or a line has another number of fields.
    """
    return parse_text_table(_text_of(path), str(path))


def parse_text_table(text: str, source: str) -> TextTable:
    """Split a text into a table.

    Parameters
    ----------
    text : str
    source : str
        Named in errors.

    Returns
    -------
    TextTable

    Raises
    ------
    InputError
        As ``read_text_table``.
    """
    if "\0" in text:
        raise InputError(source, "is no text")
    head, _, rest = text.partition("\n")
    named = head.strip("\r\n ")
    skipped = 0
    if named.lower().startswith(_SEPARATOR) and named[len(_SEPARATOR) :] in DELIMITERS:
        delimiter, text, skipped = named[len(_SEPARATOR) :], rest, 1
    else:
        delimiter = _delimiter_of(text, source)
    rows, lines = _split(text, delimiter, source)
    if not rows:
        raise InputError(source, "holds no rows")
    names, rows, lines = tuple(name.strip() for name in rows[0]), rows[1:], [line + skipped for line in lines[1:]]
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(names):
            raise InputError(source, f"line {line} has {len(row)} fields, the first line has {len(names)}")
    return _without_blank_column(TextTable(source, delimiter, names, rows, lines))


def _text_of(path: Path) -> str:
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(str(path), "no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(str(path), f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_BYTES:
        raise InputError(str(path), f"holds more than {MAX_BYTES} bytes; cut out the time that you need")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(str(path), f"cannot be read: byte {error.start + 1} is not UTF-8 text") from None


def _delimiter_of(text: str, source: str) -> str:
    """Return the one delimiter that gives every line as many fields as the first, and more than one."""
    sample = [line for line in text[:65_536].splitlines()[:50] if line.strip()]
    if not sample:
        raise InputError(source, "holds no rows")
    # The last line of a cut sample may be half a line.
    whole = sample[:-1] if len(sample) > 1 else sample
    fitting = []
    for delimiter in DELIMITERS:
        counts = {len(fields) for fields in _split("\n".join(whole), delimiter, source, is_whole=False)[0]}
        if len(counts) == 1 and counts != {1}:
            fitting.append(delimiter)
    if len(fitting) == 1:
        return fitting[0]
    in_head = [d for d in DELIMITERS if len(_split(sample[0], d, source, is_whole=False)[0][0]) > 1]
    if len(in_head) == 1:
        return in_head[0]
    if not in_head:
        raise InputError(source, "the first line names one column only; fields are parted by , ; tab or |")
    shown = " or ".join(DELIMITERS[d] for d in fitting or in_head)
    raise InputError(source, f"fields may be parted by {shown}; a first line like sep=; says which")


def _split(text: str, delimiter: str, source: str, *, is_whole: bool = True) -> tuple[list[list[str]], list[int]]:
    """Return the fields of every line that is not blank, and its number; what is cut off may end inside quotes."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=is_whole)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(source, f"cannot be read: line {reader.line_num}: {error}") from None
    return rows, lines


def _without_blank_column(table: TextTable) -> TextTable:
    """Drop the last column of a table whose lines all end in a delimiter; refuse other columns without a name."""
    names, rows = table.names, table.rows
    if names[-1] == "" and len(names) > 1 and not any(row[-1].strip() for row in rows):
        names, rows = names[:-1], [row[:-1] for row in rows]
    _refuse_names(names, table.source)
    return TextTable(table.source, table.delimiter, names, rows, table.lines)


def _refuse_names(names: Sequence[str], source: str) -> None:
    for place, name in enumerate(names):
        if name == "":
            raise InputError(source, f"column {place + 1} has no name")
        if name in names[:place]:
            raise InputError(source, f"a column appears twice: {name}")
