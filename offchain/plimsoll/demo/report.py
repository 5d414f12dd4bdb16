"""The demo's report on a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from plimsoll.demo.result import DemoResult
from plimsoll.demo.sections import Grid, Section, opening_section, sections_of

STATE_STYLE = {"healthy": "green", "margin call": "yellow", "liquidatable": "red", "insolvent": "bold red"}
INDENT = 2
# As SIMPLE_HEAD, with a line before sums as well.
SHEET = box.Box("    \n    \n ── \n    \n ── \n ── \n    \n    \n")


def _table(grid: Grid) -> Table:
    """Return a grid as a table of rich."""
    table = Table(
        title=grid.caption or None,
        title_justify="left",
        box=SHEET,
        show_edge=False,
        show_header=any(grid.headers),
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for number, header in enumerate(grid.headers):
        is_text = number in grid.text_columns
        table.add_column(header, justify="left" if is_text else "right", no_wrap=True, vertical="bottom")
    for number, row in enumerate(grid.rows):
        is_sum = number >= len(grid.rows) - grid.sums
        if is_sum and number == len(grid.rows) - grid.sums:
            table.add_section()
        table.add_row(*(Text(cell, STATE_STYLE.get(cell, "bold" if is_sum else "")) for cell in row))
    return table


def print_section(section: Section, number: int, console: Console) -> None:
    """Print one section.

    Parameters
    ----------
    section : Section
        What to print.
    number : int
        Its number in the report.
    console : Console
        Where to.
    """
    console.print(Text(f"{number}. {section.title}", "bold"))
    console.print(Padding(Text(section.lead), (0, 0, 0, INDENT), expand=False))
    for grid in section.grids:
        console.print(Padding(_table(grid), (1, 0, 0, INDENT), expand=False))
    if section.grids and section.notes:
        console.print()
    for note in section.notes:
        console.print(Padding(Text(note), (0, 0, 0, INDENT), expand=False))
    console.print()


def print_opening(result: DemoResult, console: Console) -> None:
    """Print the first section, which a reader can have while the market still runs.

    Parameters
    ----------
    result : DemoResult
        A run that has its first round.
    console : Console
        Standard output.
    """
    print_section(opening_section(result), 1, console)


def print_rest(result: DemoResult, console: Console) -> None:
    """Print every section but the first.

    Parameters
    ----------
    result : DemoResult
        A finished run.
    console : Console
        Standard output.
    """
    for number, section in enumerate(sections_of(result)[1:], 2):
        print_section(section, number, console)
