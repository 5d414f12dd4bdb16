"""Scenario books as Brownie takes them: tuples in the order of ``IScenarioBook.Rows``."""

from __future__ import annotations

from typing import Any

WAD = 10**18
UP, FLAT, DOWN = range(3)
THIRD = WAD // 3
#: Names of the fields, in order.
FIELDS = ("gridMovesWad", "gridVols", "tailMovesWad", "tailVols", "skewWad", "skewAt")
#: The default book of the risk model, section 3, moves as multiples of the range.
DEFAULT = {
    "gridMovesWad": [-WAD, -2 * THIRD, -THIRD, 0, THIRD, 2 * THIRD, WAD],
    "gridVols": [UP, FLAT, DOWN],
    "tailMovesWad": [2 * WAD, 3 * WAD],
    "tailVols": [UP, FLAT, DOWN],
    "skewWad": WAD // 4,
    "skewAt": [(-WAD, UP), (-WAD, DOWN), (WAD, UP), (WAD, DOWN), (0, DOWN)],
}
#: Rows of the default book: 21 of the grid, 12 in the tails, 5 pairs.
DEFAULT_COUNT = 43


def rows(**changed: Any) -> tuple[Any, ...]:
    """The default book with fields replaced by name."""
    unknown = set(changed) - set(FIELDS)
    if unknown:
        raise KeyError(unknown)
    book = DEFAULT | changed
    return tuple(book[name] for name in FIELDS)


#: A grid of one vol state and nothing else.
PLAIN = rows(gridMovesWad=[-WAD, 0, WAD], gridVols=[FLAT], tailMovesWad=[], tailVols=[], skewWad=0, skewAt=[])
