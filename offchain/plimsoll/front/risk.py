"""Value at risk and expected shortfall of one account, as an object that can be printed, tabulated and drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plimsoll.analytics.report.figures import bars_figure, distribution_figure
from plimsoll.analytics.report.page import days, percent
from plimsoll.analytics.series.as_of import Provenance, history_known_at, moment_of_text
from plimsoll.analytics.series.history import History
from plimsoll.analytics.var.legs import Leg, legs_of, underlyings_of
from plimsoll.analytics.var.result import RiskResult
from plimsoll.analytics.var.risk_report import METHODS, risk_report
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.analytics.var.tail import Interval
from plimsoll.errors import InputError
from plimsoll.frames import Tabular
from plimsoll.front.explain import Share
from plimsoll.front.text import aligned, cash, python_errors
from plimsoll.model import Market, Portfolio

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True, slots=True, repr=False)
class ValueAtRisk(Tabular):
    """What an account may lose, and which leg the loss comes from.

    Attributes
    ----------
    settings : RiskSettings
        Level, horizon and assumptions.
    legs : tuple of Leg, length m
        Positions, then linked collateral.
    result : RiskResult
        Figures of the method, cash, a loss positive.
    notes : tuple of str
        What was left out or assumed.
    provenance : Provenance
        Which prices the figures rest on.
    """

    settings: RiskSettings
    legs: tuple[Leg, ...]
    result: RiskResult
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def var(self) -> float:
        """Loss that is not exceeded with the level's probability, cash."""
        return self.result.var

    @property
    def es(self) -> float:
        """Expected shortfall: the mean loss beyond the level, cash."""
        return self.result.es

    @property
    def contributions(self) -> tuple[Share, ...]:
        """What each leg adds to expected shortfall, cash; they add up to it, and a hedge has a negative share."""
        parts = zip(self.legs, self.result.component_es, strict=True)
        return tuple(Share(_name(leg), float(part)) for leg, part in parts)

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per leg: quantity and contributions, cash.

        Those called ``component`` add up to the totals; those called ``incremental`` are what the total falls by when
        the leg is taken out, and need not add up.
        """
        found = self.result
        return {
            "leg": [leg.label for leg in self.legs],
            "quantity": [leg.quantity for leg in self.legs],
            "component_var": found.component_var.tolist(),
            "component_es": found.component_es.tolist(),
            "incremental_var": found.incremental_var.tolist(),
            "incremental_es": found.incremental_es.tolist(),
        }

    def plot(self) -> Figure:
        """Draw the P&L of the scenarios with both figures; a closed form has none, so what each leg adds is drawn."""
        if not self.result.pnl.size:
            parts = self.contributions
            names, amounts = [part.name for part in parts], [part.amount for part in parts]
            return bars_figure(names, amounts, "share of expected shortfall, cash", losses=True)
        level, horizon = self.settings.level, self.settings.horizon_days
        return distribution_figure(self.result.pnl, self.var, self.es, level, horizon)

    def __repr__(self) -> str:
        span = f"{percent(self.settings.level)} over {days(self.settings.horizon_days)}"
        return f"<ValueAtRisk {span}: VaR {cash(self.var)}, expected shortfall {cash(self.es)}>"

    def __str__(self) -> str:
        found = self.result
        rows = [
            ("value at risk", cash(self.var), _span(found.var_interval)),
            ("expected shortfall", cash(self.es), _span(found.es_interval)),
        ]
        title = f"{percent(self.settings.level)} over {days(self.settings.horizon_days)}"
        lines = aligned((title, "cash", f"{percent(self.settings.confidence)} interval"), rows)
        parts = zip(self.legs, found.component_var, found.component_es, strict=True)
        table = [(_name(leg), cash(float(var)), cash(float(es))) for leg, var, es in parts]
        lines += ["", *aligned(("what each leg adds", "VaR", "shortfall"), table), ""]
        source = self.provenance
        for note in (found.method, source.sentence, *source.warnings, *found.warnings, *self.notes):
            lines += textwrap.wrap(note, 79)
        return "\n".join(lines)


def _name(leg: Leg) -> str:
    return f"{leg.quantity:+g} {leg.label}"


def _span(span: Interval | None) -> str:
    return "closed form" if span is None else f"{cash(span[0])} .. {cash(span[1])}"


def var(
    market: Market,
    portfolio: Portfolio,
    history: History,
    method: str = "historical",
    *,
    level: float = 0.99,
    horizon: int = 1,
    correlation: float | None = None,
    seed: int = RiskSettings().seed,
    as_of: int | str | None = None,
) -> ValueAtRisk:
    """Compute value at risk and expected shortfall of one account, positions unchanged over the horizon.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    history : History
        Prices of at least the underlyings held; see :func:`plimsoll.load_history`.
    method : {"historical", "filtered", "garch", "parametric", "monte-carlo"}
        Past moves as they were; in units of their own forecast, by EWMA or GARCH; delta-gamma-vega in closed form;
        simulated Student-t moves.
    level : float
        Confidence, in [0.5, 1).
    horizon : int
        Days, 1 to 365.
    correlation : float, optional
        Replaces every correlation between two prices, for parametric and monte-carlo; in [-1, 1].
    seed : int
        Of what is simulated.
    as_of : int or str, optional
        Prices that were known later only are not used; unix seconds or an ISO time. Default: the market's own time.

    Returns
    -------
    ValueAtRisk

    Raises
    ------
    InputError
        For an unknown method, an argument outside its interval, an account that no price can move, or too little
        history.

    Examples
    --------
    >>> import plimsoll as pm
    >>> market, book = pm.load_market("examples/market.json"), pm.load_portfolio("examples/portfolio.json")
    >>> risk = pm.var(market, book, pm.sample_history(("ETH", "BTC"), synthetic=True))
    >>> 0.0 < risk.var < risk.es
    True
    >>> abs(sum(share.amount for share in risk.contributions) - risk.es) < 1e-6
    True
    """
    if method not in METHODS:
        raise InputError("method", f"{method!r} is not one of {', '.join(METHODS)}")
    legs, notes = legs_of(market, portfolio)
    with python_errors():
        settings = RiskSettings(level=level, horizon_days=horizon, correlation=correlation, seed=seed)
        prices, source = known(history, market, as_of)
        report = risk_report(market, portfolio, prices.select(underlyings_of(legs)), settings, [method], source)
    return ValueAtRisk(settings, legs, report.results[method], tuple(notes), source)


def known(history: History, market: Market, as_of: int | str | None) -> tuple[History, Provenance]:
    """Cut a history to what was known as of a moment, the market's own time by default."""
    moment = moment_of_text(as_of, "as_of") if isinstance(as_of, str) else as_of
    return history_known_at(history, market.ts, moment)
