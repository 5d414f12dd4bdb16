"""Filtered historical simulation: past moves in units of their own forecast, at today's volatility."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.series.garch import VolatilityRule, garch_rule
from plimsoll.analytics.series.history import History
from plimsoll.analytics.series.moves import Moves, ewma_volatility, log_moves, volatility_note
from plimsoll.analytics.var.bootstrap import REPLICATES, percentile_intervals
from plimsoll.analytics.var.legs import Leg, underlyings_of
from plimsoll.analytics.var.profile import pnl_profile
from plimsoll.analytics.var.result import RiskResult, empirical_result
from plimsoll.analytics.var.revaluation import revalue
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.analytics.var.tail import Interval, check_level, tail_figures
from plimsoll.constants import DAY_SEC
from plimsoll.model import Market

Vector = npt.NDArray[np.float64]

#: Forecasts inside the first moves lean on the start value, which has seen the whole series.
WARM_UP: Final = 30
PATHS: Final = 10_000
#: Steps of all paths behind the intervals together; with more, each replicate has fewer paths, down to the least.
STEPS_BUDGET: Final = 20_000_000
LEAST_PATHS: Final = 2_000


def ewma_rule(factors: Vector, decay: float, start: Vector | None = None) -> VolatilityRule:
    """Volatility rule of an exponentially weighted mean of squares; ``start`` as in ``ewma_volatility``."""
    k = factors.shape[1]
    forecast = ewma_volatility(factors, decay, start)
    return VolatilityRule(np.zeros(k), np.full(k, 1.0 - decay), np.full(k, decay), forecast, f"EWMA {decay:g}")


def rule_of(history: History, factors: Vector, settings: RiskSettings, garch: bool) -> VolatilityRule:
    """Return the rule that filters: EWMA, or a GARCH fit of every factor."""
    if not garch:
        return ewma_rule(factors, settings.decay)
    names = (*history.assets, *(f"{name} vol" for name in history.assets))
    return garch_rule(factors, names[: factors.shape[1]])


@dataclass(frozen=True, slots=True)
class Filter:
    """What a filtered history says of the next steps.

    Attributes
    ----------
    rule : VolatilityRule
        Fitted to the factors: log moves of the prices and, where the history has them, of the volatilities.
    residual : ndarray, shape (n, f)
        Moves in units of their forecast, without the first ones.
    assets : int
        Number of prices among the factors.
    vol_share : float
        Share of a price's own volatility that volatilities follow where the history has none.
    """

    rule: VolatilityRule
    residual: Vector
    assets: int
    vol_share: float

    def moves(self, total: Vector, variance: Vector) -> Moves:
        """Joint moves from the sums of the factors' moves, and the variances that they end at."""
        price = total[:, : self.assets]
        if total.shape[1] > self.assets:
            return Moves(price, total[:, self.assets :])
        if self.vol_share == 0.0:
            return Moves(price, np.zeros_like(price))
        return Moves(price, 0.5 * self.vol_share * np.log(variance / self.rule.forecast[-1] ** 2))

    def one_step(self) -> Moves:
        """One move for each residual."""
        total = self.residual * self.rule.forecast[-1]
        return self.moves(total, self.rule.next_variance(self.rule.forecast[-1] ** 2, total))

    def paths(self, pool: Vector, steps: int, count: int, rng: np.random.Generator) -> Moves:
        """Sum paths whose residuals are drawn from a pool and whose variance follows the rule after every step.

        Notes
        -----
        An EWMA of squares has no level that it comes back to: it forecasts the mean square of the residuals to be one.
        Where it is not, the variance of a long path would grow or die without end, so that moves enter the rule in
        units of the pool's mean square; the moves themselves keep their size.
        """
        variance = np.tile(self.rule.forecast[-1] ** 2, (count, 1))
        mean_square = np.ones(pool.shape[1]) if self.rule.omega.any() else (pool**2).mean(axis=0)
        unit = np.sqrt(np.where(mean_square > 0.0, mean_square, 1.0))
        total = np.zeros_like(variance)
        for _ in range(steps):
            move = pool[rng.integers(pool.shape[0], size=count)] * np.sqrt(variance)
            total += move
            variance = self.rule.next_variance(variance, move / unit)
        return self.moves(total, variance)


