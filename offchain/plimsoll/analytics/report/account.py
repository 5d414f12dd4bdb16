"""Everything a risk manager asks about one account, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from plimsoll.analytics.models.compare import Line, compare
from plimsoll.analytics.series.as_of import Provenance
from plimsoll.analytics.series.history import History
from plimsoll.analytics.stress.crashes import crash_scenarios
from plimsoll.analytics.stress.moved import Move, margins_after
from plimsoll.analytics.stress.reverse import ReverseStress, reverse_stress
from plimsoll.analytics.stress.scenarios import StressResult, stress
from plimsoll.analytics.stress.shock import Shock
from plimsoll.analytics.stress.surface import SurfacePoint, liquidation_surface
from plimsoll.analytics.told import Tell, silent
from plimsoll.analytics.var.breakdown import Breakdown, correlation_breakdown
from plimsoll.analytics.var.legs import legs_of, underlyings_of
from plimsoll.analytics.var.risk_report import METHODS, RiskReport, risk_report
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.errors import DomainError
from plimsoll.mirror.margin_engine import MarginResult, evaluate, evaluate_many
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

#: Price moves of the profile.
PROFILE: Final = tuple(float(x) for x in np.round(np.arange(-0.5, 0.501, 0.025), 3))
CRASH_VOL: Final = 0.5


@dataclass(frozen=True, slots=True)
class ProfilePoint:
    """Account after one move of every price: equity and requirements, cash."""

    move: float
    equity: float
    initial: float
    maintenance: float


@dataclass(frozen=True, slots=True)
class LegLine:
    """One position: value of it, and its greeks over all units, cash or units."""

    label: str
    quantity: float
    value: float
    delta: float
    gamma: float
    vega: float
    theta: float


@dataclass(frozen=True, slots=True)
class AccountReport:
    """All results; ``risk``, ``crashes`` and ``breakdown`` are missing without a price history."""

    name: str
    market: Market
    portfolio: Portfolio
    params: Params
    margin: MarginResult
    legs: tuple[LegLine, ...]
    profile: tuple[ProfilePoint, ...]
    reverse: tuple[ReverseStress, ...]
    surface: tuple[SurfacePoint, ...]
    models: tuple[Line, ...]
    risk: RiskReport | None
    crashes: tuple[StressResult, ...]
    breakdown: Breakdown | None
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Build the plimsoll.report/1 document."""
        return {
            "schema": "plimsoll.report/1",
            "account": self.name,
            "timestamp": self.market.ts,
            "mode": self.portfolio.mode.name,
            "history": None if self.risk is None or self.risk.history is None else self.risk.history.to_json(),
            "params": {
                "books": {name: asdict(self.params.book_of(name)) for name in self.market.rounds},
                "account": asdict(self.params.account),
                "underlyings": {name: asdict(self.params.for_underlying(name)) for name in self.market.rounds},
            },
            "margin": self.margin.to_json(),
            "positions": [asdict(leg) for leg in self.legs],
            "profile": [asdict(point) for point in self.profile],
            "reverse": [found.to_json() for found in self.reverse],
            "surface": [asdict(point) for point in self.surface],
            "models": [line.to_json() for line in self.models],
            "risk": None if self.risk is None else self.risk.to_json(contributions=True),
            "crashes": [found.to_json() for found in self.crashes],
            "correlations": None if self.breakdown is None else self.breakdown.to_json(),
            "notes": list(self.notes),
        }


def _legs(market: Market, portfolio: Portfolio, params: Params) -> tuple[LegLine, ...]:
    """Evaluate every position alone: marks and greeks add up."""
    legs, _ = legs_of(market, portfolio)
    alone = [Portfolio(portfolio.mode, 0.0, {}, (leg.position,)) for leg in legs if leg.position is not None]
    lines = []
    results = iter(evaluate_many(market, alone, params))
    for leg in legs:
        if leg.position is None:
            spot, q = market.rounds[leg.underlying].spot, leg.quantity
            delta, gamma = q * leg.units(spot), q * leg.gamma(spot)
            lines.append(LegLine(leg.label, q, q * leg.unit_price, delta, gamma, 0.0, 0.0))
            continue
        found = next(results)
        u = found.underlyings[leg.underlying]
        lines.append(LegLine(leg.label, leg.quantity, found.mark_to_market, u.delta, u.gamma, u.vega, u.theta))
    return tuple(lines)


def _profile(market: Market, portfolio: Portfolio, params: Params) -> tuple[ProfilePoint, ...]:
    moves = [Move(dict.fromkeys(market.rounds, Shock(move))) for move in PROFILE]
    found = margins_after(market, portfolio, params, moves)
    columns = (found.equity.tolist(), found.initial_margin.tolist(), found.maintenance_margin.tolist())
    return tuple(ProfilePoint(*point) for point in zip(PROFILE, *columns, strict=True))


def _history_parts(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    prices: tuple[History, Provenance],
    settings: RiskSettings,
    names: Sequence[str],
    tell: Tell,
) -> tuple[RiskReport, tuple[StressResult, ...], Breakdown | None, list[str]]:
    history, source = prices
    risk = risk_report(market, portfolio, history, settings, list(METHODS), source, tell)
    notes = [f"{name} left out: {why}" for name, why in risk.failed.items()]
    notes += [source.sentence, *source.warnings]
    crashes, missing = crash_scenarios(history, CRASH_VOL)
    if missing:
        notes.append(f"crashes before or after the history: {', '.join(missing)}")
    broken = None
    if len(names) > 1:
        broken = correlation_breakdown(market, portfolio, params, history, settings, tell)
    return risk, tuple(stress(market, portfolio, params, crashes)), broken, notes


def account_report(
    name: str,
    market: Market,
    portfolio: Portfolio,
    params: Params,
    prices: tuple[History, Provenance] | None,
    settings: RiskSettings,
    tell: Tell = silent,
) -> AccountReport:
    """Compute a report.

    Parameters
    ----------
    name : str
        For the title.
    market : Market
    portfolio : Portfolio
    params : Params
    prices : (History, Provenance) or None
        Prices of the underlyings held, and where they come from; without them there is no VaR and no crash replay, and
        the report says so.
    settings : RiskSettings
    tell : callable, optional
        Is told what is being computed.

    Returns
    -------
    AccountReport

    Raises
    ------
    InputError
        When nothing is held that a market move can change, or the history does not do.
    """
    legs, notes = legs_of(market, portfolio)
    names = underlyings_of(legs)
    risk: RiskReport | None = None
    broken: Breakdown | None = None
    crashes: tuple[StressResult, ...] = ()
    if prices is None:
        notes.append("no price history: VaR, crash replay and correlations are missing")
    else:
        risk, crashes, broken, more = _history_parts(market, portfolio, params, prices, settings, names, tell)
        notes += more
    margin = evaluate(market, portfolio, params)
    if not np.isfinite([margin.equity, margin.initial_margin, margin.maintenance_margin]).all():
        raise DomainError("report", "a figure is not a finite number")
    return AccountReport(
        name=name,
        market=market,
        portfolio=portfolio,
        params=params,
        margin=margin,
        legs=_legs(market, portfolio, params),
        profile=_profile(market, portfolio, params),
        reverse=tuple(reverse_stress(market, portfolio, params, tell)),
        surface=tuple(liquidation_surface(market, portfolio, params)),
        models=tuple(compare(market, portfolio, params)),
        risk=risk,
        crashes=crashes,
        breakdown=broken,
        notes=tuple(notes),
    )
