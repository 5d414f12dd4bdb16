"""What each VaR method would have said day by day about today's book, from earlier prices only.

The book is the one that is held today, in today's market: a day of the past moves prices and volatilities by as much as
they moved then. So a back-test judges the method for this book, and not what was held at the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from plimsoll.analytics.series.covariance import horizon_covariance
from plimsoll.analytics.series.garch import VolatilityRule
from plimsoll.analytics.series.history import History
from plimsoll.analytics.series.moves import Moves, log_moves
from plimsoll.analytics.var.filtered import Filter, ewma_rule, rule_of
from plimsoll.analytics.var.legs import Leg, underlyings_of
from plimsoll.analytics.var.monte_carlo import student_moves
from plimsoll.analytics.var.parametric import expansion_quantiles, quadratic_cumulants
from plimsoll.analytics.var.profile import pnl_profile
from plimsoll.analytics.var.sensitivities import sensitivities
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.analytics.var.tail import tail_figures
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.model import Market

Vector = npt.NDArray[np.float64]

#: Losses beyond the VaR that a forecast is described by: quantiles of its tail.
TAIL_POINTS: Final = 32
#: Days between two fits of GARCH parameters; its volatility follows every day.
REFIT_DAYS: Final = 60
#: Points of the simulated method for one day.
DAY_PATHS: Final = 1_024
#: Days that are forecast unless somebody asks for more.
MOST_DAYS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one method says of one day.

    Attributes
    ----------
    var, es : float
        Cash, a loss positive.
    beyond : float
        Probability of a loss above ``var`` under the method's own law.
    tail : ndarray, shape (TAIL_POINTS,)
        Losses above ``var`` under that law, each as likely as the others, cash.
    """

    var: float
    es: float
    beyond: float
    tail: Vector


@dataclass(frozen=True, slots=True)
class Past:
    """Book and history that forecasts are made of.

    Attributes
    ----------
    market : Market
    legs : tuple of Leg
    history : History
        Daily, of the underlyings of the legs.
    settings : RiskSettings
        With a horizon of one day.
    window : int
        Moves that a forecast may use.
    days : int
        Days that are forecast: the last ones of the history.
    """

    market: Market
    legs: tuple[Leg, ...]
    history: History
    settings: RiskSettings
    window: int
    days: int

    @property
    def moves(self) -> Moves:
        """All moves of the history, one a day."""
        return log_moves(self.history, 1, self.settings.vol_share)

    @property
    def forecast_rows(self) -> range:
        """Rows of ``moves`` that are forecast."""
        total = self.history.ts.size - 1
        return range(total - self.days, total)

    def profile(self) -> Callable[[Moves], Vector]:
        """P&L of the book over a day as a function of the moves."""
        return pnl_profile(self.market, self.legs, underlyings_of(self.legs), DAY_SEC)

    def until(self, row: int) -> History:
        """Prices behind the window of moves before a row of ``moves``."""
        return self.history.between(int(self.history.ts[row - self.window]), int(self.history.ts[row]) + 1)


def from_scenarios(pnl: Vector, level: float) -> Forecast:
    """Read a forecast off scenarios that count alike."""
    var, es = tail_figures(pnl, level)
    beyond = np.sort(-pnl[-pnl > var])
    if beyond.size == 0:
        return Forecast(var, es, 0.0, np.full(TAIL_POINTS, var))
    spread = np.floor((np.arange(TAIL_POINTS) + 0.5) / TAIL_POINTS * beyond.size).astype(np.int64)
    return Forecast(var, es, beyond.size / pnl.size, beyond[spread])


def historical_forecasts(past: Past) -> Iterator[Forecast]:
    """Each day from the moves of the window before it."""
    pnl = past.profile()(past.moves)
    for row in past.forecast_rows:
        yield from_scenarios(pnl[row - past.window : row], past.settings.level)


def _of_filter(past: Past, found: Filter, profile: Callable[[Moves], Vector]) -> Forecast:
    return from_scenarios(profile(found.one_step()), past.settings.level)


def _factors(history: History) -> Vector:
    raw = log_moves(history)
    return raw.price if history.iv is None else np.hstack((raw.price, raw.vol))


def filtered_forecasts(past: Past) -> Iterator[Forecast]:
    """Each day from the residuals of the window before it, at that day's EWMA forecast."""
    factors, profile = _factors(past.history), past.profile()
    # The recursion starts from what was known before the first forecast.
    rule = ewma_rule(factors, past.settings.decay, (factors[: past.window] ** 2).mean(axis=0))
    for row in past.forecast_rows:
        yield _of_filter(past, _filter_at(past, rule, factors, row), profile)


