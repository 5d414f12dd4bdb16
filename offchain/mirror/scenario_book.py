"""Scenario rows; mirror of contracts/risk/ScenarioBook.sol."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.params import BookName

UP: Final = 0
FLAT: Final = 1
DOWN: Final = 2
VOL_NAMES: Final = ("up", "flat", "down")

#: Largest price move of each book in units of the price range; 1 + move must stay positive.
LARGEST_MOVE: Final = {"default": 3.0, "span": 2.0}


@dataclass(frozen=True)
class Row:
    """One scenario: relative price move, vol state, skew, weight of the loss."""

    price: float
    vol: int
    skew: float
    weight: float


@dataclass(frozen=True)
class Book:
    """Rows in order, and what the certified scan derives from them."""

    rows: tuple[Row, ...]

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        """Weights, shape (n_rows,)."""
        return np.array([row.weight for row in self.rows])

    @cached_property
    def moves(self) -> npt.NDArray[np.float64]:
        """Price moves, shape (n_rows,)."""
        return np.array([row.price for row in self.rows])

    @cached_property
    def intervals(self) -> tuple[tuple[int, int], ...]:
        """Row numbers of neighbouring grid prices of one vol state (skew 0, weight 1), low price first."""
        pairs: list[tuple[int, int]] = []
        for vol in (UP, FLAT, DOWN):
            grid = [i for i, row in enumerate(self.rows) if row.vol == vol and row.skew == 0.0 and row.weight == 1.0]
            grid.sort(key=lambda i: self.rows[i].price)
            pairs.extend(pairwise(grid))
        return tuple(pairs)


def _mirrored(steps: tuple[float, ...]) -> tuple[float, ...]:
    return (0.0, *(sign * step for step in steps for sign in (1.0, -1.0)))


@lru_cache(maxsize=64)
def scenario_book(name: BookName, price_range: float) -> Book:
    """Build the default 31-row book or the 16-row SPAN order for one price range."""
    if name == "span":
        thirds = _mirrored((1 / 3, 2 / 3, 1.0))
        rows = [Row(price_range * step, vol, 0.0, 1.0) for step in thirds for vol in (UP, DOWN)]
        rows += [Row(sign * 2.0 * price_range, FLAT, 0.0, 0.35) for sign in (1.0, -1.0)]
        return Book(tuple(rows))
    quarters = _mirrored((0.25, 0.5, 0.75, 1.0))
    rows = [Row(price_range * step, vol, 0.0, 1.0) for step in quarters for vol in (UP, FLAT, DOWN)]
    rows += [Row(0.0, FLAT, skew, 1.0) for skew in (0.25, -0.25)]
    rows += [Row(sign * 3.0 * price_range, UP, 0.0, 0.35) for sign in (1.0, -1.0)]
    return Book(tuple(rows))
