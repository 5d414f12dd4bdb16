"""Monte Carlo with full revaluation: Student-t moves on scrambled Sobol points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, ndtri
from scipy.stats import qmc

from plimsoll.analytics.series.covariance import factor_root, horizon_covariance
from plimsoll.analytics.series.history import History
from plimsoll.analytics.series.moves import Moves
from plimsoll.analytics.var.legs import Leg, underlyings_of
from plimsoll.analytics.var.result import RiskResult, sample_contributions
from plimsoll.analytics.var.revaluation import revalue
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.analytics.var.tail import replicate_interval, tail_weights
from plimsoll.constants import DAY_SEC
from plimsoll.errors import DomainError, InputError
from plimsoll.model import Market

Vector = npt.NDArray[np.float64]

#: Above this many degrees of freedom the moves are taken as normal.
NORMAL_FROM = 1e5
#: Log moves beyond this would overflow a price; no market moved a hundredth of it in a day.
LARGEST_LOG_MOVE = 50.0


def student_moves(covariance: Vector, settings: RiskSettings, replicate: int) -> Moves:
    """Draw zero-mean multivariate Student-t moves with the given covariance.

    Parameters
    ----------
    covariance : ndarray, shape (2k, 2k)
        Prices first, then volatilities.
    settings : RiskSettings
    replicate : int
        Which scramble; each is independent of the others.

    Returns
    -------
    Moves
        ``settings.paths`` rows.

    Notes
    -----
    One mixing variable for all factors, so extremes come together: ``x = A z sqrt((nu-2)/w)``, ``w`` chi-squared.
    """
    root = factor_root(covariance)
    dims = root.shape[1]
    engine = qmc.Sobol(dims + 1, scramble=True, rng=np.random.default_rng([settings.seed, replicate]))
    points = np.clip(engine.random(settings.paths), 2.0**-40, 1.0 - 2.0**-40)
    normal = ndtri(points[:, :dims])
    if settings.degrees < NORMAL_FROM:
        mixing = 2.0 * gammaincinv(0.5 * settings.degrees, points[:, dims])
        normal = normal * np.sqrt((settings.degrees - 2.0) / mixing)[:, None]
    drawn = np.clip(normal @ root.T, -LARGEST_LOG_MOVE, LARGEST_LOG_MOVE)
    k = covariance.shape[0] // 2
    return Moves(drawn[:, :k], drawn[:, k:])


def _simulated(
    market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings
) -> tuple[list[Vector], list[str]]:
    """P&L of the legs in every replicate, and notes on the covariance."""
    if settings.paths * (1.0 - settings.level) < 1.0:
        raise InputError("--paths", f"{settings.paths} leave no scenario beyond level {settings.level:g}")
    covariance, notes = horizon_covariance(history, settings)
    names = underlyings_of(legs)
    parts = [
        revalue(market, legs, names, student_moves(covariance, settings, replicate), settings.horizon_days * DAY_SEC)
        for replicate in range(settings.replicates)
    ]
    return parts, notes


def _figures(total: Vector, level: float) -> tuple[float, float]:
    """VaR and ES of a sample."""
    weights = tail_weights(total, level)
    return -float(weights.var @ total), -float(weights.es @ total)


def monte_carlo_figures(
    market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings
) -> tuple[float, float, tuple[str, ...]]:
    """VaR, ES and notes of :func:`monte_carlo_var` alone, without intervals and contributions."""
    parts, notes = _simulated(market, legs, history, settings)
    var, es = _figures(np.vstack(parts).sum(axis=1), settings.level)
    if not np.isfinite([var, es]).all():
        raise DomainError("Monte Carlo", "a figure is not a finite number")
    return var, es, tuple(notes)


def monte_carlo_var(market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings) -> RiskResult:
    """VaR and ES from simulated joint moves; arguments as ``historical_var``.

    Notes
    -----
    Totals pool all replicates; intervals come from the spread of the replicates (randomised quasi-Monte Carlo).
    They cover the sampling error only, not that of the model or of the covariance.
    """
    parts, notes = _simulated(market, legs, history, settings)
    pooled = np.vstack(parts)
    total = pooled.sum(axis=1)
    var, es = _figures(total, settings.level)
    spread = np.array([_figures(pnl.sum(axis=1), settings.level) for pnl in parts])
    law = "normal" if settings.degrees >= NORMAL_FROM else f"Student-t({settings.degrees:g})"
    return RiskResult(
        method=f"Monte Carlo: {law}, EWMA {settings.decay:g} covariance, Sobol, seed {settings.seed}",
        var=var,
        es=es,
        var_interval=replicate_interval(var, spread[:, 0], settings.confidence),
        es_interval=replicate_interval(es, spread[:, 1], settings.confidence),
        scenarios=total.size,
        pnl=total,
        warnings=tuple(notes),
        **sample_contributions(pooled, settings.level),
    ).check()
