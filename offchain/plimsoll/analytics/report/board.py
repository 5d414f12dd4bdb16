"""What a board asks about one account, computed once: ranges before and after calibration, tails, crashes, prices.

The ranges in force are laid beside those that history proposes now, or beside a parameter file; both are back-tested
over the same days, and the account is margined under both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from plimsoll.analytics.backtest.calibrate import calibrate_asset
from plimsoll.analytics.backtest.price_backtest import COVERAGE, BacktestSettings, LimitTest, backtest_asset
from plimsoll.analytics.backtest.var_backtest import VarBacktest, var_backtest
from plimsoll.analytics.explain.liquidation import LiquidationPrice, liquidation_prices
from plimsoll.analytics.report.account import CRASH_VOL
from plimsoll.analytics.series.as_of import Provenance
from plimsoll.analytics.series.history import History
from plimsoll.analytics.stress.crashes import crash_scenarios
from plimsoll.analytics.stress.reverse import ReverseStress, reverse_stress
from plimsoll.analytics.stress.scenarios import StressResult, stress
from plimsoll.analytics.told import Tell, silent
from plimsoll.analytics.var.legs import legs_of, underlyings_of
from plimsoll.analytics.var.risk_report import RiskReport, risk_report
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.mirror.margin_engine import MarginResult, evaluate
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

#: One method that weighs all days alike, one scaled to the volatility of today, one closed form.
METHODS: Final = ("historical", "filtered", "parametric")
#: Limit by which a range is judged on the page: the furthest price of a day.
LIMIT: Final = "initialWorst"


@dataclass(frozen=True, slots=True)
class RangeLine:
    """One underlying under the parameters in force, and under those that are proposed.

    Attributes
    ----------
    underlying : str
    before, after : float
        Price range.
    test_before, test_after : LimitTest
        Back-test of each over the same days.
    requirement_before, requirement_after : float
        Of all positions in the underlying, cash, before the account's factors.
    reasons : tuple of str
        Why history proposes it; empty for a range of a file.
    """

    underlying: str
    before: float
    after: float
    test_before: LimitTest
    test_after: LimitTest
    requirement_before: float
    requirement_after: float
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Build the entry of the document."""
        return {
            "underlying": self.underlying,
            "before": _side(self.before, self.test_before, self.requirement_before),
            "after": _side(self.after, self.test_after, self.requirement_after),
            "reasons": list(self.reasons),
        }


def _side(price_range: float, test: LimitTest, requirement: float) -> dict[str, Any]:
    return {
        "priceRange": price_range,
        "requirement": requirement,
        "daysBeyond": len(test.exceedances),
        "daysExpected": test.expected,
        "days": test.observations,
        "passes": test.passes,
    }


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a board page comes from.

    Attributes
    ----------
    market, portfolio, params, proposed : str
        Names of files, or of a deployment; what history proposes is ``calibration``.
    run_ts : int
        When it was computed, Unix seconds.
    version : str
        Of this package.
    """

    market: str
    portfolio: str
    params: str
    proposed: str
    run_ts: int
    version: str

    def to_json(self) -> dict[str, Any]:
        """Build the entry of the document."""
        return {
            "market": self.market,
            "portfolio": self.portfolio,
            "params": self.params,
            "proposed": self.proposed,
            "runTimestamp": self.run_ts,
            "version": self.version,
        }


@dataclass(frozen=True, slots=True)
class Board:
    """All results of one page; ``crashes`` begin with the costliest."""

    name: str
    market: Market
    portfolio: Portfolio
    before: MarginResult
    after: MarginResult
    ranges: tuple[RangeLine, ...]
    coverage: float
    risk: RiskReport
    judged: VarBacktest
    crashes: tuple[StressResult, ...]
    reverse: tuple[ReverseStress, ...]
    liquidation: tuple[LiquidationPrice, ...]
    history: Provenance
    sources: Sources
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Build the plimsoll.board/1 document."""
        return {
            "schema": "plimsoll.board/1",
            "account": self.name,
            "timestamp": self.market.ts,
            "mode": self.portfolio.mode.name,
            "cash": self.portfolio.cash,
            "sources": self.sources.to_json(),
            "history": self.history.to_json(),
            "coverage": self.coverage,
            "ranges": [line.to_json() for line in self.ranges],
            "margin": {"before": self.before.to_json(), "after": self.after.to_json()},
            "risk": self.risk.to_json(contributions=False),
            "varBacktest": self.judged.to_json(),
            "crashes": [found.to_json() for found in self.crashes],
            "reverse": [found.to_json() for found in self.reverse],
            "liquidation": [found.to_json() for found in self.liquidation],
            "notes": list(self.notes),
        }


