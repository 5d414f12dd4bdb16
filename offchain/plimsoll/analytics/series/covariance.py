"""Covariance of the joint price and volatility moves over the horizon."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.series.correlation import repair_correlation
from plimsoll.analytics.series.history import History
from plimsoll.analytics.series.moves import log_moves, volatility_note
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.constants import DAY_SEC, YEAR_SEC
from plimsoll.errors import InputError

Vector = npt.NDArray[np.float64]

#: An EWMA of fewer moves is a guess: with the default decay it has the weight of some thirty.
MIN_MOVES: Final = 30


def _price_correlation(raw: Vector, names: tuple[str, ...], forced: float | None) -> tuple[Vector, list[str]]:
    if forced is None:
        return raw, []
    k = len(names)
    return repair_correlation(np.where(np.eye(k, dtype=bool), 1.0, forced), names)


def horizon_covariance(history: History, settings: RiskSettings) -> tuple[Vector, list[str]]:
    """Zero-mean covariance of log moves over the horizon, prices first, then volatilities.

    Parameters
    ----------
    history : History
        Daily or finer; at least ``MIN_MOVES`` moves.
    settings : RiskSettings

    Returns
    -------
    ndarray of shape (2k, 2k), list of str
        Positive semi-definite, independent moves per step; warnings and assumptions.

    Notes
    -----
    EWMA weights ``decay^age``. All blocks are estimated, from the volatilities of the history or, where it has none,
    from the share ``vol_share`` of each price's own EWMA volatility. With ``vol_of_vol`` instead, the volatility of
    ``u`` has standard deviation ``vol_of_vol*sqrt(T)``; then, and with a forced ``correlation``, the correlation matrix
    is the Kronecker product of ``[[1, spot_vol], [spot_vol, 1]]`` with that of the prices, which is valid whenever the
    latter is.
    """
    moves = log_moves(history, 1, settings.vol_share)
    factors = np.hstack((moves.price, moves.vol))
    if factors.shape[0] < MIN_MOVES:
        raise InputError(
            history.source, f"too little history: {factors.shape[0]} moves, a covariance needs {MIN_MOVES}"
        )
    age = np.arange(factors.shape[0])[::-1]
    weight = settings.decay**age
    covariance = (factors * (weight / weight.sum())[:, None]).T @ factors
    steps = settings.horizon_days * DAY_SEC / history.step_sec
    k = len(history.assets)
    std = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if (std[:k] == 0.0).any():
        name = history.assets[int((std[:k] == 0.0).argmax())]
        raise InputError(history.source, f"{name}: the price does not move: constant series")
    estimated = history.iv is not None or settings.vol_of_vol is None
    said = list(volatility_note(history, settings.vol_share)) if estimated else []
    if estimated and settings.correlation is None:
        return covariance * steps, said
    raw = covariance[:k, :k] / np.outer(std[:k], std[:k])
    np.fill_diagonal(raw, 1.0)
    correlation, notes = _price_correlation(raw, history.assets, settings.correlation)
    notes += said
    vol_std = std[k:]
    if settings.vol_of_vol is not None and history.iv is None:
        vol_std = np.full(k, settings.vol_of_vol * np.sqrt(history.step_sec / YEAR_SEC))
        notes.append(
            f"no volatility history: vol of vol {settings.vol_of_vol:g}, spot-vol {settings.spot_vol:g} assumed"
        )
    joint = np.kron(np.array([[1.0, settings.spot_vol], [settings.spot_vol, 1.0]]), correlation)
    scale = np.r_[std[:k], vol_std]
    return joint * np.outer(scale, scale) * steps, notes


def _root(covariance: Vector, least: float) -> Vector:
    """Matrix ``A`` with ``A @ A.T`` equal to the covariance, the largest direction first, least ones left out."""
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(values)[::-1]
    keep = order[values[order] > least]
    root: Vector = vectors[:, keep] * np.sqrt(values[keep])
    return root


def factor_root(covariance: Vector) -> Vector:
    """Matrix ``A`` with ``A @ A.T`` equal to the covariance of prices and volatilities.

    Parameters
    ----------
    covariance : ndarray, shape (2k, 2k)
        Prices first, then volatilities; positive semi-definite.

    Returns
    -------
    ndarray, shape (2k, r)
        The first columns move prices, the largest direction first, and volatilities with them; the rest move
        volatilities alone. So the first coordinates of a Sobol point, the most even ones, go to what moves a book most.
    """
    k = covariance.shape[0] // 2
    least = 1e-14 * max(float(np.diag(covariance).max()), 0.0)
    price = _root(covariance[:k, :k], least)
    with_price = covariance[k:, :k] @ np.linalg.pinv(price).T
    alone = _root(covariance[k:, k:] - with_price @ with_price.T, least)
    return np.block([[price, np.zeros((k, alone.shape[1]))], [with_price, alone]])
