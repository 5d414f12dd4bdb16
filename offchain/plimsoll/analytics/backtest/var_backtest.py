"""Back-test of the VaR methods on one account: exceedances, their clustering, and their size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.backtest.coverage import (
    SIGNIFICANCE,
    LikelihoodRatio,
    conditional_coverage,
    too_many,
    traffic_light,
)
from plimsoll.analytics.backtest.shortfall_test import SIMULATIONS
from plimsoll.analytics.backtest.var_forecasts import FORECASTS, Forecast, Past, past_of
from plimsoll.analytics.series.as_of import Provenance
from plimsoll.analytics.series.history import History
from plimsoll.analytics.told import Tell, silent
from plimsoll.analytics.var.legs import legs_of
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.errors import InputError
from plimsoll.model import Market, Portfolio

Vector = npt.NDArray[np.float64]

#: Moves that a forecast may use, and days that are judged, unless somebody asks for others.
WINDOW: Final = 500


@dataclass(frozen=True, slots=True)
class ForecastShortfall:
    """Acerbi and Szekely's second test of daily forecasts.

    Attributes
    ----------
    z : float
        ``1 - sum(loss_t*[loss_t > VaR_t]/ES_t)/(n*(1 - level))``: 0 in expectation when the forecasts are right,
        negative when losses beyond the VaR are too many or too large.
    p_value : float
        Share of statistics at or below ``z`` when losses are drawn from the forecasts themselves.
    """

    z: float
    p_value: float

    def to_json(self) -> dict[str, float]:
        """Return statistic and p-value."""
        return {"statistic": self.z, "pValue": self.p_value}


def forecast_shortfall(pnl: Vector, forecasts: Sequence[Forecast], level: float, seed: int) -> ForecastShortfall:
    """Test whether losses beyond the VaR are as many and as large as the forecasts say.

    Parameters
    ----------
    pnl : ndarray, shape (n,)
        What happened, cash; a loss is negative.
    forecasts : sequence of Forecast, length n
    level : float
    seed : int

    Returns
    -------
    ForecastShortfall

    References
    ----------
    .. [1] C. Acerbi, B. Szekely, Back-testing expected shortfall, Risk, December 2014, test 2.
    """
    var, es, beyond = (np.array([getattr(f, key) for f in forecasts]) for key in ("var", "es", "beyond"))
    if (es <= 0.0).any():
        raise InputError(
            "backtest", "an expected shortfall is no loss on some day: its test has no meaning for this book"
        )
    scale = pnl.size * (1.0 - level)
    z = 1.0 - float((-pnl / es)[-pnl > var].sum()) / scale
    ratios = np.stack([f.tail for f in forecasts]) / es[:, None]
    rng = np.random.default_rng(seed)
    drawn = np.empty(SIMULATIONS)
    for i in range(SIMULATIONS):
        days = np.flatnonzero(rng.random(pnl.size) < beyond)
        drawn[i] = 1.0 - ratios[days, rng.integers(ratios.shape[1], size=days.size)].sum() / scale
    return ForecastShortfall(z, float((drawn <= z).mean()))


@dataclass(frozen=True, slots=True)
class Exceedance:
    """A day on which more was lost than the VaR of that day: its date, the loss and the VaR, cash."""

    date: str
    loss: float
    var: float


@dataclass(frozen=True, slots=True)
class MethodBacktest:
    """One method, judged.

    Attributes
    ----------
    method : str
    level : float
    observations : int
        Days.
    exceedances : tuple of Exceedance
    kupiec, independence, conditional : LikelihoodRatio
        Whether there are as many as claimed, whether one makes another likelier on the next day, and both at once.
    shortfall : ForecastShortfall
    light : str
        Zone of the Basel committee.
    mean_var, last_var, mean_es : float
        Forecasts over the days, cash.
    """

    method: str
    level: float
    observations: int
    exceedances: tuple[Exceedance, ...]
    kupiec: LikelihoodRatio
    independence: LikelihoodRatio
    conditional: LikelihoodRatio
    shortfall: ForecastShortfall
    light: str
    mean_var: float
    last_var: float
    mean_es: float

    @property
    def expected(self) -> float:
        """How many exceedances the level claims."""
        return self.observations * (1.0 - self.level)

    @property
    def covers(self) -> bool:
        """Whether there are not more exceedances than the level claims; too few of them is no failure."""
        return not too_many(len(self.exceedances), self.expected, self.kupiec.p_value)

    @property
    def spread(self) -> bool:
        """Whether exceedances come independently of each other."""
        return self.independence.p_value >= SIGNIFICANCE

    @property
    def sized(self) -> bool:
        """Whether losses beyond the VaR are no more and no larger than the expected shortfall says."""
        return self.shortfall.p_value >= SIGNIFICANCE

    @property
    def passes(self) -> bool:
        """Whether it can be believed: coverage, independence and shortfall hold."""
        return self.covers and self.spread and self.sized

    @property
    def verdict(self) -> str:
        """Say in one sentence what was found."""
        count, expected = len(self.exceedances), self.expected
        said = [f"{count} days beyond the VaR in {self.observations}, {expected:.1f} expected"]
        if not self.covers:
            said.append("too many, the VaR is too low")
        elif self.kupiec.p_value < SIGNIFICANCE:
            said.append("fewer than claimed, the VaR is cautious")
        else:
            said.append("as many as claimed")
        said.append("not clustered" if self.spread else "clustered, a second day beyond is likelier after a first")
        said.append("losses no larger than ES says" if self.sized else "losses larger than ES says")
        return "; ".join(said)

    def to_json(self) -> dict[str, object]:
        """Build the entry of the document."""
        return {
            "observations": self.observations,
            "expected": self.expected,
            "count": len(self.exceedances),
            "exceedances": [{"date": e.date, "loss": e.loss, "var": e.var} for e in self.exceedances],
            "kupiec": self.kupiec.to_json(),
            "independence": self.independence.to_json(),
            "conditionalCoverage": self.conditional.to_json(),
            "shortfall": self.shortfall.to_json(),
            "trafficLight": self.light,
            "meanVar": self.mean_var,
            "lastVar": self.last_var,
            "meanEs": self.mean_es,
            "passes": self.passes,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class VarBacktest:
    """All methods over the same days of the same book.

    Attributes
    ----------
    settings : RiskSettings
    window : int
        Moves behind each forecast.
    first, last : str
        Days that were forecast.
    results : mapping of str to MethodBacktest
    failed : mapping of str to str
        Methods that could not be judged, and why.
    notes : tuple of str
    history : Provenance or None
    """

    settings: RiskSettings
    window: int
    first: str
    last: str
    results: Mapping[str, MethodBacktest]
    failed: Mapping[str, str]
    notes: tuple[str, ...]
    history: Provenance | None

    def to_json(self) -> dict[str, object]:
        """Build the plimsoll.varBacktest/1 document."""
        return {
            "schema": "plimsoll.varBacktest/1",
            "level": self.settings.level,
            "window": self.window,
            "first": self.first,
            "last": self.last,
            "seed": self.settings.seed,
            "history": None if self.history is None else self.history.to_json(),
            "methods": {name: found.to_json() for name, found in self.results.items()},
            "failed": dict(self.failed),
            "notes": list(self.notes),
        }


def judge(method: str, past: Past, pnl: Vector, forecasts: Sequence[Forecast]) -> MethodBacktest:
    """Run every test of one method.

    Parameters
    ----------
    method : str
    past : Past
        For level, seed and dates.
    pnl : ndarray, shape (n,)
        What happened on the days that were forecast, cash.
    forecasts : sequence of Forecast, length n

    Returns
    -------
    MethodBacktest
    """
    level, var = past.settings.level, np.array([f.var for f in forecasts])
    hits = -pnl > var
    pof, independence, joint = conditional_coverage(hits, 1.0 - level)
    beyond = tuple(
        Exceedance(past.history.date(past.forecast_rows[i] + 1), float(-pnl[i]), float(var[i]))
        for i in np.flatnonzero(hits)
    )
    return MethodBacktest(
        method=method,
        level=level,
        observations=pnl.size,
        exceedances=beyond,
        kupiec=pof,
        independence=independence,
        conditional=joint,
        shortfall=forecast_shortfall(pnl, forecasts, level, past.settings.seed),
        light=traffic_light(len(beyond), pnl.size, 1.0 - level),
        mean_var=float(var.mean()),
        last_var=float(var[-1]),
        mean_es=float(np.mean([f.es for f in forecasts])),
    )


def var_backtest(
    market: Market,
    portfolio: Portfolio,
    history: History,
    settings: RiskSettings,
    methods: Sequence[str],
    *,
    window: int = WINDOW,
    days: int | None = None,
    provenance: Provenance | None = None,
    tell: Tell = silent,
) -> VarBacktest:
    """Back-test VaR and ES of an account.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
        Held unchanged on every day of the past, in today's market.
    history : History
        Daily; the assets are the underlyings of the portfolio.
    settings : RiskSettings
        With a horizon of one day.
    methods : sequence of str
        Keys of ``FORECASTS``.
    window : int
        Moves behind each forecast.
    days : int, optional
        How many of the last days are judged. Default: all that have a window before them, at most 1,000.
    provenance : Provenance, optional
        Where the history comes from, for the document.
    tell : callable, optional
        Is told which day of which method is forecast.

    Returns
    -------
    VarBacktest
        A method that cannot be judged is named with its reason; the others are there.

    Raises
    ------
    InputError
        For an unknown method, too little history, or when no method could be judged.
    """
    for name in methods:
        if name not in FORECASTS:
            raise InputError("--method", f"{name!r} is not one of all, {', '.join(FORECASTS)}")
    legs, notes = legs_of(market, portfolio)
    past = past_of(market, legs, history, settings, window, days)
    rows = past.forecast_rows
    pnl = past.profile()(past.moves)[rows.start : rows.stop]
    results: dict[str, MethodBacktest] = {}
    failed: dict[str, InputError] = {}
    for name in methods:
        forecasts: list[Forecast] = []
        try:
            for forecast in FORECASTS[name](past):
                forecasts.append(forecast)
                tell(f"back-test of value at risk: {name}, day {len(forecasts)} of {len(rows)}")
            results[name] = judge(name, past, pnl, forecasts)
        except InputError as error:
            failed[name] = error
    if failed and not results:
        raise next(iter(failed.values()))
    return VarBacktest(
        settings=settings,
        window=window,
        first=history.date(rows.start + 1),
        last=history.date(rows.stop),
        results=results,
        failed={name: str(error) for name, error in failed.items()},
        notes=tuple(notes),
        history=provenance,
    )