def filter_of(history: History, settings: RiskSettings, garch: bool) -> Filter:
    """Filter a history.

    Parameters
    ----------
    history : History
    settings : RiskSettings
    garch : bool
        GARCH(1,1) in place of EWMA.

    Returns
    -------
    Filter

    Raises
    ------
    InputError
        When the history is too short for the level, or a fit does not converge.
    """
    raw = log_moves(history)
    factors = raw.price if history.iv is None else np.hstack((raw.price, raw.vol))
    check_level(settings.level, float(factors.shape[0] - WARM_UP), history.source)
    rule = rule_of(history, factors, settings, garch)
    safe = np.where(rule.forecast > 0.0, rule.forecast, 1.0)
    return Filter(rule, (factors / safe[:-1])[WARM_UP:], len(history.assets), settings.vol_share)


def filtered_var(market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings) -> RiskResult:
    """VaR and ES by EWMA-filtered historical simulation; arguments as ``historical_var``."""
    return _filtered(market, legs, history, settings, garch=False)


def garch_var(market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings) -> RiskResult:
    """VaR and ES by GARCH-filtered historical simulation; arguments as ``historical_var``."""
    return _filtered(market, legs, history, settings, garch=True)


def _intervals(
    market: Market, legs: tuple[Leg, ...], found: Filter, settings: RiskSettings, steps: int, estimate: Vector
) -> tuple[Interval, Interval]:
    """Draw the residuals again, simulate paths from each draw, and take the percentiles of the figures.

    The residuals are the observations, however long the paths. Paths are revalued by each underlying's P&L between the
    points of a grid, which is what makes two hundred simulations cheap.
    """
    names = underlyings_of(legs)
    count = int(np.clip(STEPS_BUDGET // (REPLICATES * steps), LEAST_PATHS, PATHS))
    profile = pnl_profile(market, legs, names, settings.horizon_days * DAY_SEC)
    n = found.residual.shape[0]

    def draws() -> Iterator[tuple[float, float]]:
        for replicate in range(REPLICATES):
            rng = np.random.default_rng([settings.seed, 1 + replicate])
            pool = found.residual[rng.integers(n, size=n)]
            yield tail_figures(profile(found.paths(pool, steps, count, rng)), settings.level)

    return percentile_intervals(*tail_figures(estimate, settings.level), draws(), settings.confidence)


def _filtered(
    market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings, garch: bool
) -> RiskResult:
    """Simulate, revalue and read the figures off.

    References
    ----------
    .. [1] G. Barone-Adesi, K. Giannopoulos, L. Vosper, VaR without correlations for portfolios of derivative
       securities, Journal of Futures Markets 19, 1999.
    .. [2] P. Christoffersen, S. Goncalves, Estimation risk in financial risk management, Journal of Risk 7, 2005: the
       bootstrap of the residuals behind the intervals, given the fitted rule.
    """
    steps = settings.horizon_days * DAY_SEC // history.step_sec
    found = filter_of(history, settings, garch)
    if steps == 1:
        moves = found.one_step()
    else:
        moves = found.paths(found.residual, steps, PATHS, np.random.default_rng(settings.seed))
    pnl = revalue(market, legs, underlyings_of(legs), moves, settings.horizon_days * DAY_SEC)
    warnings = volatility_note(history, settings.vol_share)
    method = f"filtered historical: {found.rule.note}, {len(pnl)} scenarios from {history.source}"
    intervals = None if steps == 1 else _intervals(market, legs, found, settings, steps, pnl.sum(axis=1))
    return empirical_result(method, pnl, settings, warnings, intervals)
