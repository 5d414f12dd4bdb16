"""Trades and transfers that reach a goal: one call, and the goal says which."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, overload

from plimsoll.analytics.optimise.allocate import Allocation, allocate
from plimsoll.analytics.optimise.frontier import Frontier
from plimsoll.analytics.optimise.frontier import frontier as mean_variance_frontier
from plimsoll.analytics.optimise.hedge import TARGETS, collar, hedge
from plimsoll.analytics.optimise.limits import Limits
from plimsoll.analytics.optimise.listed import Listed
from plimsoll.analytics.optimise.release import release
from plimsoll.analytics.optimise.tail_risk import less_risk
from plimsoll.analytics.optimise.trades import Suggestion, Trade
from plimsoll.analytics.optimise.universe import TradingCosts
from plimsoll.analytics.report.figures import columns_figure
from plimsoll.analytics.series.history import History
from plimsoll.analytics.var.legs import legs_of, underlyings_of
from plimsoll.errors import InputError
from plimsoll.frames import Tabular
from plimsoll.front.margin import Margin
from plimsoll.front.risk import known
from plimsoll.front.text import aligned, cash, python_errors
from plimsoll.mirror.order_preview import filled
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_COSTS: Final = TradingCosts()


@dataclass(frozen=True, slots=True)
class Release:
    """Set margin free: the trades that raise equity less initial margin the most, after their cost.

    Attributes
    ----------
    trades : int
        Largest number of trades, 1 to 20.
    keep : tuple of str
        Greeks that stay where they are: delta, gamma, vega.
    budget : float or None
        Most that the trades may cost, cash.
    free : float or None
        Initial margin to free, cash, at the least cost; None: as much as pays.
    worth : float
        Margin that a unit of cost must free at least.
    costs : TradingCosts
        Spreads, sizes and lots.
    listed : Listed or None
        Instruments and prices of a venue's chain.
    """

    trades: int = 3
    keep: tuple[str, ...] = ()
    budget: float | None = None
    free: float | None = None
    worth: float = 2.0
    costs: TradingCosts = field(default=_COSTS)
    listed: Listed | None = field(default=None, repr=False)

    def suggestion(self, market: Market, portfolio: Portfolio, params: Params) -> Suggestion:
        """Return the trades."""
        limits = Limits(self.trades, self.budget, worth=self.worth)
        return release(market, portfolio, params, self.costs, limits, self.keep, self.listed, self.free)


@dataclass(frozen=True, slots=True)
class Hedge:
    """Bring greeks of one underlying where they should be, as cheaply as can be.

    Attributes
    ----------
    underlying : str
    target : {"delta", "delta-gamma", "delta-vega"}
        Which greeks.
    delta, gamma, vega : float
        Net greeks wanted: units, units per cash, cash per unit of volatility.
    costs : TradingCosts
        Spreads, sizes and lots.
    listed : Listed or None
        Instruments and prices of a venue's chain.
    """

    underlying: str
    target: str = "delta"
    delta: float = 0.0
    gamma: float = 0.0
    vega: float = 0.0
    costs: TradingCosts = field(default=_COSTS)
    listed: Listed | None = field(default=None, repr=False)

    def suggestion(self, market: Market, portfolio: Portfolio, params: Params) -> Suggestion:
        """Return the trades."""
        if self.target not in TARGETS:
            raise InputError(
                "target", f"{self.target!r} is not one of {', '.join(TARGETS)}; a collar is a goal of its own"
            )
        goals = {"delta": self.delta, "gamma": self.gamma, "vega": self.vega}
        return hedge(market, portfolio, params, self.costs, self.target, self.underlying, goals, listed=self.listed)


@dataclass(frozen=True, slots=True)
class Collar:
    """Put a floor below a long exposure: a put, paid for by a call above.

    Attributes
    ----------
    underlying : str
    floor : float
        Strike of the put as a share of the forward, in [0.3, 1).
    expiry_ts : int or None
        Expiry, unix seconds; None takes the last of the underlying.
    more_margin : float
        By how much initial margin may rise, cash.
    costs : TradingCosts
        Spreads, sizes and lots.
    listed : Listed or None
        Instruments and prices of a venue's chain.
    """

    underlying: str
    floor: float = 0.9
    expiry_ts: int | None = None
    more_margin: float = 0.0
    costs: TradingCosts = field(default=_COSTS)
    listed: Listed | None = field(default=None, repr=False)

    def suggestion(self, market: Market, portfolio: Portfolio, params: Params) -> Suggestion:
        """Return the trades."""
        if self.underlying not in market.rounds:
            raise InputError("underlying", f"{self.underlying!r} is not an underlying of the market")
        listed = [surface.expiry_ts for surface in market.rounds[self.underlying].surfaces]
        if not listed:
            raise InputError("underlying", f"{self.underlying} has no expiry")
        expiry_ts = listed[-1] if self.expiry_ts is None else self.expiry_ts
        limits = Limits(more_margin=self.more_margin)
        return collar(
            market, portfolio, params, self.costs, self.underlying, self.floor, expiry_ts, limits, self.listed
        )


@dataclass(frozen=True, slots=True)
class LessRisk:
    """Lower the shortfall below the mean, or the deviation: found on older moves, judged by newer ones.

    Attributes
    ----------
    history : History
        Prices of at least the underlyings held.
    objective : {"cvar", "variance"}
    level : float
        Of the expected shortfall, in [0.5, 1).
    horizon : int
        Days.
    trades : int
        Largest number of trades, 1 to 20.
    budget : float or None
        Most that the trades may cost, cash.
    more_margin : float
        By how much initial margin may rise, cash.
    goal : float or None
        Risk to reach at the least cost, cash.
    costs : TradingCosts
        Spreads, sizes and lots.
    listed : Listed or None
        Instruments and prices of a venue's chain.
    as_of : int or str or None
        Prices that were known later only are not used; None is the market's own time.
    """

    history: History = field(repr=False)
    objective: str = "cvar"
    level: float = 0.975
    horizon: int = 1
    trades: int = 5
    budget: float | None = None
    more_margin: float = 0.0
    goal: float | None = None
    costs: TradingCosts = field(default=_COSTS)
    listed: Listed | None = field(default=None, repr=False)
    as_of: int | str | None = None

    def suggestion(self, market: Market, portfolio: Portfolio, params: Params) -> Suggestion:
        """Return the trades."""
        prices = known(self.history, market, self.as_of)[0].select(underlyings_of(legs_of(market, portfolio)[0]))
        limits = Limits(self.trades, self.budget, more_margin=self.more_margin)
        chosen = (self.objective, self.level, self.horizon, limits, self.goal, self.listed)
        return less_risk(market, portfolio, params, self.costs, prices, *chosen)


@dataclass(frozen=True, slots=True)
class Allocate:
    """Split one owner's cash and collateral over accounts: the smallest excess over initial margin becomes largest."""


