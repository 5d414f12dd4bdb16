"""Liquidation surface: the state of an account over spot, volatility and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from plimsoll.analytics.stress.scenarios import Scenario, stress
from plimsoll.analytics.stress.shock import Shock
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

PRICES: Final = (-0.6, -0.4, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6)
VOLS: Final = (-0.25, 0.0, 0.25, 0.5, 1.0)
HOURS: Final = (0.0, 24.0, 72.0, 168.0)


@dataclass(frozen=True, slots=True)
class SurfacePoint:
    """One point: moves of every underlying at once, hours from now, state and distance to liquidation in cash."""

    price: float
    vol: float
    hours: float
    state: str
    distance: float


def liquidation_surface(market: Market, portfolio: Portfolio, params: Params) -> list[SurfacePoint]:
    """Evaluate the whole grid ``PRICES x VOLS x HOURS``.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params

    Returns
    -------
    list of SurfacePoint
        Hours outermost, then vols, then prices. ``distance`` is equity minus maintenance margin.
    """
    grid = [(hours, vol, price) for hours in HOURS for vol in VOLS for price in PRICES]
    scenarios = [Scenario("grid", dict.fromkeys(market.rounds, Shock(price, vol)), hours) for hours, vol, price in grid]
    results = stress(market, portfolio, params, scenarios)
    return [
        SurfacePoint(price, vol, hours, result.state, result.equity - result.maintenance_margin)
        for (hours, vol, price), result in zip(grid, results, strict=True)
    ]
