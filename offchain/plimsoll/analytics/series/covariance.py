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


def _forced(joint: Vector, names: tuple[str, ...], forced: float) -> tuple[Vector, list[str]]:
    """Replace what is between prices in a correlation matrix of prices and volatilities."""
    k, replaced = len(names), joint.copy()
    replaced[:k, :k] = np.where(np.eye(k, dtype=bool), 1.0, forced)
    return repair_correlation(replaced, (*names, *(f"{name} vol" for name in names)))


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
    from the share ``vol_share`` of each price's own EWMA volatility. A forced ``correlation`` replaces the entries
    between prices alone. With ``vol_of_vol`` the volatility of ``u`` has standard deviation ``vol_of_vol*sqrt(T)``;
    then, and with ``spot_vol``, the correlation matrix is the Kronecker product of ``[[1, spot_vol], [spot_vol, 1]]``
    with that of the prices, which is valid whenever the latter is.
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
    assumed = settings.vol_of_vol is not None and history.iv is None
    said = [] if assumed else list(volatility_note(history, settings.vol_share))
    # A volatility that is held has no deviation, and no correlation with anything.
    scale = np.where(std > 0.0, std, 1.0)
    joint = covariance / np.outer(scale, scale)
    np.fill_diagonal(joint, 1.0)
    own_spot_vol = assumed or (settings.correlation is not None and settings.spot_vol is not None)
    if not own_spot_vol:
        if settings.correlation is None:
            return covariance * steps, said
        joint, notes = _forced(joint, history.assets, settings.correlation)
        return joint * np.outer(std, std) * steps, notes + said
    correlation, notes = _price_correlation(joint[:k, :k], history.assets, settings.correlation)
    notes += said
    spot_vol = settings.spot_vol or 0.0
    if assumed:
        std[k:] = settings.vol_of_vol * np.sqrt(history.step_sec / YEAR_SEC)
        notes.append(f"no volatility history: vol of vol {settings.vol_of_vol:g}, spot-vol {spot_vol:g} assumed")
    joint = np.kron(np.array([[1.0, spot_vol], [spot_vol, 1.0]]), correlation)
    return joint * np.outer(std, std) * steps, notes


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
