"""An account under named scenarios: P&L and margin after the move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plimsoll.analytics.stress.moved import Move, margins_after
from plimsoll.analytics.stress.shock import Shock
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
            "moves": {name: shock.to_json() for name, shock in self.scenario.shocks.items()},
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
    moves = [Move({}), *(Move(scenario.shocks, round(scenario.hours * 3_600)) for scenario in scenarios)]
    found = margins_after(market, portfolio, params, moves)
    before = float(found.market_equity[0])
    return [
        StressResult(
            scenario=scenario,
            pnl=float(found.market_equity[i]) - before,
            equity=float(found.equity[i]),
            market_equity=float(found.market_equity[i]),
            initial_margin=float(found.initial_margin[i]),
            maintenance_margin=float(found.maintenance_margin[i]),
            state=found.state(i),
        )
        for i, scenario in enumerate(scenarios, 1)
    ]
