"""Slices of fewer numbers, for few quotes: the last slice at another level, three numbers (SSVI), one (flat).

An SSVI slice ``w = theta/2*(1 + rho*phi*k + sqrt((phi*k + rho)^2 + 1 - rho^2))`` is free of butterfly arbitrage at
every strike while ``theta*phi*(1 + |rho|) < 4`` and ``theta*phi^2*(1 + |rho|) <= 4`` (Gatheral and Jacquier, theorem
4.2), which the free numbers below keep by construction. It is a raw SVI slice, so the oracle takes it as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import leastsq

from plimsoll.market.fit.clean import Quotes
from plimsoll.market.fit.five_numbers import MAX_CALLS, RHO_LIMIT, RIDGE, ScaledBands
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Svi

Vector = npt.NDArray[np.float64]

THREE: Final = 3
ONE: Final = 1
_WING: Final = 1.99
"""Largest ``b*(1 + |rho|)`` of a slice at another level; the oracle takes 2."""
_BOUND: Final = 0.999
"""Share of the largest ``phi`` that the conditions allow."""
# Free numbers: ln of variance at the money over the quoted one, atanh of rho, logit of phi over its largest.
_CENTRE: Final = np.array([0.0, 0.0, -1.0])


def three_numbers(quotes: Quotes, atm: float) -> Svi:
    """Fit an SSVI slice that heeds what the quotes allow.

    Parameters
    ----------
    quotes : Quotes
        At least one usable row.
    atm : float
        Volatility at the money.

    Returns
    -------
    Svi
        Free of butterfly arbitrage.
    """
    return _fit(quotes, atm, _CENTRE, lambda free: _ssvi(free, atm * atm * quotes.years))


def flat(quotes: Quotes, atm: float) -> Svi:
    """Fit one volatility for all strikes; parameters as in ``three_numbers``."""
    variance = atm * atm * quotes.years
    return _fit(quotes, atm, _CENTRE[:1], lambda free: Svi(variance * math.exp(_bounded(free[0])), 0.0, 0.0, 0.0, 1.0))


def level_of(quotes: Quotes, atm: float, prior: Svi) -> Svi:
    """Fit one factor on the variance of the last accepted slice; parameters as in ``three_numbers``."""
    largest = _WING / max(prior.b * (1.0 + abs(prior.rho)), 1e-12)

    def scaled(free: Vector) -> Svi:
        factor = min(math.exp(_bounded(free[0])), largest)
        return Svi(prior.a * factor, prior.b * factor, prior.rho, prior.m, prior.sigma)

    return _fit(quotes, atm, _CENTRE[:1], scaled)


def _bounded(value: float) -> float:
    return min(max(float(value), -12.0), 12.0)


def _ssvi(free: Vector, variance: float) -> Svi:
    theta = variance * math.exp(_bounded(free[0]))
    rho = RHO_LIMIT * math.tanh(_bounded(free[1]))
    steep = theta * (1.0 + abs(rho))
    phi = _BOUND * min(4.0 / steep, 2.0 / math.sqrt(steep)) / (1.0 + math.exp(-_bounded(free[2])))
    root = math.sqrt(1.0 - rho * rho)
    return Svi(a=0.5 * theta * root * root, b=0.5 * theta * phi, rho=rho, m=-rho / phi, sigma=root / phi)


def _fit(quotes: Quotes, atm: float, centre: Vector, slice_of: Callable[[Vector], Svi]) -> Svi:
    std = atm * math.sqrt(quotes.years)
    band, weight = ScaledBands(quotes.bands, std, atm), quotes.weight / math.sqrt(float(np.sum(quotes.weight**2)))

    def residual(free: Vector) -> Vector:
        svi = slice_of(free)
        error = np.sqrt(total_variance(svi, quotes.log_moneyness)) / std - quotes.iv / atm
        outside = band.residual(np.sqrt(total_variance(svi, quotes.bands.log_moneyness)) / std)
        return np.concatenate([weight * error, outside, RIDGE * (free - centre)])

    found = leastsq(residual, centre, ftol=1e-9, xtol=1e-9, gtol=0.0, maxfev=MAX_CALLS, full_output=True)[0]
    return slice_of(np.atleast_1d(found))
