"""VaR of one account by several methods, as one document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from plimsoll.analytics.series.as_of import Provenance
from plimsoll.analytics.series.history import History
from plimsoll.analytics.told import Tell, silent
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
    """Results by method over the same legs.

    Attributes
    ----------
    settings : RiskSettings
    legs : tuple of Leg
    results : mapping of str to RiskResult
        By method; those that could be computed.
    notes : tuple of str
        What was left out or assumed.
    failed : mapping of str to str
        The other methods that were asked for, and why each could not be computed.
    history : Provenance or None
        Which prices the figures rest on.
    """

    settings: RiskSettings
    legs: tuple[Leg, ...]
    results: Mapping[str, RiskResult]
    notes: tuple[str, ...]
    failed: Mapping[str, str]
    history: Provenance | None = None

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
            "history": None if self.history is None else self.history.to_json(),
            "methods": methods,
            "failed": dict(self.failed),
        }


def risk_report(
    market: Market,
    portfolio: Portfolio,
    history: History,
    settings: RiskSettings,
    methods: Sequence[str],
    provenance: Provenance | None = None,
    tell: Tell = silent,
) -> RiskReport:
    """Compute every method asked for, each by itself.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    history : History
        Holds at least the underlyings of the portfolio.
    settings : RiskSettings
    methods : sequence of str
        Keys of ``METHODS``.
    provenance : Provenance, optional
        Where the history comes from, for the document.
    tell : callable, optional
        Is told which method comes next.

    Returns
    -------
    RiskReport
        A method that cannot be computed, because it needs more history or its fit fails, is named with its reason; the
        others are there.

    Raises
    ------
    InputError
        For an unknown method or an empty portfolio, and when no method at all could be computed.
    """
    for name in methods:
        if name not in METHODS:
            raise InputError("--method", f"{name!r} is not one of all, {', '.join(METHODS)}")
    legs, notes = legs_of(market, portfolio)
    results: dict[str, RiskResult] = {}
    failed: dict[str, InputError] = {}
    for number, name in enumerate(methods, 1):
        tell(f"value at risk: {name}, {number} of {len(methods)}")
        try:
            results[name] = METHODS[name](market, legs, history, settings)
        except InputError as error:
            failed[name] = error
    if failed and not results:
        raise next(iter(failed.values()))
    reasons = {name: str(error) for name, error in failed.items()}
    return RiskReport(settings, legs, results, tuple(notes), reasons, provenance)
