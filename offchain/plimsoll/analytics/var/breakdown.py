"""What an account loses when the correlations it leans on break down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from plimsoll.analytics.series.covariance import horizon_covariance
from plimsoll.analytics.series.history import History
from plimsoll.analytics.told import Tell, silent
from plimsoll.analytics.var.legs import legs_of, underlyings_of
from plimsoll.analytics.var.monte_carlo import monte_carlo_figures
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Market, Mode, Portfolio
from plimsoll.params import Params

CORRELATIONS: Final = (-0.9, -0.5, 0.0, 0.5, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class BreakdownPoint:
    """VaR and expected shortfall at one correlation of all prices (None: as estimated), cash."""

    correlation: float | None
    var: float
    es: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Account under other correlations.

    Attributes
    ----------
    points : tuple of BreakdownPoint
        The estimated correlations first.
    estimated : tuple of (str, str, float)
        Pairs as estimated.
    separate : float
        Maintenance margin of the certified scans alone: every underlying at its own worst row at once.
    cross, single : float
        Maintenance margin in the two modes that net.
    """

    points: tuple[BreakdownPoint, ...]
    estimated: tuple[tuple[str, str, float], ...]
    separate: float
    cross: float
    single: float

    @property
    def worst(self) -> BreakdownPoint:
        """Point with the largest expected shortfall."""
        return max(self.points, key=lambda point: point.es)

    def to_json(self) -> dict[str, object]:
        """Build the entry of the report."""
        return {
            "points": [
                {"correlation": p.correlation, "var": p.var, "es": p.es, "warnings": list(p.warnings)}
                for p in self.points
            ],
            "estimated": [{"pair": [a, b], "correlation": rho} for a, b, rho in self.estimated],
            "worstCorrelation": self.worst.correlation,
            "separateScans": self.separate,
            "maintenanceCross": self.cross,
            "maintenanceSingle": self.single,
        }


def correlation_breakdown(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    history: History,
    settings: RiskSettings,
    tell: Tell = silent,
) -> Breakdown:
    """Monte-Carlo VaR and expected shortfall under correlations from -0.9 to 1, beside the margin that offsets earn.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    history : History
    settings : RiskSettings
        ``correlation`` is ignored.
    tell : callable, optional
        Is told how far it is.

    Returns
    -------
    Breakdown
        A matrix that is no correlation is repaired, with a warning.

    Raises
    ------
    InputError
        For fewer than two underlyings.
    """
    legs, _ = legs_of(market, portfolio)
    names = underlyings_of(legs)
    if len(names) < 2:
        raise InputError("portfolio", f"correlations need two underlyings, it holds {', '.join(names)} only")
    points = []
    for number, correlation in enumerate((None, *CORRELATIONS), 1):
        tell(f"correlations: {number} of {len(CORRELATIONS) + 1}")
        var, es, notes = monte_carlo_figures(market, legs, history, replace(settings, correlation=correlation))
        points.append(BreakdownPoint(correlation, var, es, tuple(note for note in notes if "repaired" in note)))
    covariance, _ = horizon_covariance(history, replace(settings, correlation=None))
    k = len(names)
    std = np.sqrt(np.diag(covariance)[:k])
    rho = covariance[:k, :k] / np.outer(std, std)
    pairs = [(names[i], names[j], float(rho[i, j])) for i in range(k) for j in range(i + 1, k)]
    cross = evaluate(market, replace(portfolio, mode=Mode.CROSS), params)
    single = evaluate(market, replace(portfolio, mode=Mode.SINGLE), params)
    separate = params.account.mm_factor * sum(u.certified_scan for u in single.underlyings.values())
    return Breakdown(tuple(points), tuple(pairs), separate, cross.maintenance_margin, single.maintenance_margin)
