"""VaR of one account by several methods, as one document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from plimsoll.analytics.series.history import History
from plimsoll.analytics.var.filtered import filtered_var, garch_var
from plimsoll.analytics.var.historical import historical_var
from plimsoll.analytics.var.legs import Leg, legs_of
from plimsoll.analytics.var.monte_carlo import monte_carlo_var
from plimsoll.analytics.var.parametric import parametric_var
from plimsoll.analytics.var.result import RiskResult
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.errors import InputError
from plimsoll.model import Market, Portfolio

Method = Callable[[Market, tuple[Leg, ...], History, RiskSettings], RiskResult]

METHODS: Final[Mapping[str, Method]] = {
    "historical": historical_var,
    "filtered": filtered_var,
    "garch": garch_var,
    "parametric": parametric_var,
    "monte-carlo": monte_carlo_var,
}


@dataclass(frozen=True, slots=True)
class RiskReport:
    """Results by method over the same legs."""

    settings: RiskSettings
    legs: tuple[Leg, ...]
    results: Mapping[str, RiskResult]
    notes: tuple[str, ...]

    def to_json(self, contributions: bool) -> dict[str, object]:
        """Build the plimsoll.risk/1 document, with a table per leg when ``contributions``."""
        methods = {name: result.to_json() for name, result in self.results.items()}
        if contributions:
            for name, result in self.results.items():
                methods[name]["positions"] = [
                    {
                        "position": leg.label,
                        "quantity": leg.quantity,
                        "componentVar": float(result.component_var[j]),
                        "componentEs": float(result.component_es[j]),
                        "marginalVar": float(result.component_var[j]) / leg.quantity,
                        "marginalEs": float(result.component_es[j]) / leg.quantity,
                        "incrementalVar": float(result.incremental_var[j]),
                        "incrementalEs": float(result.incremental_es[j]),
                    }
                    for j, leg in enumerate(self.legs)
                ]
        return {
            "schema": "plimsoll.risk/1",
            "level": self.settings.level,
            "horizonDays": self.settings.horizon_days,
            "confidence": self.settings.confidence,
            "seed": self.settings.seed,
            "notes": list(self.notes),
            "methods": methods,
        }


def risk_report(
    market: Market, portfolio: Portfolio, history: History, settings: RiskSettings, methods: Sequence[str]
) -> RiskReport:
    """Compute every method asked for.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    history : History
        Holds at least the underlyings of the portfolio.
    settings : RiskSettings
    methods : sequence of str
        Keys of ``METHODS``.

    Returns
    -------
    RiskReport

    Raises
    ------
    InputError
        For an unknown method, an empty portfolio, or too little history.
    """
    for name in methods:
        if name not in METHODS:
            raise InputError("--method", f"{name!r} is not one of all, {', '.join(METHODS)}")
    legs, notes = legs_of(market, portfolio)
    results = {name: METHODS[name](market, legs, history, settings) for name in methods}
    return RiskReport(settings, legs, results, tuple(notes))
