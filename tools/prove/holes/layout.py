"""A book at one price range as the search sees it: prices, intervals, vol states and skew places."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.params import BookSpec
from tools.prove.holes.pricing import STATE

LOWEST: Final = -0.95


@dataclass(frozen=True)
class Step:
    """Two neighbouring prices (numbers into ``Layout.moves``), and the vol states that have both."""

    low: int
    high: int
    states: tuple[float, ...]


@dataclass(frozen=True)
class Layout:
    """Prices with their weights, the vol states of each, the steps between them, and where skew is tried."""

    reach: float
    moves: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    states: tuple[tuple[float, ...], ...]
    steps: tuple[Step, ...]
    places: tuple[tuple[float, float], ...]
    skew: float

    @property
    def nodes(self) -> int:
        """Rows: every price in its vol states, and two for each skew place."""
        return sum(map(len, self.states)) + 2 * len(self.places)


def layout_of(spec: BookSpec, reach: float) -> Layout:
    """Return the layout of a book at a price range; tails that clamping makes equal are kept once."""
    grid = {max(m * reach, LOWEST): (1.0, spec.grid_vols) for m in spec.grid_moves}
    tails = {max(side * m * reach, LOWEST): spec.tail_vols for m in spec.tail_moves for side in (-1.0, 1.0)}
    prices = grid | {x: (reach / abs(x), vols) for x, vols in tails.items() if x not in grid}
    moves = np.array(sorted(prices))
    states = tuple(tuple(STATE[vol] for vol in prices[float(x)][1]) for x in moves)
    steps = tuple(Step(i, j, tuple(s for s in states[i] if s in states[j])) for i, j in pairwise(range(moves.size)))
    places = tuple((max(m * reach, LOWEST), STATE[vol]) for m, vol in spec.skew_at)
    weights = np.array([prices[float(x)][0] for x in moves])
    return Layout(reach, moves, weights, states, steps, places, spec.skew_size)
