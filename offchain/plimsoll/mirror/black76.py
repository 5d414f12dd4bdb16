"""Black-76 price and greeks; mirror of contracts/libraries/Black76.sol."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_INV_SQRT_2PI = 0.3989422804014326779


@dataclass(frozen=True, slots=True)
class Greeks:
    """Per-unit greeks: delta and gamma per unit of the forward, vega per 1.00 of vol, theta per year."""

    delta: Vector
    gamma: Vector
    vega: Vector
    theta: Vector


def _d1(forward: Vector, strike: Vector, std: Vector) -> Vector:
    """``ln(F/K)/std + std/2``; at zero variance its limit (plus or minus infinity, 0 at the money)."""
    log_moneyness = np.log(forward / strike)
    if np.all(std > 0.0):
        plain: Vector = log_moneyness / std + 0.5 * std
        return plain
    safe = np.where(std > 0.0, std, 1.0)
    limit = np.where(log_moneyness > 0.0, np.inf, np.where(log_moneyness < 0.0, -np.inf, 0.0))
    return np.where(std > 0.0, log_moneyness / safe + 0.5 * safe, limit)


def price_and_delta(
    is_call: Flags, forward: Vector, strike: Vector, std: Vector, discount: Vector
) -> tuple[Vector, Vector]:
    """Discounted price and discounted delta per unit of the forward.

    Parameters
    ----------
    is_call : ndarray of bool
        Call where true, put elsewhere; all arrays broadcast against each other.
    forward, strike : ndarray of float64, cash
        Positive.
    std : ndarray of float64
        ``sigma*sqrt(T)``, at least 0; 0 gives the intrinsic value.
    discount : ndarray of float64
        ``exp(-r*T)``.

    Returns
    -------
    price, delta : ndarray of float64
        Cash per unit; cash per unit of the forward. At zero variance at the money delta is half.

    Notes
    -----
    Relative to the forward the error is a few units of rounding (about 1e-16).

    References
    ----------
    .. [1] F. Black, The pricing of commodity contracts, 1976.
    """
    d1 = _d1(forward, strike, std)
    sign = np.where(is_call, 1.0, -1.0)
    scale, held = discount * sign, ndtr(sign * d1)
    price = scale * (forward * held - strike * ndtr(sign * (d1 - std)))
    return np.maximum(price, 0.0), scale * held


def greeks(
    is_call: Flags,
    forward: Vector,
    strike: Vector,
    sigma: Vector,
    time: Vector,
    rate: Vector,
    variance_time: Vector | None = None,
    pace: float = 1.0,
) -> Greeks:
    """Delta, gamma, vega and theta at fixed forward, volatility and rate.

    Parameters
    ----------
    is_call, forward, strike, sigma, time, rate : ndarray
        Shapes broadcast; ``sigma`` and ``rate`` per year, ``time`` in years, at least 0.
    variance_time : ndarray, optional
        Years that the volatility belongs to, where they are not the time to expiry.
    pace : float
        How fast the variance time runs out beside the time to expiry.

    Returns
    -------
    Greeks
        Theta is ``dV/dt = -D*F*phi(d1)*sigma*pace/(2*sqrt(T)) + r*V``; zero variance gives zero gamma
        and vega, and leaves of theta what the discount earns.
    """
    root = np.sqrt(time if variance_time is None else variance_time)
    std = sigma * root
    discount = np.exp(-rate * time)
    price, delta = price_and_delta(is_call, forward, strike, std, discount)
    alive = std > 0.0
    density = np.where(alive, _INV_SQRT_2PI * np.exp(-0.5 * np.where(alive, _d1(forward, strike, std), 0.0) ** 2), 0.0)
    safe_std = np.where(alive, std, 1.0)
    safe_root = np.where(root > 0.0, root, 1.0)
    decay = -discount * forward * density * sigma * pace / (2.0 * safe_root)
    return Greeks(
        delta=delta,
        gamma=discount * density / (forward * safe_std),
        vega=discount * forward * density * root,
        theta=decay + rate * price,
    )
