"""Scenario books as Brownie takes them: tuples in the order of ``IScenarioBook.Rows``."""

from __future__ import annotations

from typing import Any

WAD = 10**18
UP, FLAT, DOWN = range(3)
FIFTH = WAD // 5
#: Names of the fields, in order.
FIELDS = ("gridMovesWad", "gridVols", "tailMovesWad", "tailVols", "skewWad", "skewAt")
#: The default book of the risk model, section 3, moves as multiples of the range.
DEFAULT = {
    "gridMovesWad": [-WAD, -2 * FIFTH, 0, 2 * FIFTH, WAD],
    "gridVols": [UP, FLAT, DOWN],
    "tailMovesWad": [3 * WAD],
    "tailVols": [UP, FLAT, DOWN],
    "skewWad": WAD // 4,
    "skewAt": [(-WAD, UP), (-WAD, DOWN), (0, UP), (0, FLAT), (0, DOWN), (WAD, UP), (WAD, DOWN)],
}
#: Rows of the default book: 15 of the grid, 6 in the tails, 7 pairs.
DEFAULT_COUNT = 35


def rows(**changed: Any) -> tuple[Any, ...]:
    """The default book with fields replaced by name."""
    unknown = set(changed) - set(FIELDS)
    if unknown:
        raise KeyError(unknown)
    book = DEFAULT | changed
    return tuple(book[name] for name in FIELDS)


#: A grid of one vol state and nothing else.
PLAIN = rows(gridMovesWad=[-WAD, 0, WAD], gridVols=[FLAT], tailMovesWad=[], tailVols=[], skewWad=0, skewAt=[])
