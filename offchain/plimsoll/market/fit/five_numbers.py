"""The raw SVI slice of five numbers, in units of its own at-the-money standard deviation.

1. For each ``(m, sigma)`` of a fixed grid the best ``(a, d, c)`` of ``w = a + d*y + c*sqrt(y^2 + 1)``,
   ``y = (k - m)/sigma``, is a three-by-three linear problem (De Marco and Martini's quasi-explicit step).
2. The best feasible point, or the slice of the previous round when it is better, starts a Levenberg-Marquardt polish
   of vega-weighted volatility errors over five free numbers that map onto the oracle's domain.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import leastsq

from plimsoll.market.fit.bands import Bands
from plimsoll.market.fit.clean import Quotes
from plimsoll.market.fit.neighbours import NO_LIMITS, Limits
from plimsoll.market.fit.slice_check import durrleman
from plimsoll.model import Svi

Vector = npt.NDArray[np.float64]

NUMBERS: Final = 5
RIDGE: Final = 2e-4
"""Pull of each free number to its centre, in units of relative volatility: decides only what quotes leave open."""
MAX_CALLS: Final = 400
RHO_LIMIT: Final = 0.9999
BAND_WEIGHT: Final = 10.0
"""Weight of a volatility outside its quotes, beside an average quote of the fit."""
BAND_INSET: Final = 0.005
"""A polish that heeds the quotes aims this far inside, in volatility, so that it does not end a hair outside."""
_FREE: Final = 12.0
LIMIT_WEIGHT: Final = 3.0
"""Weight of each point at which total variance crosses that of a neighbouring expiry."""
LIMIT_INSET: Final = 1e-4
"""The polish aims this far between them, relative, so that it does not end a hair outside."""
DENSITY_WEIGHT: Final = 1.0
"""Weight of a negative density, Durrleman's ``g < 0``, where the polish heeds it."""

_DENSITY_AT: Final = np.linspace(-10.0, 10.0, 81)
_GRID_M: Final = np.linspace(-1.5, 1.5, 7)
_GRID_S: Final = np.array([0.1, 0.3, 0.7, 1.5, 3.0])
_GRID: Final = np.array([(m, s) for m in _GRID_M for s in _GRID_S])
# Free numbers: ln of minimum variance, ln of slope, atanh of rho, m, ln of sigma.
_CENTRE: Final = np.array([-0.5, -1.0, 0.0, 0.0, 0.0])


class ScaledBands:
    """What quotes allow, in units of the volatility at the money; a hinge that is zero inside.

    Parameters
    ----------
    bands : Bands
    std, atm : float
        Total standard deviation and volatility at the money.
    """

    def __init__(self, bands: Bands, std: float, atm: float) -> None:
        self.x = bands.log_moneyness / std
        narrow = np.minimum(BAND_INSET, 0.5 * (bands.high - bands.low))
        self.low, self.high = (bands.low + narrow) / atm, (bands.high - narrow) / atm
        self.low[bands.low <= 0.0] = 0.0
        self.weight = BAND_WEIGHT / math.sqrt(max(self.x.size, 1))

    def residual(self, vol: Vector) -> Vector:
        """Weighted distance outside, signed."""
        outside: Vector = self.weight * (np.maximum(vol - self.high, 0.0) - np.maximum(self.low - vol, 0.0))
        return outside


class ScaledLimits:
    """Slices of the expiries on either side, in units of the volatility at the money; a hinge that is zero between.

    Parameters
    ----------
    limits : Limits
    std : float
        Total standard deviation at the money.
    """

    def __init__(self, limits: Limits, std: float) -> None:
        k, low, high = limits.points()
        self.x = k / std
        self.low = np.sqrt(low) / std * (1.0 + LIMIT_INSET)
        self.high = np.sqrt(high) / std * (1.0 - LIMIT_INSET)

    def residual(self, vol: Vector) -> Vector:
        """Weighted distance outside, signed."""
        outside: Vector = LIMIT_WEIGHT * (np.maximum(vol - self.high, 0.0) - np.maximum(self.low - vol, 0.0))
        return outside


