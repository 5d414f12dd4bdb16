"""Delta-gamma-vega VaR: exact cumulants of the quadratic form, Cornish-Fisher quantile, closed-form contributions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from plimsoll.analytics.series.covariance import horizon_covariance
from plimsoll.analytics.series.history import History
from plimsoll.analytics.var.legs import Leg, underlyings_of
from plimsoll.analytics.var.result import RiskResult
from plimsoll.analytics.var.sensitivities import Sensitivities, sensitivities
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.constants import DAY_SEC
from plimsoll.errors import DomainError
from plimsoll.model import Market

Vector = npt.NDArray[np.float64]

#: The expansion must hold as far out as this share of the tail: what lies beyond adds next to nothing to its mean.
BEYOND: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Cumulants:
    """First four cumulants of the P&L, shape (4,), and their derivative per leg, shape (m, 4), times its quantity."""

    total: Vector
    leg: Vector


def quadratic_cumulants(sens: Sensitivities, covariance: Vector) -> Cumulants:
    """Cumulants of ``c + a'x + x'Gx/2`` for normal ``x``.

    Parameters
    ----------
    sens : Sensitivities
    covariance : ndarray, shape (2k, 2k)

    Returns
    -------
    Cumulants
        ``k1 = c + tr(GS)/2``, ``k2 = a'Sa + tr((GS)^2)/2``, ``k3 = 3a'SGSa + tr((GS)^3)``,
        ``k4 = 12a'S(GS)^2a + 3tr((GS)^4)`` with ``S`` the covariance.
    """
    a, gamma = sens.first.sum(axis=0), sens.second.sum(axis=0)
    gs = gamma @ covariance
    sa = covariance @ a
    gs2, gs3 = gs @ gs, gs @ gs @ gs
    gsa = gamma @ sa
    total = np.array(
        [
            sens.drift.sum() + 0.5 * np.trace(gs),
            a @ sa + 0.5 * np.trace(gs2),
            3.0 * sa @ gsa + np.trace(gs3),
            12.0 * gsa @ covariance @ gsa + 3.0 * np.trace(gs3 @ gs),
        ]
    )
    own = sens.second @ covariance  # G_i S, shape (m, 2k, 2k)
    own_gsa = sens.second @ sa  # G_i S a
    leg = np.stack(
        [
            sens.drift + 0.5 * np.einsum("mii->m", own),
            2.0 * sens.first @ sa + np.einsum("ij,mji->m", gs, own),
            6.0 * sens.first @ covariance @ gsa + 3.0 * own_gsa @ sa + 3.0 * np.einsum("ij,mji->m", gs2, own),
            24.0 * sens.first @ covariance @ gamma @ covariance @ gsa
            + 24.0 * own_gsa @ covariance @ gsa
            + 12.0 * np.einsum("ij,mji->m", gs3, own),
        ],
        axis=1,
    )
    return Cumulants(total, leg)


def _quantile_weights(level: float) -> tuple[Vector, Vector]:
    """Coefficients ``(1, skew, kurtosis, skew^2)`` of the Cornish-Fisher quantile and tail mean at ``1 - level``."""
    tail = 1.0 - level
    z = float(ndtri(tail))
    density = float(np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))
    m1 = -density / tail  # mean of z, z^2 - 1, z^3 - 3z and z^3 below z
    m2 = -z * density / tail
    m3 = -(z * z - 1.0) * density / tail
    cube = m3 + 3.0 * m1
    quantile = np.array([z, (z * z - 1.0) / 6.0, (z**3 - 3.0 * z) / 24.0, -(2.0 * z**3 - 5.0 * z) / 36.0])
    mean = np.array([m1, m2 / 6.0, m3 / 24.0, -(2.0 * cube - 5.0 * m1) / 36.0])
    return quantile, mean


def cornish_fisher(cumulants: Vector, level: float) -> tuple[float, float, Vector, Vector]:
    """VaR and ES of a distribution with given cumulants, and their derivatives.

    Parameters
    ----------
    cumulants : ndarray, shape (4,)
        The second is not negative.
    level : float

    Returns
    -------
    var, es : float
        Cash, a loss positive.
    var_slope, es_slope : ndarray, shape (4,)
        Derivative to each cumulant.

    References
    ----------
    .. [1] E. Cornish, R. Fisher, Moments and cumulants in the specification of distributions, 1938.
    """
    k1, k2, k3, k4 = (float(c) for c in cumulants)
    if k2 <= 0.0:
        return -k1, -k1, np.array([-1.0, 0.0, 0.0, 0.0]), np.array([-1.0, 0.0, 0.0, 0.0])
    sigma = np.sqrt(k2)
    skew, kurtosis = k3 / sigma**3, k4 / k2**2
    out: list[float] = []
    slopes: list[Vector] = []
    for w in _quantile_weights(level):
        shape = float(w @ np.array([1.0, skew, kurtosis, skew**2]))
        out.append(-(k1 + sigma * shape))
        # sigma*shape = w0 s + w1 k3/s^2 + w2 k4/s^3 + w3 k3^2/s^5, as a function of k2 = s^2
        by_k2 = (w[0] - 2.0 * w[1] * skew - 3.0 * w[2] * kurtosis - 5.0 * w[3] * skew**2) / (2.0 * sigma)
        by_k3 = (w[1] + 2.0 * w[3] * skew) / k2
        slopes.append(-np.array([1.0, by_k2, by_k3, w[2] / sigma**3]))
    return out[0], out[1], slopes[0], slopes[1]


def expansion_quantiles(cumulants: Vector, level: float, z: Vector) -> tuple[float, float, Vector]:
    """VaR and ES of a distribution with given cumulants, and losses at other quantiles of it.

    Parameters
    ----------
    cumulants : ndarray, shape (4,)
    level : float
    z : ndarray, shape (m,)
        Quantiles of the standard normal, negative ones being losses.

    Returns
    -------
    var, es : float
        As ``cornish_fisher``.
    losses : ndarray, shape (m,)
        Cash.
    """
    var, es, _, _ = cornish_fisher(cumulants, level)
    k1, k2, k3, k4 = (float(c) for c in cumulants)
    if k2 <= 0.0:
        return var, es, np.full(z.size, -k1)
    sigma = np.sqrt(k2)
    skew, kurtosis = k3 / sigma**3, k4 / k2**2
    shape = (
        z + skew * (z * z - 1.0) / 6.0 + kurtosis * (z**3 - 3.0 * z) / 24.0 - skew**2 * (2.0 * z**3 - 5.0 * z) / 36.0
    )
    return var, es, np.asarray(-(k1 + sigma * shape))


def is_monotone(skew: float, kurtosis: float, reach: float) -> bool:
    """Whether the Cornish-Fisher quantile rises in ``z`` as far as figures use it.

    Parameters
    ----------
    skew, kurtosis : float
        Of the P&L; the kurtosis in excess of the normal's.
    reach : float
        Largest ``|z|`` that matters, positive.

    Returns
    -------
    bool

    Notes
    -----
    The slope ``1 + skew*z/3 + kurtosis*(z^2 - 1)/8 - skew^2*(6*z^2 - 5)/36`` is a parabola: its least value in an
    interval is at an end, or at its vertex. A linear book has ``kurtosis = 4*skew^2/3`` to first order, where the
    square term vanishes: its quantile falls somewhere, but hundreds of standard deviations away.
    """
    square = kurtosis / 8.0 - skew**2 / 6.0
    constant = 1.0 - kurtosis / 8.0 + 5.0 * skew**2 / 36.0
    places = [-reach, reach]
    if square > 0.0 and abs(skew) / (6.0 * square) < reach:
        places.append(-skew / (6.0 * square))
    return all(square * z * z + skew * z / 3.0 + constant > 0.0 for z in places)


def parametric_var(market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings) -> RiskResult:
    """Delta-gamma-vega VaR and ES; arguments as ``historical_var``.

    Notes
    -----
    Contributions are exact: VaR is homogeneous of degree one in the quantities, and the derivative of every cumulant
    to a quantity is closed. No sampling error, so no interval; the error is that of the expansion.
    """
    names = underlyings_of(legs)
    covariance, notes = horizon_covariance(history, settings)
    sens = sensitivities(market, legs, names, settings.horizon_days * DAY_SEC)
    cumulants = quadratic_cumulants(sens, covariance)
    var, es, var_slope, es_slope = cornish_fisher(cumulants.total, settings.level)
    k2 = float(cumulants.total[1])
    if not np.isfinite(cumulants.total).all():
        raise DomainError("parametric", "the cumulants are too large for a float")
    reach = float(-ndtri(BEYOND * (1.0 - settings.level)))
    if k2 > 0.0 and not is_monotone(float(cumulants.total[2]) / k2**1.5, float(cumulants.total[3]) / k2**2, reach):
        notes.append(
            "skew and kurtosis are outside the domain of the Cornish-Fisher expansion: prefer full revaluation"
        )
    without_var, without_es = np.empty(len(legs)), np.empty(len(legs))
    for j in range(len(legs)):
        rest = np.arange(len(legs)) != j
        other = quadratic_cumulants(Sensitivities(sens.drift[rest], sens.first[rest], sens.second[rest]), covariance)
        without_var[j], without_es[j], _, _ = cornish_fisher(other.total, settings.level)
    return RiskResult(
        method=f"parametric: delta-gamma-vega, normal, EWMA {settings.decay:g} covariance, Cornish-Fisher",
        var=var,
        es=es,
        var_interval=None,
        es_interval=None,
        component_var=cumulants.leg @ var_slope,
        component_es=cumulants.leg @ es_slope,
        incremental_var=var - without_var,
        incremental_es=es - without_es,
        scenarios=0,
        warnings=tuple(notes),
    ).check()
