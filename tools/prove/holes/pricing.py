"""Prices of the search, written apart from the mirror: calls by Black-76, shocked as the risk model says."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from plimsoll.params import UnderlyingParams
from tools.prove.holes.sample import DAY, YEAR, Expiry

Vector = npt.NDArray[np.float64]
#: Vol states on the line that the search walks: down at -1, flat at 0, up at +1.
STATE: Final = {"down": -1.0, "flat": 0.0, "up": 1.0}


def call(forward: Vector, strike: Vector, deviation: Vector) -> tuple[Vector, Vector]:
    """Undiscounted price and delta of calls of positive strike and deviation."""
    width = np.maximum(deviation, 1e-12)
    d1 = np.log(forward / strike) / width + 0.5 * width
    delta = ndtr(d1)
    return forward * delta - strike * ndtr(d1 - width), delta


class Slice:
    """The calls of one expiry at given strikes, per unit of a forward of 1 and undiscounted."""

    def __init__(self, expiry: Expiry, strikes: Vector, p: UnderlyingParams) -> None:
        self.expiry, self.strikes, self.p = expiry, strikes, p
        self.k = np.log(strikes)
        self.root = np.sqrt(expiry.variance_years)
        self.deviation = expiry.deviation(self.k)
        self.value, self.delta = call(np.ones(1), strikes, self.deviation)
        days = max(expiry.tau, DAY) / DAY
        self.term = float((30.0 / days) ** (0.30 if expiry.tau <= 30.0 * DAY else 0.13))
        self.lean = np.clip(self.k / (0.6 * np.sqrt(max(expiry.tau, DAY) / YEAR)), -1.0, 1.0)

    def shocked(self, state: float) -> Vector:
        """Deviation at a point between the vol states (-1 down, 0 flat, 1 up), before skew."""
        up = np.maximum(self.p.vol_floor * self.root, self.deviation * (1.0 + self.p.vol_up * self.term))
        down = self.deviation * max(0.0, 1.0 - self.p.vol_down * self.term)
        return self.deviation + abs(state) * ((up if state > 0.0 else down) - self.deviation)

    def moved(self, moves: Vector, state: float, skew: float = 0.0) -> tuple[Vector, Vector]:
        """P&L and delta after price moves, shape (moves, strikes)."""
        deviation = self.shocked(state) * (1.0 + skew * self.lean)
        price, delta = call(1.0 + moves[:, None], self.strikes[None, :], deviation[None, :])
        return price - self.value, delta
