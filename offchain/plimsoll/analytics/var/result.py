"""The result of one VaR method, with contributions per leg."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.var.bootstrap import coherent
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.analytics.var.tail import Interval, es_interval, order_interval, tail_figures, tail_weights
from plimsoll.errors import DomainError

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RiskResult:
    """VaR and ES of an account, cash, a loss positive.

    Attributes
    ----------
    method : str
        Name and what was assumed, for the report.
    var, es : float
        Value at risk and expected shortfall.
    var_interval, es_interval : (float, float) or None
        Confidence interval; None where a method has no sampling error.
    component_var, component_es : ndarray, shape (m,)
        Euler contributions of the legs; each adds up to its total.
    incremental_var, incremental_es : ndarray, shape (m,)
        What the total falls by when the leg is taken out; these need not add up.
    scenarios : int
        Number of scenarios, 0 for a closed form.
    warnings : tuple of str
    pnl : ndarray, shape (scenarios,)
        P&L of the account under each scenario, a loss negative; empty for a closed form.
    """

    method: str
    var: float
    es: float
    var_interval: Interval | None
    es_interval: Interval | None
    component_var: Vector
    component_es: Vector
    incremental_var: Vector
    incremental_es: Vector
    scenarios: int
    warnings: tuple[str, ...] = field(default=())
    pnl: Vector = field(default_factory=lambda: np.empty(0), repr=False)

    def check(self) -> RiskResult:
        """Return itself; raise DomainError when a figure is not finite: a report never holds NaN."""
        arrays = (self.component_var, self.component_es, self.incremental_var, self.incremental_es)
        scalars = (self.var, self.es, *(self.var_interval or ()), *(self.es_interval or ()))
        if not (all(math.isfinite(x) for x in scalars) and all(np.isfinite(a).all() for a in arrays)):
            raise DomainError(self.method, "a figure is not a finite number")
        return self

    def to_json(self) -> dict[str, object]:
        """Totals of the method as a JSON object."""
        return {
            "method": self.method,
            "var": self.var,
            "es": self.es,
            "varInterval": self.var_interval,
            "esInterval": self.es_interval,
            "scenarios": self.scenarios,
            "warnings": list(self.warnings),
        }


def sample_contributions(pnl: Vector, level: float) -> dict[str, Vector]:
    """Component and incremental contributions from the P&L of the legs, shape (n, m), under each scenario.

    Returns
    -------
    dict
        ``component_var``, ``component_es``, ``incremental_var``, ``incremental_es``, each of shape (m,).
    """
    total = pnl.sum(axis=1)
    weights = tail_weights(total, level)
    var, es = -float(weights.var @ total), -float(weights.es @ total)
    # By leg, so that every one lies in one piece.
    without = np.array([tail_figures(total - leg, level) for leg in np.ascontiguousarray(pnl.T)])
    without_var, without_es = without.reshape(-1, 2).T
    return {
        "component_var": -(weights.var @ pnl),
        "component_es": -(weights.es @ pnl),
        "incremental_var": var - without_var,
        "incremental_es": es - without_es,
    }


def empirical_result(
    method: str,
    pnl: Vector,
    settings: RiskSettings,
    warnings: tuple[str, ...],
    intervals: tuple[Interval, Interval] | None = None,
) -> RiskResult:
    """Read VaR, ES and their intervals off scenarios that count alike.

    Parameters
    ----------
    method : str
        Name and what was assumed, for the report.
    pnl : ndarray, shape (n, m)
        P&L of every leg under every scenario, cash.
    settings : RiskSettings
    warnings : tuple of str
    intervals : ((float, float), (float, float)), optional
        Of VaR and ES, where the scenarios are no independent observations. Default: each scenario is one.

    Returns
    -------
    RiskResult

    Raises
    ------
    DomainError
        When a figure is not finite.
    """
    total = pnl.sum(axis=1)
    var, es = tail_figures(total, settings.level)
    if intervals is None:
        terms = (total, settings.level, float(total.size), settings.confidence)
        intervals = coherent(var, es, order_interval(*terms), es_interval(*terms))
    return RiskResult(
        method=method,
        var=var,
        es=es,
        var_interval=intervals[0],
        es_interval=intervals[1],
        scenarios=total.size,
        pnl=total,
        warnings=warnings,
        **sample_contributions(pnl, settings.level),
    ).check()
