"""Less tail risk or variance for the money: CVaR and quadratic programs through cvxpy and Clarabel."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.optimise.trades import Suggestion, excess, suggestion_of, trades_of
from plimsoll.analytics.optimise.universe import Candidate, TradingCosts, universe_of
from plimsoll.analytics.series.history import History
from plimsoll.analytics.series.moves import log_moves
from plimsoll.analytics.var.legs import Leg
from plimsoll.analytics.var.revaluation import revalue
from plimsoll.analytics.var.tail import check_level, tail_weights
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError, PlimsollError
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
OBJECTIVES: Final = ("cvar", "variance")
MAX_LIMIT: Final = 1e18
#: Instruments that the program looks at: what is held, and those whose P&L lies closest to that of the book.
MAX_CANDIDATES: Final = 80
#: A trade that uses all of its liquidity pays its half spread this many times over.
IMPACT: Final = 1.0


def _solve(problem: Any, what: str) -> None:
    """Solve with Clarabel; raise with a clear line when there is no optimum."""
    import cvxpy

    try:
        problem.solve(solver=cvxpy.CLARABEL)
    except cvxpy.error.SolverError as error:
        raise PlimsollError("optimise", f"the solver failed: {error}") from error
    if problem.status in ("infeasible", "infeasible_inaccurate"):
        raise InputError("optimise", f"infeasible: {what}")
    if problem.status in ("unbounded", "unbounded_inaccurate"):
        raise InputError("optimise", "unbounded: nothing limits a trade that pays; give --liquidity")
    if problem.status not in ("optimal", "optimal_inaccurate"):
        raise PlimsollError("optimise", f"the solver stopped: {problem.status}")


def scenario_pnl(
    market: Market, candidates: tuple[Candidate, ...], history: History, horizon_days: int
) -> tuple[Vector, Vector]:
    """P&L of one unit of every candidate, and of the present positions, under historical moves.

    Returns
    -------
    ndarray, shape (n, m); ndarray, shape (n,)
    """
    steps = horizon_days * DAY_SEC // history.step_sec
    moves = log_moves(history, steps)
    legs = [Leg(c.label, c.position.underlying, 1.0, c.position) for c in candidates]
    unit = revalue(market, legs, history.assets, moves, horizon_days * DAY_SEC)
    return unit, unit @ np.array([c.held for c in candidates])


def _closest(candidates: tuple[Candidate, ...], unit: Vector, now: Vector) -> list[int]:
    """Choose what is held, and then by the share of the book's P&L that one instrument alone can take away."""
    length = np.sqrt((unit**2).sum(axis=0))
    score = np.abs(unit.T @ now) / np.where(length > 0.0, length, 1.0)
    order = sorted(range(len(candidates)), key=lambda j: (candidates[j].held == 0.0, -score[j]))
    held = sum(c.held != 0.0 for c in candidates)
    return sorted(order[: max(MAX_CANDIDATES, held)])