def _calibrated(
    history: History, names: tuple[str, ...], params: Params, settings: BacktestSettings
) -> tuple[Params, Mapping[str, tuple[str, ...]]]:
    """Return the parameters in force with the price ranges that history proposes, and why."""
    overrides, reasons = dict(params.overrides), dict[str, tuple[str, ...]]()
    for name in names:
        found = calibrate_asset(history, None, name, settings, params.account.im_factor)
        overrides[name] = {**overrides.get(name, {}), "price_range": found.price_range}
        reasons[name] = found.reasons
    return replace(params, overrides=overrides), reasons


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two sets of parameters, and the margin of the account under it."""

    params: Params
    margin: MarginResult


def _line(
    underlying: str, sides: tuple[_Side, _Side], history: History, settings: BacktestSettings, reasons: tuple[str, ...]
) -> RangeLine:
    """Judge the two ranges of an underlying over the same days."""
    (low, high) = (side.params.for_underlying(underlying).price_range for side in sides)
    (low_test, high_test) = (backtest_asset(history, underlying, side.params, settings).limits[LIMIT] for side in sides)
    (low_need, high_need) = (side.margin.underlyings[underlying].requirement for side in sides)
    return RangeLine(underlying, low, high, low_test, high_test, low_need, high_need, reasons)


def board_of(
    name: str,
    market: Market,
    portfolio: Portfolio,
    params: Params,
    prices: tuple[History, Provenance],
    settings: RiskSettings,
    sources: Sources,
    proposed: Params | None = None,
    tell: Tell = silent,
) -> Board:
    """Compute a board page.

    Parameters
    ----------
    name : str
        For the title.
    market : Market
    portfolio : Portfolio
    params : Params
        In force.
    prices : (History, Provenance)
        Daily prices of the underlyings held, and where they come from.
    settings : RiskSettings
        Of VaR and expected shortfall; the back-test of VaR is over one day.
    sources : Sources
    proposed : Params, optional
        Laid beside those in force; default: their price ranges calibrated to ``prices``.
    tell : callable, optional
        Is told what is being computed.

    Returns
    -------
    Board

    Raises
    ------
    InputError
        When nothing is held that a market move can change, or the history is too short for a calibration or a test.
    """
    history, provenance = prices
    legs, notes = legs_of(market, portfolio)
    names = underlyings_of(legs)
    ranged = BacktestSettings(coverage=COVERAGE, seed=settings.seed)
    reasons: Mapping[str, tuple[str, ...]] = {}
    tell("ranges before and after")
    if proposed is None:
        proposed, reasons = _calibrated(history, names, params, ranged)
    before, after = evaluate(market, portfolio, params), evaluate(market, portfolio, proposed)
    sides = (_Side(params, before), _Side(proposed, after))
    lines = tuple(_line(held, sides, history, ranged, reasons.get(held, ())) for held in names)
    risk = risk_report(market, portfolio, history, settings, METHODS, provenance, tell)
    day = replace(settings, horizon_days=1)
    judged = var_backtest(market, portfolio, history, day, METHODS, provenance=provenance, tell=tell)
    tell("past crashes")
    crashes, missing = crash_scenarios(history, CRASH_VOL)
    if missing:
        notes.append(f"crashes before or after the history: {', '.join(missing)}")
    return Board(
        name=name,
        market=market,
        portfolio=portfolio,
        before=before,
        after=after,
        ranges=lines,
        coverage=ranged.coverage,
        risk=risk,
        judged=judged,
        crashes=tuple(sorted(stress(market, portfolio, params, crashes), key=lambda found: found.pnl)),
        reverse=tuple(reverse_stress(market, portfolio, params, tell)),
        liquidation=tuple(liquidation_prices(market, portfolio, params)),
        history=provenance,
        sources=sources,
        notes=tuple(notes),
    )
