"""Between two expiries: where total variance falls with time at a log-strike, a calendar spread is free money.

Slices are compared within 2.5 standard deviations of the money, and beyond at every strike that may be traded at which
the nearer option is worth a tick. Further out neither is worth anything, and wings that cross there give nothing away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.market.fit.bands import Bands, coin_price
from plimsoll.market.fit.slice_check import ARBITRAGE_COIN, REACH
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Svi

Vector = npt.NDArray[np.float64]

NEAR_STD: Final = 2.5
"""Standard deviations of the nearer slice within which the points are dense."""
_NEAR_POINTS: Final = 61
_WIDE: Final = np.linspace(-REACH, REACH, 97)
SLACK: Final = 1e-6
"""Variance may fall by this much of a volatility before it counts: a hundredth of a hundredth of a vol point."""


def points_of(near: Svi) -> Vector:
    """Log-strikes at which a slice is compared with the next one.

    Parameters
    ----------
    near : Svi
        Of the nearer expiry.

    Returns
    -------
    ndarray of float64
        Dense within ``NEAR_STD`` of the money, then over all strikes that may be traded, ``F/8`` to ``8F``, those where
        the option is worth ``ARBITRAGE_COIN``.
    """
    std = math.sqrt(max(float(total_variance(near, np.zeros(1))[0]), 1e-12))
    dense = np.linspace(-NEAR_STD * std, NEAR_STD * std, _NEAR_POINTS)
    worth = coin_price(_WIDE >= 0.0, _WIDE, np.sqrt(np.maximum(total_variance(near, _WIDE), 0.0)))
    return np.concatenate([dense, _WIDE[worth >= ARBITRAGE_COIN]])


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where total variance falls most from one expiry to the next.

    Attributes
    ----------
    gap : float
        ``sqrt(w_far/T_far) - sqrt(w_near/T_far)`` there, a volatility; negative is a calendar arbitrage.
    log_moneyness : float
        ``ln(K/F)``.
    """

    gap: float
    log_moneyness: float

    @property
    def is_free(self) -> bool:
        """Whether there is no arbitrage."""
        return self.gap >= -SLACK


def crossing_of(near: Svi, far: Svi, far_years: float) -> Crossing:
    """Find where total variance rises least, or falls most, over the strikes of ``points_of``.

    Parameters
    ----------
    near, far : Svi
        Slices of neighbouring expiries.
    far_years : float
        Time to the later one.

    Returns
    -------
    Crossing
    """
    k = points_of(near)
    rise = np.sqrt(total_variance(far, k) / far_years) - np.sqrt(total_variance(near, k) / far_years)
    worst = int(np.argmin(rise))
    return Crossing(float(rise[worst]), float(k[worst]))


@dataclass(frozen=True, slots=True)
class Limits:
    """Slices that one must stay between, nearest expiries on either side; None where there is none.

    Not ``strict``, it only leans away from them, as far as its quotes allow.
    """

    floor: Svi | None = None
    ceiling: Svi | None = None
    strict: bool = True

    def points(self) -> tuple[Vector, Vector, Vector]:
        """Log-strikes, and the least and the most total variance at each of them."""
        k, low, high = [], [], []
        for svi, is_floor in ((self.floor, True), (self.ceiling, False)):
            if svi is None:
                continue
            at = points_of(svi)
            w = total_variance(svi, at)
            k.append(at)
            low.append(w if is_floor else np.zeros_like(w))
            high.append(np.full_like(w, np.inf) if is_floor else w)
        if not k:
            return np.empty(0), np.empty(0), np.empty(0)
        return np.concatenate(k), np.concatenate(low), np.concatenate(high)

    def hold(self, svi: Svi, years: float) -> bool:
        """Whether a slice of ``years`` to expiry stays between them, where it must."""
        if not self.strict:
            return True
        after = self.floor is None or crossing_of(self.floor, svi, years).is_free
        return after and (self.ceiling is None or crossing_of(svi, self.ceiling, years).is_free)


NO_LIMITS: Final = Limits()


def quotes_cross(near: Bands, far: Bands, near_years: float, far_years: float) -> tuple[float, float] | None:
    """Find where the quotes themselves leave no surface free of calendar arbitrage.

    Parameters
    ----------
    near, far : Bands
        What the quotes of two expiries allow.
    near_years, far_years : float

    Returns
    -------
    (float, float) or None
        Log-strike at which the least variance that the nearer quotes allow is furthest above the most that the later
        ones do, between whose strikes it is interpolated, and by how much, as a volatility of the later expiry; None
        where they leave room everywhere.
    """
    order = np.argsort(far.log_moneyness, kind="stable")
    if not near.log_moneyness.size or not order.size:
        return None
    k = far.log_moneyness[order]
    inside = (near.log_moneyness >= k[0]) & (near.log_moneyness <= k[-1])
    if not inside.any():
        return None
    at = near.log_moneyness[inside]
    least = near.low[inside] * math.sqrt(near_years / far_years)
    most = np.interp(at, k, far.high[order])
    worst = int(np.argmax(least - most))
    over = float(least[worst] - most[worst])
    return (float(at[worst]), over) if over > 0.0 else None
