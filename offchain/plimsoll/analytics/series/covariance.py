"""Covariance of the joint price and volatility moves over the horizon."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.series.correlation import repair_correlation
from plimsoll.analytics.series.history import History
from plimsoll.analytics.series.moves import log_moves
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
    EWMA weights ``decay^age``. With volatilities in the history all blocks are estimated. Without, the volatility of
    ``u`` has standard deviation ``vol_of_vol*sqrt(T)``, and the correlation matrix is the Kronecker product of
    ``[[1, spot_vol], [spot_vol, 1]]`` with that of the prices, which is valid whenever the latter is.
    """
    moves = log_moves(history)
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
    if history.iv is not None and settings.correlation is None:
        return covariance * steps, []
    raw = covariance[:k, :k] / np.outer(std[:k], std[:k])
    np.fill_diagonal(raw, 1.0)
    correlation, notes = _price_correlation(raw, history.assets, settings.correlation)
    vol_std = (
        std[k:] if history.iv is not None else np.full(k, settings.vol_of_vol * np.sqrt(history.step_sec / YEAR_SEC))
    )
    if history.iv is None:
        notes.append(
            f"no volatility history: vol of vol {settings.vol_of_vol:g}, spot-vol {settings.spot_vol:g} assumed"
        )
    joint = np.kron(np.array([[1.0, settings.spot_vol], [settings.spot_vol, 1.0]]), correlation)
    scale = np.r_[std[:k], vol_std]
    return joint * np.outer(scale, scale) * steps, notes


def factor_root(covariance: Vector) -> Vector:
    """Matrix ``A`` with ``A @ A.T`` equal to the covariance, the largest direction first, zero ones left out."""
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(values)[::-1]
    keep = order[values[order] > 1e-14 * max(float(values.max()), 0.0)]
    root: Vector = vectors[:, keep] * np.sqrt(values[keep])
    return root
