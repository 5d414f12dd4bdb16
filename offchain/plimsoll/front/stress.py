"""An account under scenarios, and the map of where it is liquidated, as objects that can be printed and drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plimsoll.analytics.report.figures import bars_figure, liquidation_figure
from plimsoll.analytics.series.history import History
from plimsoll.analytics.stress.crashes import crash_scenarios
from plimsoll.analytics.stress.scenario_file import load_scenarios
from plimsoll.analytics.stress.scenarios import Scenario, StressResult
from plimsoll.analytics.stress.scenarios import stress as stressed
from plimsoll.analytics.stress.standard import ladder
from plimsoll.analytics.stress.surface import SurfacePoint
from plimsoll.analytics.stress.surface import liquidation_surface as surface_points
from plimsoll.errors import InputError
from plimsoll.frames import Tabular
from plimsoll.front.text import aligned, cash
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_SIGNS: Final = {"healthy": ".", "margin call": "c", "liquidatable": "L", "insolvent": "X"}


@dataclass(frozen=True, slots=True, repr=False)
class Stress(Tabular):
    """What an account is worth and must hold after each scenario.

    Attributes
    ----------
    results : tuple of StressResult
        In the order of the scenarios.
    """

    results: tuple[StressResult, ...]

    def __iter__(self) -> Iterator[StressResult]:
        return iter(self.results)

    @property
    def worst(self) -> StressResult:
        """The scenario that costs the most."""
        return min(self.results, key=lambda found: found.pnl)

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per scenario: P&L, equity and requirements after it, cash, and the state it leaves."""
        return {
            "scenario": [found.scenario.name for found in self.results],
            "hours": [found.scenario.hours for found in self.results],
            "pnl": [found.pnl for found in self.results],
            "equity": [found.equity for found in self.results],
            "initial_margin": [found.initial_margin for found in self.results],
            "maintenance_margin": [found.maintenance_margin for found in self.results],
            "state": [found.state for found in self.results],
            "source": [found.scenario.source for found in self.results],
        }

    def plot(self) -> Figure:
        """Draw the P&L of every scenario; losses are red."""
        names = [f"{found.scenario.name}: {found.state}" for found in self.results]
        return bars_figure(names, [found.pnl for found in self.results], "P&L, cash")

    def __repr__(self) -> str:
        worst = self.worst
        said = f"worst {worst.scenario.name}, P&L {cash(worst.pnl)}, {worst.state}"
        return f"<Stress of {len(self.results)} scenarios: {said}>"

    def __str__(self) -> str:
        rows = [
            (found.scenario.name, *(cash(x) for x in (found.pnl, found.equity, found.maintenance_margin)), found.state)
            for found in self.results
        ]
        return "\n".join(aligned(("scenario", "P&L", "equity", "maintenance", "state"), rows))


def stress(
    market: Market,
    portfolio: Portfolio,
    scenarios: Sequence[Scenario] | str | Path | None = None,
    params: Params | None = None,
) -> Stress:
    """Evaluate one account under scenarios.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    scenarios : sequence of Scenario, or str or Path, optional
        Scenarios, a scenario file, or nothing for a ladder of moves of every price. :func:`plimsoll.past_crashes` makes
        scenarios of a price history, :func:`plimsoll.standard_scenarios` those of skew, term, basis and rate as well.
    params : Params, optional
        Default: those that are shipped.

    Returns
    -------
    Stress

    Raises
    ------
    InputError
        For no scenario, or one that moves an underlying which the market does not have.
    DomainError
        When the account names what the market does not have.

    Examples
    --------
    >>> import plimsoll as pm
    >>> market, book = pm.load_market("examples/market.json"), pm.load_portfolio("examples/portfolio.json")
    >>> crash = pm.Scenario("crash", {"ETH": pm.Shock(-0.3, 0.6), "BTC": pm.Shock(-0.2, 0.4)})
    >>> pm.stress(market, book, [crash]).worst.state
    'healthy'
    """
    if isinstance(scenarios, str | Path):
        listed: Sequence[Scenario] = load_scenarios(Path(scenarios), set(market.rounds))
    else:
        listed = ladder(market) if scenarios is None else scenarios
    if not listed:
        raise InputError("scenarios", "none given")
    return Stress(tuple(stressed(market, portfolio, Params() if params is None else params, listed)))


def past_crashes(history: History, vol: float = 0.5) -> list[Scenario]:
    """Return the crashes that a price history holds as scenarios for :func:`plimsoll.stress`.

    Parameters
    ----------
    history : History
        Daily.
    vol : float
        Relative rise of all volatilities that is assumed where the history has none.

    Returns
    -------
    list of Scenario
        Every asset from the close before to its own low, at once; oldest first.

    Raises
    ------
    InputError
        When the history holds no crash.

    Examples
    --------
    >>> import pandas as pd
    >>> import plimsoll as pm
    >>> days, close = ["2026-02-04", "2026-02-05", "2026-02-06"], [2_150.0, 1_820.0, 2_060.0]
    >>> history = pm.load_history(pd.DataFrame({"date": days, "asset": "ETH", "close": close}))
    >>> [(crash.name, round(crash.shocks["ETH"].price, 3)) for crash in past_crashes(history)]
    [('crash 2026-02-05', -0.153)]
    """
    found, missing = crash_scenarios(history, vol)
    if not found:
        raise InputError(history.source, f"holds none of the crashes of {', '.join(missing)}")
    return found


@dataclass(frozen=True, slots=True, repr=False)
class LiquidationSurface(Tabular):
    """Where an account is liquidated: its state over moves of every price and volatility, now and later.

    Attributes
    ----------
    points : tuple of SurfacePoint
        Hours outermost, then volatilities, then prices; ``distance`` is equity less maintenance margin, cash.
    """

    points: tuple[SurfacePoint, ...]

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per point: relative moves, hours, state and distance to liquidation, cash."""
        names = ("price", "vol", "hours", "state", "distance")
        return {name: [getattr(point, name) for point in self.points] for name in names}

    def plot(self) -> Figure:
        """Draw the distance to liquidation, one panel per time; red is liquidatable."""
        return liquidation_figure(self.points)

    def __repr__(self) -> str:
        fallen = sum(point.distance < 0.0 for point in self.points)
        return f"<LiquidationSurface: liquidatable at {fallen} of {len(self.points)} points>"

    def __str__(self) -> str:
        state = {(p.hours, p.vol, p.price): _SIGNS[p.state] for p in self.points}
        hours, vols, prices = (sorted({key[i] for key in state}) for i in range(3))
        header = ("", *(f"{price:+.0%}" for price in prices))
        rows = [
            (f"{hour:g}h vol {vol:+.0%}", *(state[hour, vol, price] for price in prices))
            for hour in hours
            for vol in vols
        ]
        title = "after a move of every price: . healthy, c call, L liquidatable, X insolvent"
        return "\n".join((title, *aligned(header, rows, gap=1)))


def liquidation_surface(market: Market, portfolio: Portfolio, params: Params | None = None) -> LiquidationSurface:
    """Map where an account is liquidated: moves of price and volatility, now and up to a week later.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params, optional
        Default: those that are shipped.

    Returns
    -------
    LiquidationSurface

    Raises
    ------
    DomainError
        When the account names what the market does not have.

    Examples
    --------
    >>> import plimsoll as pm
    >>> market, book = pm.load_market("examples/market.json"), pm.load_portfolio("examples/portfolio.json")
    >>> pm.liquidation_surface(market, book)
    <LiquidationSurface: liquidatable at 0 of 260 points>
    """
    return LiquidationSurface(tuple(surface_points(market, portfolio, Params() if params is None else params)))
