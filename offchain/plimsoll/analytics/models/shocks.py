"""Volatility after a shock whose size falls with the time to expiry: the form that Deribit and Derive publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
DAY = 1.0 / 365.0
MONTH = 30.0 / 365.0


@dataclass(frozen=True, slots=True)
class Term:
    """How the size of a shock falls with time: powers up to 30 days and beyond, and the least time, years."""

    short_power: float = 0.30
    long_power: float = 0.13
    least_time: float = DAY


PUBLISHED: Final = Term()


def term_factors(time: Vector, term: Term = PUBLISHED) -> Vector:
    """``(30 d / max(T, least))^p`` with one power up to 30 days and another beyond.

    Where both times are 0 the factor is that of no shock: no volatility moves what has expired.
    """
    power = np.where(time <= MONTH, term.short_power, term.long_power)
    held = np.maximum(time, term.least_time)
    inverse = np.divide(MONTH, held, out=np.zeros_like(held), where=held > 0.0)
    return np.asarray(inverse**power)


def vol_states(
    sigma: Vector, time: Vector, up: float, down: float, floor: float, term: Term = PUBLISHED
) -> dict[str, Vector]:
    """Volatilities under ``up`` (at least ``floor``), ``flat`` and ``down``."""
    factor = term_factors(time, term)
    return {
        "up": np.maximum(floor, sigma * (1.0 + up * factor)),
        "flat": sigma,
        "down": sigma * np.maximum(0.0, 1.0 - down * factor),
    }
