"""Tables that fit into eighty columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from rich import box
from rich.table import Table

#: Fewest characters of a column of text, which wraps.
LEAST_WIDTH: Final = 5


def plain_table(title: str, columns: Sequence[str], left: Collection[str] = ()) -> Table:
    """Start a table without lines between its columns, so that eighty characters hold more of them.

    Parameters
    ----------
    title : str
    columns : sequence of str
        The first one and those of ``left`` are aligned to the left and may wrap; figures never do.
    left : collection of str

    Returns
    -------
    Table
        Without rows.
    """
    table = Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for number, name in enumerate(columns):
        is_text = number == 0 or name in left
        # What a row is of never gives way altogether to its figures.
        least = max(len(name), LEAST_WIDTH) if is_text else None
        table.add_column(name, justify="left" if is_text else "right", no_wrap=not is_text, min_width=least)
    return table