def _collateral_pnl(market: Market, portfolio: Portfolio, history: History, horizon_days: int) -> Vector:
    moves = log_moves(history, horizon_days * DAY_SEC // history.step_sec)
    growth = np.expm1(moves.price)
    total = np.zeros(growth.shape[0])
    for symbol, amount in portfolio.collateral.items():
        linked = market.tokens[symbol].linked
        if linked is not None:
            total += amount * market.price_of(symbol) * growth[:, history.assets.index(linked)]
    return total


def less_risk(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    costs: TradingCosts,
    history: History,
    objective: str = "cvar",
    level: float = 0.975,
    horizon_days: int = 1,
    budget: float | None = None,
    target: float | None = None,
) -> Suggestion:
    """Suggest trades that lower CVaR, or the standard deviation, plus cost and impact.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    costs : TradingCosts
    history : History
        Moves of every underlying held.
    objective : str
        One of ``OBJECTIVES``. ``variance`` minimises ``variance/(2*s)``, ``s`` the larger of CVaR and deviation now.
    level : float
        Of the expected shortfall.
    horizon_days : int
    budget : float, optional
        Most that spreads may cost.
    target : float, optional
        CVaR that must be reached; with it the cost alone is minimised.

    Returns
    -------
    Suggestion

    Raises
    ------
    InputError
        When the target cannot be reached within liquidity and budget, or no trade helps.
    """
    import cvxpy as cp

    if objective not in OBJECTIVES:
        raise InputError("--objective", f"{objective!r} is not one of {', '.join(OBJECTIVES)}")
    for name, limit_ in (("--goal", target), ("--budget", budget)):
        if limit_ is not None and not 0.0 <= limit_ <= MAX_LIMIT:
            raise InputError(name, f"{limit_:g} is outside [0, {MAX_LIMIT:g}]")
    candidates = universe_of(market, portfolio, costs)
    unit, held = scenario_pnl(market, candidates, history, horizon_days)
    now = held + _collateral_pnl(market, portfolio, history, horizon_days)
    check_level(level, now.size / horizon_days, history.source)
    chosen = _closest(candidates, unit, now)
    candidates, unit = tuple(candidates[j] for j in chosen), unit[:, chosen]
    spread = np.array([c.half_spread for c in candidates])
    limit = np.array([c.limit for c in candidates])
    before = -float(tail_weights(now, level).es @ now)
    scale = max(before, float(now.std()), 1e-9)
    bought, sold = cp.Variable(len(candidates), nonneg=True), cp.Variable(len(candidates), nonneg=True)
    trade = bought - sold
    pnl = now / scale + (unit * limit / scale) @ trade
    paid = (spread * limit / scale) @ (bought + sold)
    impact = IMPACT * cp.sum_squares(cp.multiply(np.sqrt(spread * limit / scale), trade))
    quantile = cp.Variable()
    # Rockafellar and Uryasev: the least of this over the quantile is the expected shortfall.
    shortfall = quantile + cp.sum(cp.pos(-pnl - quantile)) / ((1.0 - level) * now.size)
    constraints = [bought <= 1.0, sold <= 1.0]
    if budget is not None:
        constraints.append(paid <= budget / scale)
    goal = shortfall if objective == "cvar" else cp.sum_squares(pnl - cp.sum(pnl) / now.size) / now.size / 2.0
    what = "the liquidity and budget limits"
    if target is not None:
        constraints.append(shortfall <= target / scale)
        reach = cp.Problem(cp.Minimize(shortfall), constraints[:-1])
        _solve(reach, what)
        what = f"CVaR can only reach {float(reach.value) * scale:.6g} where {target:.6g} is asked for"
        goal = 0.0
    problem = cp.Problem(cp.Minimize(goal + paid + impact), constraints)
    _solve(problem, what)
    net = (np.asarray(bought.value) - np.asarray(sold.value)) * limit
    net[np.abs(net) < 0.5 * costs.lot] = 0.0
    trades = trades_of(candidates, net, costs.lot)
    if not trades:
        raise InputError("optimise", "no trade within the limits lowers the risk by more than it costs")
    after = now + unit @ np.array([_quantity(trades, c) for c in candidates])
    figures = (before, -float(tail_weights(after, level).es @ after), float(now.std()), float(after.std()))
    span = "1 day" if horizon_days == 1 else f"{horizon_days} days"
    notes = [
        f"CVaR {level:g} over {span}: {figures[0]:,.2f} before, {figures[1]:,.2f} after",
        f"standard deviation: {figures[2]:,.2f} before, {figures[3]:,.2f} after",
        f"historical scenarios: {now.size} from {history.source}",
    ]
    if target is not None and figures[1] > target:
        notes.append(f"rounding to lots of {costs.lot:g} leaves {figures[1] - target:,.2f} above the goal")
    found = suggestion_of(f"risk {objective}", market, portfolio, params, trades, notes)
    if not np.isfinite([*figures, excess(found.after)]).all():
        raise PlimsollError("optimise", "a figure is not a finite number")
    return found


def _quantity(trades: tuple[Any, ...], candidate: Candidate) -> float:
    return next((t.quantity for t in trades if t.candidate is candidate), 0.0)
