"""Scenario rows as a dense table of (vol state, price), so that every book runs through one kernel.

A node that a book does not have is 0 everywhere: no loss, which is never the worst. An interval that a vol state does
not have is masked where the worst state is looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.scenario_book import Book

Vector = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

VOLS: Final = 3
#: Doubles that a cache line holds: rows are padded to a multiple of them.
LINE: Final = 8


def padded(size: int) -> int:
    """Return the next multiple of a cache line."""
    return -(-size // LINE) * LINE


@dataclass(frozen=True, slots=True)
class Grid:
    """Nodes of one book by (vol state, price).

    Attributes
    ----------
    prices : ndarray, shape (n_prices,)
        Distinct moves of the scan, rising.
    column : ndarray of int64, shape (n_prices,)
        For each row of the scan the number of its price.
    """

    book: Book
    prices: Vector
    column: Index

    @property
    def places(self) -> int:
        """Number of skew pairs."""
        return len(self.book.skew_pairs)

    def dense(self, rows: Vector, width: int) -> Vector:
        """Spread values of the scan's rows, shape (n, n_nodes), over a table, shape (n, 3*width)."""
        found = np.zeros((len(rows), VOLS * width))
        found[:, self.book.vols[: self.book.nodes] * width + self.column] = rows
        return found

    def dense_gaps(self, gaps: Vector, width: int) -> Vector:
        """Spread values of intervals, shape (n, n_intervals), over such a table: each at its lower price."""
        found = np.zeros((len(gaps), VOLS * width))
        found[:, self.book.vols[self.book.lows] * width + self.column[self.book.lows]] = gaps
        return found

    def mask(self, width: int) -> Vector:
        """0 where a vol state has an interval, minus infinity where it has none, shape (3*width,)."""
        found = np.full(VOLS * width, -np.inf)
        found[self.book.vols[self.book.lows] * width + self.column[self.book.lows]] = 0.0
        return found

    def straight(self, width: int) -> tuple[Vector, Vector]:
        """Weighted loss of one cash unit of delta: at every node, shape (3*width,), and by price, shape (width,)."""
        loss = -self.book.moves[: self.book.nodes] * self.book.weights
        by_price = np.zeros(width)
        by_price[self.column] = loss
        return self.dense(loss[None, :], width)[0], by_price


def grid_of(book: Book) -> Grid:
    """Arrange the nodes of a book."""
    prices, column = np.unique(book.moves[: book.nodes], return_inverse=True)
    return Grid(book, prices, column.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Shape:
    """Widths that all underlyings of a fleet share: those of the widest book.

    ``width`` prices (one more than any book has, so that an interval's upper end is always there), ``places`` skew
    pairs; a row of an instrument is losses, then both sides of each pair.
    """

    width: int
    places: int

    @property
    def row(self) -> int:
        """Length of what one unit adds to its expiry."""
        return VOLS * self.width + 2 * self.places


def shape_of(grids: Sequence[Grid]) -> Shape:
    """Return the widths that hold all books."""
    prices = max((len(grid.prices) for grid in grids), default=1)
    return Shape(padded(prices + 1), max((grid.places for grid in grids), default=0))


def groups_of(grids: Mapping[int, Grid]) -> dict[int, int]:
    """Give numbers to layouts: underlyings of one number can be added node by node."""
    found: dict[object, int] = {}
    return {slot: found.setdefault(grid.book.layout, len(found)) for slot, grid in grids.items()}
