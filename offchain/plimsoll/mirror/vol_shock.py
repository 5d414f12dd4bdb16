"""Volatility of a scenario row; mirror of contracts/libraries/OptionKernel.sol."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.scenario_book import DOWN, UP
from plimsoll.params import UnderlyingParams

Vector = npt.NDArray[np.float64]

DAY_IN_YEARS = 1.0 / 365.0
MONTH_IN_YEARS = 30.0 / 365.0


def term_factor(time: float) -> float:
    """``g(T) = (30 d / max(T, 1 d))^p`` with ``p`` 0.30 up to 30 days, else 0.13; ``time`` in years."""
    power = 0.30 if time <= MONTH_IN_YEARS else 0.13
    return float((MONTH_IN_YEARS / max(time, DAY_IN_YEARS)) ** power)


def shocked_volatility(sigma: Vector, vol_state: int, time: float, params: UnderlyingParams) -> Vector:
    """Volatility after the up, flat or down move, before skew; shapes of ``sigma``."""
    factor = term_factor(time)
    if vol_state == UP:
        return np.maximum(params.vol_floor, sigma * (1.0 + params.vol_up * factor))
    if vol_state == DOWN:
        return sigma * max(0.0, 1.0 - params.vol_down * factor)
    return sigma


def skew_factor(skew: float | Vector, log_moneyness: Vector, time: float) -> Vector:
    """``1 + c*clamp(k/kStar, -1, 1)``, ``kStar = 0.6*sqrt(max(T, 1 d))``."""
    scale = 0.6 * np.sqrt(max(time, DAY_IN_YEARS))
    factor: Vector = 1.0 + skew * np.clip(log_moneyness / scale, -1.0, 1.0)
    return factor
