"""Filtered historical simulation: past moves in units of their own forecast, at today's volatility."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offchain.analytics.history import DAY_SEC, History
from offchain.analytics.legs import Leg, underlyings_of
from offchain.analytics.moves import Moves, ewma_volatility, log_moves
from offchain.analytics.result import RiskResult, sample_contributions
from offchain.analytics.revaluation import revalue
from offchain.analytics.settings import RiskSettings
from offchain.analytics.tail import check_level, es_interval, order_interval, tail_weights
from offchain.model import Market

Vector = npt.NDArray[np.float64]

#: Forecasts inside the first moves lean on the start value, which has seen the whole series.
WARM_UP = 30
PATHS = 10_000


def filtered_moves(history: History, settings: RiskSettings) -> Moves:
    """Joint moves over the horizon at today's volatility.

    Parameters
    ----------
    history : History
    settings : RiskSettings

    Returns
    -------
    Moves
        One row per residual when the horizon is one step; else ``PATHS`` seeded bootstrap paths, whose volatility is
        updated after every step.

    References
    ----------
    .. [1] G. Barone-Adesi, K. Giannopoulos, L. Vosper, VaR without correlations for portfolios of derivative
       securities, Journal of Futures Markets 19, 1999.
    """
    raw = log_moves(history)
    factors = np.hstack((raw.price, raw.vol))
    forecast = ewma_volatility(factors, settings.decay)
    safe = np.where(forecast > 0.0, forecast, 1.0)
    check_level(settings.level, float(factors.shape[0] - WARM_UP), history.source)
    residual = (factors / safe[:-1])[WARM_UP:]
    steps = settings.horizon_days * DAY_SEC // history.step_sec
    if steps == 1:
        total = residual * forecast[-1]
    else:
        rng = np.random.default_rng(settings.seed)
        variance = np.tile(forecast[-1] ** 2, (PATHS, 1))
        total = np.zeros_like(variance)
        for _ in range(steps):
            move = residual[rng.integers(residual.shape[0], size=PATHS)] * np.sqrt(variance)
            total += move
            variance = settings.decay * variance + (1.0 - settings.decay) * move**2
    k = len(history.assets)
    return Moves(total[:, :k], total[:, k:])


def filtered_var(market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings) -> RiskResult:
    """VaR and ES by EWMA-filtered historical simulation; arguments as ``historical_var``."""
    steps = settings.horizon_days * DAY_SEC // history.step_sec
    moves = filtered_moves(history, settings)
    effective = (history.ts.size - 1 - WARM_UP) / steps
    check_level(settings.level, effective, history.source)
    pnl = revalue(market, legs, underlyings_of(legs), moves, settings.horizon_days * DAY_SEC)
    total = pnl.sum(axis=1)
    weights = tail_weights(total, settings.level)
    effective = min(effective, float(total.size))
    return RiskResult(
        method=f"filtered historical: EWMA {settings.decay:g}, {total.size} scenarios from {history.source}",
        var=-float(weights.var @ total),
        es=-float(weights.es @ total),
        var_interval=order_interval(total, settings.level, effective, settings.confidence),
        es_interval=es_interval(total, settings.level, effective, settings.confidence),
        scenarios=total.size,
        warnings=() if history.iv is not None else ("no volatility history: volatilities are held",),
        **sample_contributions(pnl, settings.level),
    ).check()
