"""Rows of different lengths in one pool.

A row that outgrows its place moves to the end, and the pool is packed again when a third of it is holes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.jit import compiled

Longs = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]

#: A pool that is full grows by this share, and by no less than some entries.
GROWTH: Final = 8
LEAST_GROWTH: Final = 1_024
#: Packed when more than one entry in so many is in no row.
HOLES: Final = 3


@compiled
def _moves(start: Longs, count: Counts, fresh: Longs, old_index: Longs) -> None:
    """List for each entry of the packed pool where it stands now."""
    for row in range(start.size):
        for k in range(count[row]):
            old_index[fresh[row] + k] = start[row] + k


class Slab:
    """``rows`` rows of entries; an entry is one number in each of several columns.

    Parameters
    ----------
    types : sequence of numpy types
        One for each column.
    """

    def __init__(self, types: Sequence[type[np.generic]]) -> None:
        self.start: Longs = np.zeros(0, dtype=np.int64)
        self.count: Counts = np.zeros(0, dtype=np.int32)
        self._room: Counts = np.zeros(0, dtype=np.int32)
        self.columns: list[npt.NDArray[Any]] = [np.zeros(0, dtype=kind) for kind in types]
        self._used = 0

    def add_rows(self, rows: int) -> None:
        """Add empty rows."""
        self.start = np.concatenate((self.start, np.zeros(rows, dtype=np.int64)))
        self.count, self._room = (np.concatenate((a, np.zeros(rows, dtype=np.int32))) for a in (self.count, self._room))

    def place(self, rows: Longs, counts: Counts) -> None:
        """Give rows places for so many entries; what they held is forgotten.

        Parameters
        ----------
        rows : ndarray of int64, shape (n,)
            Distinct.
        counts : ndarray of int32, shape (n,)
        """
        self.count[rows] = counts
        moved = counts > self._room[rows]
        movers, sizes = rows[moved], counts[moved].astype(np.int64)
        needed = int(sizes.sum())
        if self._used + needed > len(self.columns[0]):
            self.count[movers] = 0
            self._make_room(needed)
            self.count[movers] = counts[moved]
        self.start[movers] = self._used + np.cumsum(sizes) - sizes
        self._room[movers] = sizes
        self._used += needed

    def _make_room(self, needed: int) -> None:
        held = int(self.count.sum())
        if self._used and (self._used - held) * HOLES > self._used:
            self._pack(held)
        short = self._used + needed - len(self.columns[0])
        if short > 0:
            # An empty pool is made to measure: that of a whole fleet is filled once.
            more = max(short, LEAST_GROWTH, self._used // GROWTH) if self._used else needed
            self.columns = [np.concatenate((c, np.zeros(more, dtype=c.dtype))) for c in self.columns]

    def _pack(self, held: int) -> None:
        """Close the holes."""
        fresh = np.cumsum(self.count, dtype=np.int64) - self.count
        old_index = np.empty(held, dtype=np.int64)
        _moves(self.start, self.count, fresh, old_index)
        for column in self.columns:
            column[:held] = column[old_index]
        self.start, self._room, self._used = fresh, self.count.copy(), held
