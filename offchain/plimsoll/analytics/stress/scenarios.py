"""An account under named scenarios: P&L and margin after the move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plimsoll.analytics.stress.shock import Shock, shocked_market
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params


@dataclass(frozen=True, slots=True)
class Scenario:
    """Moves by underlying that happen at once, ``hours`` from now; ``source`` says where they come from."""

    name: str
    shocks: Mapping[str, Shock]
    hours: float = 0.0
    source: str = "user"


@dataclass(frozen=True, slots=True)
class StressResult:
    """What an account is worth and must hold after a scenario, cash; ``pnl`` is of market equity."""

    scenario: Scenario
    pnl: float
    equity: float
    market_equity: float
    initial_margin: float
    maintenance_margin: float
    state: str

    def to_json(self) -> dict[str, object]:
        """Build the entry of the report."""
        return {
            "name": self.scenario.name,
            "source": self.scenario.source,
            "hours": self.scenario.hours,
            "moves": {name: {"price": s.price, "vol": s.vol} for name, s in self.scenario.shocks.items()},
            "pnl": self.pnl,
            "equity": self.equity,
            "marketEquity": self.market_equity,
            "initialMargin": self.initial_margin,
            "maintenanceMargin": self.maintenance_margin,
            "state": self.state,
        }


def stress(market: Market, portfolio: Portfolio, params: Params, scenarios: Sequence[Scenario]) -> list[StressResult]:
    """Evaluate an account under every scenario with the mirror.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    scenarios : sequence of Scenario

    Returns
    -------
    list of StressResult
        In the order given.
    """
    before = evaluate(market, portfolio, params).market_equity
    results = []
    for scenario in scenarios:
        moved = shocked_market(market, scenario.shocks, round(scenario.hours * 3_600))
        after = evaluate(moved, portfolio, params)
        results.append(
            StressResult(
                scenario=scenario,
                pnl=after.market_equity - before,
                equity=after.equity,
                market_equity=after.market_equity,
                initial_margin=after.initial_margin,
                maintenance_margin=after.maintenance_margin,
                state=after.state,
            )
        )
    return results