class FiveNumbers:
    """A raw SVI slice in units of its at-the-money standard deviation: ``x = k/std``, variance over ``std^2``."""

    def __init__(self, quotes: Quotes, atm: float, prior: Svi | None = None, limits: Limits = NO_LIMITS) -> None:
        self.std = atm * math.sqrt(quotes.years)
        self.x = quotes.log_moneyness / self.std
        self.vol = quotes.iv / atm
        self.weight = quotes.weight / math.sqrt(float(np.sum(quotes.weight**2)))
        self.band = ScaledBands(quotes.bands, self.std, atm)
        self.limits = ScaledLimits(limits, self.std) if limits != NO_LIMITS else None
        # What quotes leave open is settled by the previous slice, where there is one.
        self.prior = None if prior is None else self.to_free(prior)
        self.centre = _CENTRE if self.prior is None else self.prior
        self.heeds = False

    def fit(self, heeds: bool) -> Svi:
        """Best slice; ``heeds`` says whether quotes outside the fit bound it as well."""
        self.heeds = heeds
        point = self.grid_start()
        if self.prior is not None and self.cost(self.prior) < self.cost(point):
            point = self.prior
        return self.to_svi(self.polish(point))

    def grid_start(self) -> Vector:
        """Best feasible point of the quasi-explicit step over the grid."""
        m, s = _GRID[:, :1], _GRID[:, 1:]
        y = (self.x[None, :] - m) / s
        # Half the weight over vol turns an error of variance into an error of volatility.
        scale = (self.weight / (2.0 * self.vol))[None, :]
        basis = np.stack([np.ones_like(y), y, np.sqrt(y * y + 1.0)], axis=1) * scale[:, None, :]
        target = np.broadcast_to(self.vol**2 * scale[0], y.shape)
        normal = basis @ basis.transpose(0, 2, 1) + 1e-10 * np.eye(3)
        a, d, c = np.linalg.solve(normal, np.einsum("gij,gj->gi", basis, target)[..., None])[..., 0].T
        c = np.maximum(c, 1e-3)
        d = np.clip(d, -0.98 * c, 0.98 * c)
        low = np.maximum(a + np.sqrt(c * c - d * d), 0.05)
        free = np.stack([np.log(low), np.log(c / s[:, 0]), np.arctanh(d / c), m[:, 0], np.log(s[:, 0])], axis=1)
        best: Vector = free[int(np.argmin(self._grid_costs(low, c / s[:, 0], d / c)))]
        return best

    def _grid_costs(self, low: Vector, raw: Vector, rho: Vector) -> Vector:
        """Sum of squares of the volatility errors at every point of the grid."""
        x, s = self.x[None, :] - _GRID[:, :1], _GRID[:, 1:]
        slope = (raw / (1.0 + self.std * raw))[:, None]
        shape = rho[:, None] * x + np.sqrt(x * x + s * s) - s * np.sqrt(1.0 - rho * rho)[:, None]
        error = self.weight * (np.sqrt(low[:, None] + slope * np.maximum(shape, 0.0)) - self.vol)
        costs: Vector = np.sum(error * error, axis=1)
        return costs

    def cost(self, free: Vector) -> float:
        """Sum of squares that the polish lowers."""
        r = self.residual(free)
        return float(r @ r)

    def residual(self, free: Vector) -> Vector:
        """Weighted relative volatility errors, the ridge, and what lies outside the quotes."""
        parts = [self.weight * (np.sqrt(self._variance(free, self.x)) - self.vol), RIDGE * (free - self.centre)]
        if self.limits is not None:
            parts.append(self.limits.residual(np.sqrt(self._variance(free, self.limits.x))))
        if self.heeds:
            parts.append(self.band.residual(np.sqrt(self._variance(free, self.band.x))))
            parts.append(DENSITY_WEIGHT * np.minimum(durrleman(self.to_svi(free), self.std * _DENSITY_AT), 0.0))
        return np.concatenate(parts)

    def jacobian(self, free: Vector) -> Vector:
        """Return the derivatives of ``residual`` where it does not heed, one column for each free number."""
        parts = [self._vol_slopes(free, self.x) * self.weight[:, None], RIDGE * np.eye(NUMBERS)]
        if self.limits is not None:
            vol = np.sqrt(self._variance(free, self.limits.x))
            outside = (vol > self.limits.high) | (vol < self.limits.low)
            parts.append(self._vol_slopes(free, self.limits.x) * (LIMIT_WEIGHT * outside)[:, None])
        return np.concatenate(parts)

    def _vol_slopes(self, free: Vector, at: Vector) -> Vector:
        """Return the derivatives of the volatility at some log-strikes to the free numbers, one row a strike."""
        low, slope, rho, m, s = self._unpack(free)
        x = at - m
        root = np.sqrt(x * x + s * s)
        flat = math.sqrt(1.0 - rho * rho)
        shape = rho * x + root - s * flat
        columns = np.stack(
            [
                np.full_like(x, low),
                slope * (1.0 - self.std * slope) * shape,
                slope * (x + s * rho / flat) * (RHO_LIMIT - rho * rho / RHO_LIMIT),
                slope * (-rho - x / root),
                slope * (s / root - flat) * s,
            ]
        )
        half = 0.5 / np.sqrt(np.maximum(low + slope * shape, low))
        return np.asarray((columns * half).T)

    def polish(self, free: Vector) -> Vector:
        """Levenberg-Marquardt from ``free``."""
        # Where a neighbour bounds it the least error lies on a kink; its last digits are not worth crawling along it.
        tolerance = 1e-9 if self.limits is None else 1e-5
        found = leastsq(
            self.residual,
            free,
            Dfun=None if self.heeds else self.jacobian,
            ftol=tolerance,
            xtol=tolerance,
            gtol=0.0,
            maxfev=MAX_CALLS,
            full_output=True,
        )[0]
        best: Vector = found if self.cost(found) <= self.cost(free) else free
        return best

    def to_svi(self, free: Vector) -> Svi:
        """Map free numbers to a slice in the units of the market."""
        low, slope, rho, m, s = self._unpack(free)
        a = low - slope * s * math.sqrt(1.0 - rho * rho)
        std = self.std
        return Svi(a=a * std**2, b=slope * std, rho=rho, m=m * std, sigma=s * std)

    def to_free(self, svi: Svi) -> Vector:
        """Inverse of ``to_svi``."""
        std = self.std
        slope, s = svi.b / std, svi.sigma / std
        low = svi.a / std**2 + slope * s * math.sqrt(1.0 - svi.rho**2)
        raw = max(slope, 1e-9) / max(1.0 - svi.b, 1e-9)
        rho = min(max(svi.rho / RHO_LIMIT, -RHO_LIMIT), RHO_LIMIT)
        found = [math.log(max(low, 1e-9)), math.log(raw), math.atanh(rho), svi.m / std, math.log(s)]
        free: Vector = np.clip(np.array(found), -_FREE, _FREE)
        return free

    def _variance(self, free: Vector, at: Vector) -> Vector:
        low, slope, rho, m, s = self._unpack(free)
        x = at - m
        value: Vector = low + slope * (rho * x + np.sqrt(x * x + s * s) - s * math.sqrt(1.0 - rho * rho))
        return np.maximum(value, low)

    def _unpack(self, free: Vector) -> tuple[float, float, float, float, float]:
        """Minimum variance, slope with ``b < 1`` (so ``b*(1+|rho|) < 2``), rho, m, sigma; all in scaled units."""
        bounded = [min(max(value, -_FREE), _FREE) for value in free.tolist()]
        raw = math.exp(bounded[1])
        rho = RHO_LIMIT * math.tanh(bounded[2])
        return (
            math.exp(bounded[0]),
            raw / (1.0 + self.std * raw),
            rho,
            bounded[3],
            math.exp(bounded[4]),
        )
