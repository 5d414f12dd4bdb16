"""An account under named scenarios: P&L and margin after the move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plimsoll.analytics.stress.moved import Move, held_of, margins_after
from plimsoll.analytics.stress.shock import Shock, shocked_market
from plimsoll.errors import DomainError
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params


@dataclass(frozen=True, slots=True)
class Scenario:
    """Moves by underlying that happen at once, ``hours`` from now; ``source`` says where they come from."""

    name: str
    shocks: Mapping[str, Shock]
    hours: float = 0.0
    source: str = "user"

    @property
    def elapsed_sec(self) -> int:
        """Seconds from now."""
        return round(self.hours * 3_600)


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


def apart(market: Market, portfolio: Portfolio, scenarios: Sequence[Scenario]) -> tuple[list[Scenario], dict[str, str]]:
    """Divide scenarios into those that leave a market behind and those that do not.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
        Only the expiries that it holds are looked at.
    scenarios : sequence of Scenario

    Returns
    -------
    list of Scenario, dict of str to str
        Those that :func:`stress` can evaluate; the names of the others, and why.
    """
    held, possible, refused = held_of(market, portfolio), [], {}
    for scenario in scenarios:
        try:
            shocked_market(held, scenario.shocks, scenario.elapsed_sec)
        except DomainError as error:
            refused[scenario.name] = str(error)
        else:
            possible.append(scenario)
    return possible, refused


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
    moves = [Move({}), *(Move(scenario.shocks, scenario.elapsed_sec) for scenario in scenarios)]
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
