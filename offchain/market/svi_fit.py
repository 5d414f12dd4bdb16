"""One raw SVI slice per expiry, inside the domain of the oracle by construction.

The slice is fitted in units of its own at-the-money standard deviation, which makes every expiry look alike:

1. for each ``(m, sigma)`` of a fixed grid the best ``(a, d, c)`` of ``w = a + d*y + c*sqrt(y^2 + 1)``,
   ``y = (k - m)/sigma``, is a three-by-three linear problem (De Marco and Martini's quasi-explicit step);
2. the best feasible point, or the previous round's slice when it is better, starts a Levenberg-Marquardt polish
   of vega-weighted volatility errors over five free numbers that map onto the domain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import leastsq

from offchain.errors import DomainError
from offchain.market.clean import MIN_ROWS, WING_STD, Quotes
from offchain.mirror.svi import total_variance
from offchain.model import Svi

Vector = npt.NDArray[np.float64]

RIDGE: Final = 2e-4
"""Pull of each free number to its centre, in units of relative volatility: decides only what quotes leave open."""
MAX_CALLS: Final = 200
RHO_LIMIT: Final = 0.9999

_GRID_M: Final = np.linspace(-1.5, 1.5, 7)
_GRID_S: Final = np.array([0.1, 0.3, 0.7, 1.5, 3.0])
_GRID: Final = np.array([(m, s) for m in _GRID_M for s in _GRID_S])
# Free numbers: ln of minimum variance, ln of slope, atanh of rho, m, ln of sigma.
_CENTRE: Final = np.array([-0.5, -1.0, 0.0, 0.0, 0.0])
CHECK_STD: Final = WING_STD
"""Checks cover the range the quotes cover; further out a slice is an extrapolation."""
_CHECK_POINTS: Final = 61


@dataclass(frozen=True, slots=True)
class SliceFit:
    """A fitted slice and how well it fits; errors are in volatility (0.01 is one vol point).

    Attributes
    ----------
    expiry_ts : int
        Unix seconds.
    svi : Svi
        Inside the oracle's domain.
    rms, max_error : float
        Root mean square and largest error over the used quotes, each counted alike.
    weighted_rms : float
        The same with the vega weights of the fit.
    quotes, quoted : int
        Rows used; rows among them with both a bid and an ask.
    butterfly : float
        Smallest Durrleman ``g`` within ``CHECK_STD`` of the money; negative means a butterfly arbitrage.
    """

    expiry_ts: int
    svi: Svi
    rms: float
    max_error: float
    weighted_rms: float
    quotes: int
    quoted: int
    butterfly: float


def fit_slice(quotes: Quotes, start: Svi | None = None) -> SliceFit:
    """Fit one expiry.

    Parameters
    ----------
    quotes : Quotes
        At least ``MIN_ROWS`` usable rows.
    start : Svi, optional
        Slice of the same expiry at the previous round.

    Returns
    -------
    SliceFit
        Deterministic for the same input.

    Raises
    ------
    DomainError
        With fewer than ``MIN_ROWS`` rows.
    """
    if quotes.iv.size < MIN_ROWS:
        raise DomainError(f"expiry {quotes.expiry_ts}", f"{quotes.iv.size} usable quotes; a fit needs {MIN_ROWS}")
    atm = float(np.interp(0.0, quotes.log_moneyness, quotes.iv))
    problem = _Problem(quotes.log_moneyness, quotes.iv, quotes.weight, quotes.years, atm)
    point = problem.grid_start()
    if start is not None:
        warm = problem.to_free(start)
        if problem.cost(warm) < problem.cost(point):
            point = warm
    svi = problem.to_svi(problem.polish(point))
    return _report(quotes, svi, atm)


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


def calendar_gap(near: SliceFit, far: SliceFit, far_years: float) -> float:
    """Smallest rise of total variance from one expiry to the next.

    Parameters
    ----------
    near, far : SliceFit
        Neighbouring expiries.
    far_years : float
        Time to the far expiry.

    Returns
    -------
    float
        Smallest ``sqrt(w_far/T_far) - sqrt(w_near/T_far)`` within ``CHECK_STD`` standard deviations of the near
        expiry; negative means a calendar arbitrage.
    """
    k = _check_points(near.svi)
    w_near, w_far = total_variance(near.svi, k), total_variance(far.svi, k)
    return float(np.min(np.sqrt(w_far / far_years) - np.sqrt(w_near / far_years)))


def warnings_of(fits: Sequence[SliceFit], years: Sequence[float]) -> list[str]:
    """Arbitrage warnings of a set of slices.

    Parameters
    ----------
    fits : sequence of SliceFit
        By rising expiry.
    years : sequence of float
        Times to expiry.

    Returns
    -------
    list of str
        One sentence each; empty when every check holds.
    """
    found = [
        f"expiry {f.expiry_ts}: butterfly arbitrage, smallest Durrleman g {f.butterfly:.3f} below 0"
        for f in fits
        if f.butterfly < 0.0
    ]
    for near, far, far_years in zip(fits, fits[1:], years[1:], strict=False):
        gap = calendar_gap(near, far, far_years)
        if gap < 0.0:
            found.append(
                f"expiries {near.expiry_ts} and {far.expiry_ts}: calendar arbitrage, "
                f"variance falls by {-gap * 100.0:.2f} vol points"
            )
    return found


def _check_points(svi: Svi) -> Vector:
    std = math.sqrt(max(float(total_variance(svi, np.zeros(1))[0]), 1e-12))
    return np.linspace(-CHECK_STD * std, CHECK_STD * std, _CHECK_POINTS)


def _report(quotes: Quotes, svi: Svi, atm: float) -> SliceFit:
    error = np.sqrt(total_variance(svi, quotes.log_moneyness) / quotes.years) - quotes.iv
    square = quotes.weight**2
    return SliceFit(
        expiry_ts=quotes.expiry_ts,
        svi=svi,
        rms=float(np.sqrt(np.mean(error**2))),
        max_error=float(np.max(np.abs(error))),
        weighted_rms=float(np.sqrt(np.sum(square * error**2) / np.sum(square))),
        quotes=int(error.size),
        quoted=quotes.quoted,
        butterfly=float(np.min(durrleman(svi, _check_points(svi)))),
    )


class _Problem:
    """A slice in units of its at-the-money standard deviation: ``x = k/std``, variance over ``std^2``."""

    def __init__(self, log_moneyness: Vector, iv: Vector, weight: Vector, years: float, atm: float) -> None:
        self.std = atm * math.sqrt(years)
        self.x = log_moneyness / self.std
        self.vol = iv / atm
        self.weight = weight / math.sqrt(float(np.sum(weight**2)))

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
        costs = [self.cost(point) for point in free]
        best: Vector = free[int(np.argmin(costs))]
        return best

    def cost(self, free: Vector) -> float:
        """Sum of squares that the polish lowers."""
        r = self.residual(free)
        return float(r @ r)

    def residual(self, free: Vector) -> Vector:
        """Weighted relative volatility errors, then the ridge."""
        return np.concatenate([self.weight * (np.sqrt(self._variance(free)) - self.vol), RIDGE * (free - _CENTRE)])

    def jacobian(self, free: Vector) -> Vector:
        """Return the derivatives of ``residual``, one column for each free number."""
        low, slope, rho, m, s = self._unpack(free)
        x = self.x - m
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
        half = 0.5 * self.weight / np.sqrt(low + slope * shape)
        return np.concatenate([(columns * half).T, RIDGE * np.eye(5)])

    def polish(self, free: Vector) -> Vector:
        """Levenberg-Marquardt from ``free``."""
        found = leastsq(
            self.residual, free, Dfun=self.jacobian, ftol=1e-9, xtol=1e-9, gtol=0.0, maxfev=MAX_CALLS, full_output=True
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
        return np.array([math.log(max(low, 1e-9)), math.log(raw), math.atanh(rho), svi.m / std, math.log(s)])

    def _variance(self, free: Vector) -> Vector:
        low, slope, rho, m, s = self._unpack(free)
        x = self.x - m
        value: Vector = low + slope * (rho * x + np.sqrt(x * x + s * s) - s * math.sqrt(1.0 - rho * rho))
        return np.maximum(value, low)

    def _unpack(self, free: Vector) -> tuple[float, float, float, float, float]:
        """Minimum variance, slope with ``b < 1`` (so ``b*(1+|rho|) < 2``), rho, m, sigma; all in scaled units."""
        bounded = np.clip(free, -12.0, 12.0)
        raw = math.exp(bounded[1])
        rho = RHO_LIMIT * math.tanh(bounded[2])
        return (
            math.exp(bounded[0]),
            raw / (1.0 + self.std * raw),
            rho,
            float(bounded[3]),
            math.exp(bounded[4]),
        )
