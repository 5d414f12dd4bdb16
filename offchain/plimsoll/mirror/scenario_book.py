"""Scenario rows and the ladders of prices they form; mirror of contracts/risk/ScenarioBook.sol."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.errors import DomainError
from plimsoll.params import VOL_NAMES, BookSpec

UP: Final = 0
FLAT: Final = 1
DOWN: Final = 2

#: No row moves a price further down, what is left of it must stay positive, nor further up.
LOWEST_MOVE: Final = -0.95
HIGHEST_MOVE: Final = 9.0


@dataclass(frozen=True)
class Row:
    """One scenario: relative price move, vol state, skew, weight of the loss (0 for rows of the skew term alone)."""

    price: float
    vol: int
    skew: float
    weight: float


@dataclass(frozen=True)
class Book:
    """Rows in order, and what the requirement derives from them.

    ``layout`` names the nodes of the scan as (multiple of the price range, vol state, weight): books of one layout
    can be added node by node.
    """

    rows: tuple[Row, ...]
    layout: tuple[tuple[float, int, float], ...]

    @property
    def nodes(self) -> int:
        """Number of rows of the scan; they come first."""
        return len(self.layout)

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        """Weights of the scan's rows, shape (n_nodes,)."""
        return np.array([row.weight for row in self.rows[: self.nodes]])

    @cached_property
    def moves(self) -> npt.NDArray[np.float64]:
        """Price moves, shape (n_rows,)."""
        return np.array([row.price for row in self.rows])

    @cached_property
    def vols(self) -> npt.NDArray[np.int64]:
        """Vol states, shape (n_rows,)."""
        return np.array([row.vol for row in self.rows], dtype=np.int64)

    @cached_property
    def skews(self) -> npt.NDArray[np.float64]:
        """Skews, shape (n_rows,)."""
        return np.array([row.skew for row in self.rows])

    @cached_property
    def intervals(self) -> tuple[tuple[int, int], ...]:
        """Row numbers of neighbouring prices of one vol state, by rising price; the states of a pair side by side."""
        pairs: list[tuple[int, int]] = []
        for vol in (UP, FLAT, DOWN):
            ladder = [i for i in range(self.nodes) if self.rows[i].vol == vol]
            ladder.sort(key=lambda i: self.rows[i].price)
            pairs.extend(pairwise(ladder))
        return tuple(sorted(pairs, key=lambda pair: (self.rows[pair[0]].price, self.rows[pair[0]].vol)))

    @cached_property
    def lows(self) -> npt.NDArray[np.int64]:
        """Lower row of each interval."""
        return np.array([low for low, _ in self.intervals], dtype=np.int64)

    @cached_property
    def highs(self) -> npt.NDArray[np.int64]:
        """Upper row of each interval."""
        return np.array([high for _, high in self.intervals], dtype=np.int64)

    @cached_property
    def steps(self) -> npt.NDArray[np.int64]:
        """Where each pair of neighbouring prices starts among the intervals; its vol states follow one another."""
        keys = [(self.rows[low].price, self.rows[high].price) for low, high in self.intervals]
        starts, at = [], 0
        for _, members in groupby(keys):
            starts.append(at)
            at += len(list(members))
        return np.array(starts, dtype=np.int64)

    @cached_property
    def skew_pairs(self) -> tuple[tuple[int, int], ...]:
        """Row numbers of each place's skew added and taken off."""
        return tuple((i, i + 1) for i in range(self.nodes, len(self.rows), 2))

    @cached_property
    def skew_nodes(self) -> npt.NDArray[np.int64]:
        """Row of the scan at each pair's place, whose P&L the pair is compared with."""
        rows = {(row.price, row.vol): i for i, row in enumerate(self.rows[: self.nodes])}
        places = [self.rows[plus] for plus, _ in self.skew_pairs]
        return np.array([rows[row.price, row.vol] for row in places], dtype=np.int64)


def _clamped(multiple: float, price_range: float) -> tuple[float, float]:
    """Return a move and the multiple of the range it is after clamping."""
    move = multiple * price_range
    return (move, multiple) if move > LOWEST_MOVE else (LOWEST_MOVE, LOWEST_MOVE / price_range)


def _scan_rows(spec: BookSpec, price_range: float) -> list[tuple[float, Row]]:
    """Multiple and row of each node: the grid by rising price, then the tails by rising price."""
    tails = [-move for move in reversed(spec.tail_moves)] + list(spec.tail_moves)
    parts = (
        [(multiple, spec.grid_vols, False) for multiple in spec.grid_moves],
        [(multiple, spec.tail_vols, True) for multiple in tails],
    )
    seen: set[float] = set()
    found = []
    for multiple, vols, is_tail in (*parts[0], *parts[1]):
        move, after = _clamped(multiple, price_range)
        if move in seen:
            continue
        seen.add(move)
        weight = 1.0 / abs(after) if is_tail else 1.0
        found += [(after, Row(move, vol, 0.0, weight)) for vol in range(3) if VOL_NAMES[vol] in vols]
    return found


def _skew_rows(spec: BookSpec, price_range: float) -> list[Row]:
    """Return the skew pairs in the given order, added before taken off."""
    places = [(_clamped(multiple, price_range)[0], VOL_NAMES.index(vol)) for multiple, vol in spec.skew_at]
    return [Row(move, vol, c, 0.0) for move, vol in places for c in (spec.skew_size, -spec.skew_size)]


def _check_reach(spec: BookSpec, price_range: float) -> None:
    """Refuse a grid or a tail that leaves the prices that can be priced."""
    lowest = spec.grid_moves[0] * price_range
    if lowest < LOWEST_MOVE:
        raise DomainError("book.grid.moves", f"{lowest:g} of the price is below {LOWEST_MOVE:g}")
    highest = max(*spec.grid_moves, *spec.tail_moves, *(move for move, _ in spec.skew_at), 0.0) * price_range
    if highest > HIGHEST_MOVE:
        raise DomainError("book", f"a move of {highest:g} of the price is above {HIGHEST_MOVE:g}")


@lru_cache(maxsize=64)
def scenario_book(spec: BookSpec, price_range: float) -> Book:
    """Build the rows of one price range.

    Parameters
    ----------
    spec : BookSpec
        Rows as multiples of the range.
    price_range : float
        Relative price move.

    Returns
    -------
    Book
        Tails and skew pairs clamped at -0.95; tails that clamping makes equal are kept once.

    Raises
    ------
    DomainError
        When the grid moves the price below -0.95 of itself, or a row above 9 times.
    """
    _check_reach(spec, price_range)
    scan = _scan_rows(spec, price_range)
    layout = tuple((multiple, row.vol, row.weight) for multiple, row in scan)
    return Book((*(row for _, row in scan), *_skew_rows(spec, price_range)), layout)
