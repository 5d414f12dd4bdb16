"""What is promised, family by family: dense scenarios and the share of a loss that the requirement must cover."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.prove.holes.layout import LOWEST
from tools.prove.holes.units import ExpiryUnits, Units

Vector = npt.NDArray[np.float64]
#: The promises of risk-model section 10.1: how much of the requirement a loss may be.
COVER: Final = {"price": 1.0, "vol": 1.0, "skew": 1.35, "tail": 1.0, "expiries": 1.45, "cross": 1.0}
#: Beyond the range a loss in the state down may be this much.
DOWN_TAIL: Final = 1.15
VOLS: Final = np.linspace(-1.0, 1.0, 9)
SKEWS: Final = np.linspace(-0.25, 0.25, 5)
BETWEEN: Final = 6  #: prices tried between two nodes, besides the nodes


@dataclass(frozen=True)
class Scenario:
    """One price move; vol state (-1 to 1) and skew of every expiry; the loss is divided by ``cover``."""

    move: float
    vols: tuple[float, ...]
    skew: float
    cover: float


def _dense(moves: Vector) -> Vector:
    """Every price and some between any two neighbours."""
    steps = [np.linspace(a, b, BETWEEN + 1, endpoint=False) for a, b in pairwise(moves)]
    return np.concatenate([*steps, moves[-1:]])


def inside(units: Units) -> Vector:
    """Dense prices within the range; a book that leaves out its ends still promises them."""
    nodes = [x for x in units.layout.moves if abs(x) < units.layout.reach * (1.0 - 1e-12)]
    ends = [max(-units.layout.reach, LOWEST), units.layout.reach]
    return _dense(np.array(sorted({*map(float, nodes), *ends})))


def beyond(units: Units) -> Vector:
    """Dense prices from the range to three ranges, on both sides."""
    reach = units.layout.reach
    up = np.linspace(reach, 3.0 * reach, 25)
    down = np.linspace(max(-reach, LOWEST), max(-3.0 * reach, LOWEST), 25)
    return np.concatenate([down[::-1], up])


class Grid:
    """P&L of every column at dense (move, vol, skew): shape (vols, skews, moves, columns) per expiry."""

    def __init__(self, units: Units, moves: Vector, vols: Vector, skews: Vector) -> None:
        self.units, self.moves, self.vols, self.skews = units, moves, vols, skews
        self.expiries = [self._expiry(e) for e in units.expiries]

    def _expiry(self, e: ExpiryUnits) -> Vector:
        found = np.empty((self.vols.size, self.skews.size, self.moves.size, e.delta.size))
        found[..., 0] = self.moves
        for i, state in enumerate(self.vols):
            for j, skew in enumerate(self.skews):
                found[i, j, :, 1:] = e.slice.moved(self.moves, float(state), float(skew))[0]
        return found

    def pnl(self, q: Vector) -> list[Vector]:
        """P&L of each expiry of a portfolio, shape (vols, skews, moves)."""
        starts = self.units.starts
        return [a @ q[f:t] for a, f, t in zip(self.expiries, starts[:-1], starts[1:], strict=True)]

    def together(self, q: Vector) -> Vector:
        """P&L with one vol state and one skew for all expiries, shape (vols, skews, moves)."""
        shape = (self.vols.size, self.skews.size, self.moves.size)
        return sum(self.pnl(q), np.zeros(shape)) + q[0] * self.moves

    def column(self, vols: list[int], skew: int, move: int) -> Vector:
        """P&L of every column in one scenario, each expiry in a vol state of its own."""
        parts = [a[vol, skew, move] for a, vol in zip(self.expiries, vols, strict=True)]
        return np.concatenate([[self.moves[move]], *parts])