def _filter_at(past: Past, rule: VolatilityRule, factors: Vector, row: int) -> Filter:
    """Residuals of the window before a row, and the forecast of that row."""
    known = rule.forecast[row - past.window : row + 1]
    safe = np.where(known > 0.0, known, 1.0)
    residual = factors[row - past.window : row] / safe[:-1]
    return Filter(replace(rule, forecast=known), residual, len(past.history.assets), past.settings.vol_share)


def _followed(rule: VolatilityRule, factors: Vector) -> VolatilityRule:
    """Let a rule that was fitted to the first moves follow the rest of them."""
    variance = rule.forecast[-1] ** 2
    later = []
    for move in factors[rule.forecast.shape[0] - 1 :]:
        variance = rule.next_variance(variance, move)
        later.append(np.sqrt(variance))
    return replace(rule, forecast=np.vstack((rule.forecast, *later))) if later else rule


def garch_forecasts(past: Past) -> Iterator[Forecast]:
    """Like ``filtered_forecasts``, with GARCH parameters fitted every ``REFIT_DAYS`` to what was known by then."""
    factors, profile = _factors(past.history), past.profile()
    rows = past.forecast_rows
    for start in range(rows.start, rows.stop, REFIT_DAYS):
        end = min(start + REFIT_DAYS, rows.stop)
        known = past.history.between(0, int(past.history.ts[start]) + 1)
        rule = _followed(rule_of(known, factors[:start], past.settings, garch=True), factors[: end - 1])
        for row in range(start, end):
            yield _of_filter(past, _filter_at(past, rule, factors, row), profile)


def parametric_forecasts(past: Past) -> Iterator[Forecast]:
    """Each day from the covariance of the window before it, in closed form."""
    level = past.settings.level
    sens = sensitivities(past.market, past.legs, underlyings_of(past.legs), DAY_SEC)
    shares = (np.arange(TAIL_POINTS) + 0.5) / TAIL_POINTS * (1.0 - level)
    z = np.asarray(ndtri(shares[::-1]))
    for row in past.forecast_rows:
        covariance, _ = horizon_covariance(past.until(row), past.settings)
        var, es, tail = expansion_quantiles(quadratic_cumulants(sens, covariance).total, level, z)
        yield Forecast(var, es, 1.0 - level, np.maximum(tail, var))


def monte_carlo_forecasts(past: Past) -> Iterator[Forecast]:
    """Each day from simulated moves with the covariance of the window before it."""
    settings, profile = replace(past.settings, paths=DAY_PATHS), past.profile()
    for row in past.forecast_rows:
        covariance, _ = horizon_covariance(past.until(row), settings)
        yield from_scenarios(profile(student_moves(covariance, settings, 0)), settings.level)


FORECASTS: Final[dict[str, Callable[[Past], Iterator[Forecast]]]] = {
    "historical": historical_forecasts,
    "filtered": filtered_forecasts,
    "garch": garch_forecasts,
    "parametric": parametric_forecasts,
    "monte-carlo": monte_carlo_forecasts,
}


def past_of(
    market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings, window: int, days: int | None
) -> Past:
    """Choose the days that are forecast.

    Parameters
    ----------
    market : Market
    legs : tuple of Leg
    history : History
        Daily; the assets are the underlyings of the legs.
    settings : RiskSettings
    window : int
        Moves that a forecast may use.
    days : int or None
        How many of the last days are forecast; None forecasts all that have a window before them, at most 1,000.

    Returns
    -------
    Past

    Raises
    ------
    InputError
        For a horizon or a step of more than a day, or too little history.
    """
    if settings.horizon_days != 1:
        raise InputError(
            "--horizon", f"{settings.horizon_days} days: a back-test is of one day, so that days do not overlap"
        )
    if history.step_sec != DAY_SEC:
        raise InputError(history.source, f"steps of {history.step_sec} seconds: a back-test wants daily prices")
    least = int(np.ceil(1.0 / (1.0 - settings.level) - 1e-9))
    if window < least:
        raise InputError("--window", f"{window} moves hold no tail at level {settings.level:g}: {least} are needed")
    there = history.ts.size - 1 - window
    wanted = min(max(there, 0), MOST_DAYS) if days is None else days
    need = int(np.ceil(2.0 / (1.0 - settings.level) - 1e-9))
    if wanted > there or wanted < need:
        raise InputError(
            history.source,
            f"too little history: {max(there, 0)} days have {window} moves before them, {max(need, wanted)} are needed "
            "for two expected exceedances; --window and --days ask for fewer",
        )
    return Past(market, legs, history, settings, window, wanted)
