"""Raw SVI volatility; mirror of contracts/libraries/SviVolatility.sol."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from plimsoll.model import Svi

Vector = npt.NDArray[np.float64]


class Slices(NamedTuple):
    """Slices of one expiry in many rounds: the numbers of :class:`Svi`, each an array that broadcasts."""

    a: Vector
    b: Vector
    rho: Vector
    m: Vector
    sigma: Vector


def total_variance(svi: Svi | Slices, log_moneyness: Vector) -> Vector:
    """``w(k) = a + b*(rho*(k-m) + sqrt((k-m)^2 + s^2))``.

    Parameters
    ----------
    svi : Svi or Slices
        Slice inside the domain of risk-model section 1.
    log_moneyness : ndarray of float64
        ``k = ln(K/F)``.

    Returns
    -------
    ndarray of float64
        Total variance, at least 0 (a rounding error below zero reads as zero).
    """
    x = log_moneyness - svi.m
    variance: Vector = np.maximum(svi.a + svi.b * (svi.rho * x + np.sqrt(x * x + svi.sigma * svi.sigma)), 0.0)
    return variance


def volatility(svi: Svi | Slices, log_moneyness: Vector, time: float) -> Vector:
    """``sqrt(w/V)`` per year for the ``time`` that the variance belongs to; 0 where no time is left."""
    if time <= 0.0:
        return np.zeros_like(log_moneyness)
    return np.sqrt(total_variance(svi, log_moneyness) / time)
