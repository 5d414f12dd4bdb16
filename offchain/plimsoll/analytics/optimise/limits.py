"""What a suggestion may not exceed, and the rows that hold a program to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from plimsoll.analytics.optimise.trades import Suggestion, Trade, TradeProgram
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import MarginResult, evaluate_many
from plimsoll.mirror.order_preview import filled
from plimsoll.model import MAX_POSITIONS, Market, Portfolio
from plimsoll.params import Params

MOST_TRADES: Final = 20
MAX_LIMIT: Final = 1e18
#: By how much rounding to lots may miss a limit before the suggestion is refused, of the limit.
ROUNDING: Final = 1e-3
#: By how much the program's initial margin may miss the mirror's, of it.
FEASIBLE: Final = 1e-8


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a suggestion.

    Attributes
    ----------
    trades : int
        Largest number of trades, 1 to 20.
    budget : float or None
        Most that the trades may cost, cash.
    turnover : float or None
        Most notional that they may turn over, cash.
    more_margin : float or None
        By how much initial margin may rise, cash; None is without limit.
    worth : float
        Margin that every unit of cost must free at least: margin comes back when it is needed no longer, a spread that
        was paid does not.
    """

    trades: int = 3
    budget: float | None = None
    turnover: float | None = None
    more_margin: float | None = 0.0
    worth: float = 2.0

    def __post_init__(self) -> None:
        """Check every number against its range."""
        if not 1 <= self.trades <= MOST_TRADES:
            raise InputError("--trades", f"{self.trades} is outside [1, {MOST_TRADES}]")
        for name, value in (
            ("budget", self.budget),
            ("turnover", self.turnover),
            ("more-margin", self.more_margin),
            ("worth", self.worth),
        ):
            if value is not None and not 0.0 <= value <= MAX_LIMIT:
                raise InputError(f"--{name}", f"{value:g} is outside [0, {MAX_LIMIT:g}]")


def add_limits(program: TradeProgram, limits: Limits, before: MarginResult) -> None:
    """Hold a program to the limits of cost, turnover and margin."""
    lp = program.lp
    if limits.budget is not None:
        lp.row("cost", program.cost, upper=limits.budget, wanted=True)
    if limits.turnover is not None:
        lp.row("turnover", program.turnover, upper=limits.turnover, wanted=True)
    if limits.more_margin is not None:
        most = before.initial_margin + limits.more_margin
        lp.row("initial margin", program.margin, upper=most * (1.0 + FEASIBLE), wanted=True)


def add_worth(program: TradeProgram, worth: float, before: MarginResult) -> None:
    """Let no unit of cost free less than ``worth`` of margin."""
    cost = [(column, worth * value) for column, value in program.cost]
    most = before.initial_margin * (1.0 + FEASIBLE)
    program.lp.row("margin freed for its cost", [*program.margin, *cost], upper=most, wanted=True)


def broken(found: Suggestion, limits: Limits) -> str | None:
    """Say which limit of cost, turnover or margin a suggestion does not keep, as the mirror states it; None: it does.

    Margin may miss its limit by what rounding to lots explains.
    """
    for what, value, limit, option in (
        ("cost", found.cost, limits.budget, "--budget"),
        ("turn over", found.turnover, limits.turnover, "--turnover"),
    ):
        if limit is not None and value > limit * (1.0 + FEASIBLE) + FEASIBLE:
            return f"{found.method} would {what} {value:,.2f}; the limit is {limit:,.2f} ({option})"
    if limits.more_margin is None:
        return None
    most = found.before.initial_margin + limits.more_margin
    if found.after.initial_margin <= most + ROUNDING * max(most, 1.0):
        return None
    told = f"{found.method} would raise initial margin by {-found.freed:,.2f}"
    return f"{told}; the limit is {limits.more_margin:,.2f} (--more-margin)"


def kept(found: Suggestion, limits: Limits) -> bool:
    """Whether a suggestion keeps its limits, that of what a unit of cost must free among them."""
    return broken(found, limits) is None and found.freed >= limits.worth * found.cost - 1e-9


def best_of(
    method: str,
    market: Market,
    portfolio: Portfolio,
    params: Params,
    choices: Sequence[tuple[Trade, ...]],
    limits: Limits,
    notes: Sequence[str],
    free: float | None = None,
) -> Suggestion | None:
    """Return the choice of trades that is best within the limits, as the mirror states it.

    Parameters
    ----------
    method : str
    market : Market
    portfolio : Portfolio
    params : Params
    choices : sequence of tuple of Trade
        Empty ones, and those that leave more positions than an account may hold, are left out.
    limits : Limits
    notes : sequence of str
    free : float, optional
        Initial margin to free, cash.

    Returns
    -------
    Suggestion or None
        The one that raises equity less initial margin the most; with ``free`` the cheapest that frees so much. None
        when none of them sets margin free.

    Raises
    ------
    InputError
        When none frees what shall be freed; it states the most.
    """
    orders = [[trade.order for trade in trades] for trades in choices]
    after = [filled(portfolio, one) for one in orders]
    fit = [i for i, folio in enumerate(after) if choices[i] and len(folio.positions) <= MAX_POSITIONS]
    results = evaluate_many(market, [portfolio, *(after[i] for i in fit)], params)
    found = [
        Suggestion(method, choices[i], results[0], result, tuple(notes))
        for i, result in zip(fit, results[1:], strict=True)
    ]
    good = [one for one in found if one.released > 0.0 and kept(one, limits)]
    if free is None or not good:
        return max(good, key=lambda one: one.released, default=None)
    reached = [one for one in good if one.freed >= free]
    if not reached:
        most = max(one.freed for one in good)
        raise InputError(
            "optimise", f"infeasible: {most:,.2f} of initial margin can be freed, {free:,.2f} is asked for"
        )
    return min(reached, key=lambda one: (one.cost, len(one.trades)))


def checked(found: Suggestion, limits: Limits) -> Suggestion:
    """Return a suggestion that keeps its limits of cost, turnover and margin.

    Raises
    ------
    InputError
        When it does not; it says which, and by how much.
    """
    problem = broken(found, limits)
    if problem is not None:
        raise InputError("optimise", problem)
    return found