#: Goals that suggest trades in one account.
TradeGoal = Release | Hedge | Collar | LessRisk


@dataclass(frozen=True, slots=True, repr=False)
class Plan(Tabular):
    """Trades that reach a goal, and the margin before and after they fill at their limits.

    Attributes
    ----------
    method : str
        What was asked for.
    trades : tuple of Trade
        Signed quantity and limit price, cash, of each.
    before, after : Margin
        Of the account.
    notes : tuple of str
        What the figures leave out or round.
    """

    method: str
    trades: tuple[Trade, ...]
    before: Margin
    after: Margin
    notes: tuple[str, ...]

    @property
    def released(self) -> float:
        """Rise of equity less initial margin, cash; the cost of the trades is in it."""
        return self.after.left_to_use - self.before.left_to_use

    @property
    def cost(self) -> float:
        """Half spreads paid, cash."""
        return sum(trade.cost for trade in self.trades)

    @property
    def portfolio(self) -> Portfolio:
        """The account once every trade has filled."""
        return self.after.portfolio

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per trade: instrument, signed quantity, limit and mark per unit, cost, cash."""
        return {
            "instrument": [trade.candidate.label for trade in self.trades],
            "quantity": [trade.quantity for trade in self.trades],
            "limit": [trade.limit for trade in self.trades],
            "mark": [trade.candidate.price for trade in self.trades],
            "cost": [trade.cost for trade in self.trades],
        }

    def plot(self) -> Figure:
        """Draw equity and both requirements before and after."""
        sides = (self.before, self.after)
        series = {
            "equity": [side.equity for side in sides],
            "initial margin": [side.initial for side in sides],
            "maintenance margin": [side.maintenance for side in sides],
        }
        return columns_figure(("before", "after"), series, "cash")

    def __repr__(self) -> str:
        return (
            f"<Plan {self.method}: {len(self.trades)} trades, cost {cash(self.cost)}, releases {cash(self.released)}>"
        )

    def __str__(self) -> str:
        rows = [(t.candidate.label, f"{t.quantity:+,.6g}", cash(t.limit), cash(t.cost)) for t in self.trades]
        lines = [*aligned((f"{self.method}: trade", "quantity", "limit", "cost"), rows), ""]
        sides = [
            (name, *(cash(x) for x in (side.equity, side.initial, side.left_to_use)), side.state)
            for name, side in (("before", self.before), ("after", self.after))
        ]
        lines += aligned(("", "equity", "initial margin", "left to use", "state"), sides)
        for note in self.notes:
            lines += textwrap.wrap(note, 79)
        return "\n".join(lines)


@overload
def optimise(market: Market, portfolio: Portfolio, goal: TradeGoal, params: Params | None = None) -> Plan: ...


@overload
def optimise(
    market: Market, portfolio: Mapping[str, Portfolio], goal: Allocate, params: Params | None = None
) -> Allocation: ...


def optimise(
    market: Market,
    portfolio: Portfolio | Mapping[str, Portfolio],
    goal: TradeGoal | Allocate,
    params: Params | None = None,
) -> Plan | Allocation:
    """Find the trades, or the transfers between accounts, that reach a goal best.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio or mapping of str to Portfolio
        One account; for ``Allocate`` the accounts of one owner by name, all of them in mode SINGLE.
    goal : Release or Hedge or Collar or LessRisk or Allocate
        What to reach, with its options.
    params : Params, optional
        Default: those that are shipped.

    Returns
    -------
    Plan or Allocation
        Trades with the margin before and after; for ``Allocate`` the transfers. Nothing is sent anywhere.

    Raises
    ------
    InputError
        When the goal cannot be reached within liquidity and budget, no trade helps, or an option is outside its
        interval.
    UnavailableError
        When the solvers of the extra ``desk`` are not installed.

    Examples
    --------
    >>> import plimsoll as pm
    >>> market, book = pm.load_market("examples/market.json"), pm.load_portfolio("examples/portfolio.json")
    >>> plan = pm.optimise(market, book, pm.Hedge("ETH"))
    >>> abs(plan.before.result.underlyings["ETH"].delta) > 1.0
    True
    >>> abs(plan.after.result.underlyings["ETH"].delta) < 0.01
    True
    """
    chosen = Params() if params is None else params
    with python_errors():
        if isinstance(goal, Allocate):
            accounts = _named(portfolio)
            return allocate(market, list(accounts.values()), list(accounts), chosen)
        if not isinstance(portfolio, Portfolio):
            raise InputError("portfolio", f"{len(portfolio)} accounts, {type(goal).__name__} is about one")
        return _plan(market, portfolio, chosen, goal.suggestion(market, portfolio, chosen))


def _named(portfolio: Portfolio | Mapping[str, Portfolio]) -> Mapping[str, Portfolio]:
    if isinstance(portfolio, Portfolio):
        raise InputError("portfolio", "one account, Allocate is about several: give a mapping of name to portfolio")
    return portfolio


def _plan(market: Market, portfolio: Portfolio, params: Params, found: Suggestion) -> Plan:
    after = filled(portfolio, [trade.order for trade in found.trades])
    before_margin = Margin(market, portfolio, params, found.before)
    return Plan(found.method, found.trades, before_margin, Margin(market, after, params, found.after), found.notes)


def frontier(history: History, points: int = 12, *, largest: float = 1.0, short: bool = False) -> Frontier:
    """Compute the mean-variance frontier of the assets of a history; it is about prices, and no account.

    Parameters
    ----------
    history : History
        At least two assets and 60 moves.
    points : int
        From the least variance to the largest mean, 2 to 200.
    largest : float
        Largest weight of one asset, in (0, 10]; with ``short`` also the largest short weight.
    short : bool
        Whether weights may be negative.

    Returns
    -------
    Frontier
        Means and volatilities per year, from shrunk estimates.

    Raises
    ------
    InputError
        For one asset, too little history, or limits that no weights meet.

    Examples
    --------
    >>> import plimsoll as pm
    >>> found = pm.frontier(pm.sample_history(("ETH", "BTC"), synthetic=True), points=3)
    >>> [round(sum(point.weights), 6) for point in found.points]
    [1.0, 1.0, 1.0]
    """
    with python_errors():
        return mean_variance_frontier(history, points, largest, not short)
