"""The two tables of ``docs/proof/keeper-faults.md``: every line, how it was seen to fail, and its tests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.proof.plant import ROOT

PAGE: Final = ROOT / "docs" / "proof" / "keeper-faults.md"
TEST: Final = re.compile(r"`(tests/[\w/]+\.py::\w+)`")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table.

    Parameters
    ----------
    name : str
        First cell.
    planted : str
        Last cell but one: what was planted.
    tests : tuple of str
        Tests of the last cell.
    """

    name: str
    planted: str
    tests: tuple[str, ...]


def lines_of(path: Path = PAGE) -> list[Line]:
    """Return the lines of both tables, in their order."""
    found, is_inside = [], False
    for text in path.read_text(encoding="utf-8").splitlines():
        if text.startswith("|---"):
            is_inside = True
        elif not text.startswith("|"):
            is_inside = False
        elif is_inside:
            cells = [cell.strip() for cell in text.strip("|").split(" | ")]
            found.append(Line(cells[0], cells[-2], tuple(TEST.findall(cells[-1]))))
    return found


def bare(test: str) -> str:
    """Return the id of a test without its case."""
    return test.partition("[")[0]
