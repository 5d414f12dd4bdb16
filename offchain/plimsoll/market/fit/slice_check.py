"""Whether a slice may be offered: no arbitrage between strikes that may be traded, every mark inside its quotes."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.market.fit.bands import Bands, coin_price
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Svi

Vector = npt.NDArray[np.float64]

REACH: Final = math.log(8.0)
"""Strikes may be traded within a factor 8 of the forward (risk-model section 4)."""
ARBITRAGE_COIN: Final = 1e-4
"""The best butterfly may be worth this much, the venue's smallest tick: a fifth of what a mark may lie outside."""
_NEAR_STD: Final = 12.0
_NEAR_POINTS: Final = 49
_FAR_POINTS: Final = 24


def durrleman(svi: Svi, log_moneyness: Vector) -> Vector:
    """Durrleman's ``g(k)``, whose sign is the sign of the implied density.

    Parameters
    ----------
    svi : Svi
        Slice with positive variance at every ``k`` given.
    log_moneyness : ndarray of float64
        ``k = ln(K/F)``.

    Returns
    -------
    ndarray of float64
        ``(1 - k*w'/(2w))^2 - w'^2/4*(1/w + 1/4) + w''/2``.
    """
    x = log_moneyness - svi.m
    root = np.sqrt(x * x + svi.sigma**2)
    w = total_variance(svi, log_moneyness)
    first = svi.b * (svi.rho + x / root)
    second = svi.b * svi.sigma**2 / root**3
    value: Vector = (1.0 - log_moneyness * first / (2.0 * w)) ** 2 - 0.25 * first**2 * (1.0 / w + 0.25) + 0.5 * second
    return value


def arbitrage_of(svi: Svi) -> float:
    """Value of the best butterfly or spread, of any width, that prices of a slice give away.

    Parameters
    ----------
    svi : Svi
        Inside the oracle's domain.

    Returns
    -------
    float
        In coin: how far the price of a call or a put rises above the convex, monotone curve below it, over the strikes
        that may be traded; 0 for a slice without arbitrage.
    """
    std = math.sqrt(max(float(total_variance(svi, np.zeros(1))[0]), 1e-12))
    edge = min(_NEAR_STD * std, 0.5 * REACH)
    half = np.concatenate([np.linspace(0.0, edge, _NEAR_POINTS), np.geomspace(edge, REACH, _FAR_POINTS)[1:]])
    # Out of the money on both sides, where prices lose no digits; a put is a call and a straight line.
    worst = 0.0
    for is_call, k in ((False, np.append(-half[::-1], half[1])), (True, half)):
        price = coin_price(np.full(k.shape, is_call), k, np.sqrt(total_variance(svi, k)))
        away = 1 if is_call else -1
        cheapest = np.minimum.accumulate(price[::away])[::away]
        worst = max(worst, float((price - _hull(np.exp(k), cheapest)).max()))
    return worst


def _hull(strike: Vector, price: Vector) -> Vector:
    """Largest convex curve below prices, at their strikes."""
    x, y = strike.tolist(), price.tolist()
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            kept.pop()
        kept.append(i)
    return np.interp(strike, strike[kept], price[kept])


def excess_of(svi: Svi, bands: Bands, years: float) -> float:
    """Largest volatility by which the marks of a slice lie outside what the quotes allow; 0 when all are inside."""
    if not bands.log_moneyness.size:
        return 0.0
    vol = np.sqrt(total_variance(svi, bands.log_moneyness) / years)
    return float(bands.excess(vol).max())
