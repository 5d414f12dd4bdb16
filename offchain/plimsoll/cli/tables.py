"""Tables that fit into the width there is, with every figure and every name in full."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Column, Table
from rich.text import TextType

#: Fewest characters of a column of text, which wraps.
LEAST_WIDTH: Final = 5
#: A figure that rounds to 0 from below.
_ZERO: Final = re.compile(r"^-(0(?:\.0+)?%?)$")


@dataclass(frozen=True, slots=True)
class _Measured:
    """A column, the least width in which nothing of it is cut, and the one in which nothing of it wraps."""

    column: Column
    least: int
    natural: int


def _wraps(column: Column) -> bool:
    return column.justify == "left" and not column.no_wrap


def _measured(console: Console, column: Column) -> _Measured:
    """Measure a column; text and headings may break between words, figures may not."""
    header = str(column.header)
    cells = [console.measure(cell) for cell in column.cells]
    longest_word = max(map(len, header.split()), default=0)
    parts = [cell.minimum if _wraps(column) else cell.maximum for cell in cells]
    least = max(column.min_width or 0, longest_word, *parts, 1)
    return _Measured(column, least, max(least, len(header), *(cell.maximum for cell in cells)))


class FittedTable(Table):
    """A table that is printed in blocks of columns where it is too wide, each with the first column beside it.

    Columns that are aligned to the left are text and wrap between words; all others are figures and never do.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """Yield the blocks."""
        measured = [_measured(console, column) for column in self.columns]
        if sum(one.natural for one in measured) + self._overhead(console, len(measured)) <= options.max_width:
            yield self._part(self.title, measured, [one.natural for one in measured])
            return
        title = self.title
        for block in self._blocks(console, measured, options.max_width):
            room = options.max_width - self._overhead(console, len(block)) - sum(one.least for one in block)
            yield self._part(title, block, _widths(block, max(room, 0)))
            title = None

    def _empty(self) -> Table:
        """Return a table of the same look."""
        return Table(
            title_justify="left", box=self.box, pad_edge=self.pad_edge, collapse_padding=self.collapse_padding,
            show_header=self.show_header,
        )  # fmt: skip

    def _overhead(self, console: Console, columns: int) -> int:
        """Characters of lines and gaps between so many columns."""
        table = self._empty()
        for _ in range(columns):
            table.add_column("", width=1)
        return console.measure(table).maximum - columns

    def _blocks(self, console: Console, measured: list[_Measured], width: int) -> list[list[_Measured]]:
        """Divide the columns into blocks that fit, in their order; the first one is in each."""
        first, *others = measured
        blocks: list[list[_Measured]] = []
        for one in others:
            joined = [*blocks[-1], one] if blocks else [first, one]
            if blocks and sum(c.least for c in joined) + self._overhead(console, len(joined)) > width:
                blocks.append([first, one])
            else:
                blocks[-1:] = [joined]
        return blocks or [[first]]

    def _part(self, title: TextType | None, block: list[_Measured], widths: list[int]) -> Table:
        table = self._empty()
        table.title = title
        for one, width in zip(block, widths, strict=True):
            header = "\n".join(textwrap.wrap(str(one.column.header), width))
            own = one.column
            table.add_column(header, justify=own.justify, no_wrap=not _wraps(own), width=width, overflow="fold")
        for cells in zip(*(one.column.cells for one in block), strict=True):
            table.add_row(*(_shown(cell) for cell in cells))
        return table


def _shown(cell: RenderableType) -> RenderableType:
    """Return a cell; what is rounded to nothing has no sign."""
    return _ZERO.sub(r"\1", cell) if isinstance(cell, str) else cell


def _widths(block: list[_Measured], room: int) -> list[int]:
    """Give columns what is left, by what they lack: text first, then headings."""
    widths = [one.least for one in block]
    for is_text in (True, False):
        lacks = [one.natural - one.least if _wraps(one.column) is is_text else 0 for one in block]
        share = min(1.0, room / sum(lacks)) if any(lacks) else 0.0
        given = [int(lack * share) for lack in lacks]
        widths = [width + more for width, more in zip(widths, given, strict=True)]
        room -= sum(given)
    return widths


def plain_table(title: str, columns: Sequence[str], left: Collection[str] = ()) -> FittedTable:
    """Start a table without lines between its columns, so that eighty characters hold more of them.

    Parameters
    ----------
    title : str
    columns : sequence of str
        The first one and those of ``left`` are aligned to the left and may wrap; figures never do.
    left : collection of str

    Returns
    -------
    FittedTable
        Without rows.
    """
    table = FittedTable(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for number, name in enumerate(columns):
        is_text = number == 0 or name in left
        # What a row is of never gives way altogether to its figures.
        least = max(len(name), LEAST_WIDTH) if is_text else None
        table.add_column(name, justify="left" if is_text else "right", no_wrap=not is_text, min_width=least)
    return table
