"""Filtered historical simulation: past moves in units of their own forecast, at today's volatility."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.series.garch import VolatilityRule, garch_rule
from plimsoll.analytics.series.history import History
from plimsoll.analytics.series.moves import Moves, ewma_volatility, log_moves
from plimsoll.analytics.var.legs import Leg, underlyings_of
from plimsoll.analytics.var.result import RiskResult, empirical_result
from plimsoll.analytics.var.revaluation import revalue
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.analytics.var.tail import check_level
from plimsoll.constants import DAY_SEC
from plimsoll.model import Market

Vector = npt.NDArray[np.float64]

#: Forecasts inside the first moves lean on the start value, which has seen the whole series.
WARM_UP = 30
PATHS = 10_000


def ewma_rule(factors: Vector, decay: float) -> VolatilityRule:
    """Volatility rule of an exponentially weighted mean of squares."""
    k = factors.shape[1]
    forecast = ewma_volatility(factors, decay)
    return VolatilityRule(np.zeros(k), np.full(k, 1.0 - decay), np.full(k, decay), forecast, f"EWMA {decay:g}")


def rule_of(history: History, factors: Vector, settings: RiskSettings, garch: bool) -> VolatilityRule:
    """Return the rule that filters: EWMA, or a GARCH fit of every factor."""
    if not garch:
        return ewma_rule(factors, settings.decay)
    return garch_rule(factors, (*history.assets, *(f"{name} vol" for name in history.assets)))


def filtered_moves(history: History, settings: RiskSettings, rule: VolatilityRule, factors: Vector) -> Moves:
    """Joint moves over the horizon at today's volatility.

    Parameters
    ----------
    history : History
    settings : RiskSettings
    rule : VolatilityRule
        Fitted to ``factors``.
    factors : ndarray, shape (n, 2k)
        Log moves of prices, then of volatilities.

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
    forecast = rule.forecast
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
            variance = rule.next_variance(variance, move)
    k = len(history.assets)
    return Moves(total[:, :k], total[:, k:])


def filtered_var(market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings) -> RiskResult:
    """VaR and ES by EWMA-filtered historical simulation; arguments as ``historical_var``."""
    return _filtered(market, legs, history, settings, garch=False)


def garch_var(market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings) -> RiskResult:
    """VaR and ES by GARCH-filtered historical simulation; arguments as ``historical_var``."""
    return _filtered(market, legs, history, settings, garch=True)


def _filtered(
    market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings, garch: bool
) -> RiskResult:
    steps = settings.horizon_days * DAY_SEC // history.step_sec
    raw = log_moves(history)
    factors = np.hstack((raw.price, raw.vol))
    rule = rule_of(history, factors, settings, garch)
    moves = filtered_moves(history, settings, rule, factors)
    effective = (history.ts.size - 1 - WARM_UP) / steps
    check_level(settings.level, effective, history.source)
    pnl = revalue(market, legs, underlyings_of(legs), moves, settings.horizon_days * DAY_SEC)
    warnings = () if history.iv is not None else ("no volatility history: volatilities are held",)
    method = f"filtered historical: {rule.note}, {len(pnl)} scenarios from {history.source}"
    return empirical_result(method, pnl, settings, min(effective, float(len(pnl))), warnings)
