"""Volatility after a shock whose size falls with the time to expiry: the form that Deribit and Derive publish."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
DAY = 1.0 / 365.0
MONTH = 30.0 / 365.0


def term_factors(time: Vector, short_power: float = 0.30, long_power: float = 0.13) -> Vector:
    """``(30 d / max(T, 1 d))^p`` with one power up to 30 days and another beyond."""
    return np.asarray((MONTH / np.maximum(time, DAY)) ** np.where(time <= MONTH, short_power, long_power))


def vol_states(sigma: Vector, time: Vector, up: float, down: float, floor: float) -> dict[str, Vector]:
    """Volatilities under ``up`` (at least ``floor``), ``flat`` and ``down``."""
    factor = term_factors(time)
    return {
        "up": np.maximum(floor, sigma * (1.0 + up * factor)),
        "flat": sigma,
        "down": sigma * np.maximum(0.0, 1.0 - down * factor),
    }
