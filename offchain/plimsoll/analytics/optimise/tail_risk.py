"""Less tail risk or less variance over past moves, found in the older part of a history and judged by the newer.

What is minimised is how far a book falls short of its own mean: a sample whose prices rose, or whose volatility was
dearer than what it became, makes some book a sure gain, and a gain that the past happened to hold is no hedge. The
trades are found on the older share of the moves alone; the newer share, which they have not seen, says what they are
worth, and a suggestion that it does not confirm is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.optimise.choice import Breadth, Choice, interleaved
from plimsoll.analytics.optimise.limits import MAX_LIMIT, Limits, add_limits, checked
from plimsoll.analytics.optimise.linear_program import Terms
from plimsoll.analytics.optimise.listed import Listed
from plimsoll.analytics.optimise.trades import (
    Suggestion,
    Trade,
    TradeProgram,
    refuse_liquidity,
    suggestion_of,
    trade_program,
    trades_of,
)
from plimsoll.analytics.optimise.universe import Candidate, TradingCosts, offered
from plimsoll.analytics.series.history import History
from plimsoll.analytics.series.moves import VOL_SHARE, log_moves
from plimsoll.analytics.told import Tell, silent
from plimsoll.analytics.var.legs import Leg
from plimsoll.analytics.var.revaluation import revalue
from plimsoll.analytics.var.tail import check_level, tail_weights
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
OBJECTIVES: Final = ("cvar", "variance")
#: Share of the moves, the oldest, on which trades are found.
FOUND_ON: Final = 0.7
#: A risk counts as met to this share of what it is now, while instruments are compared, and for those that are chosen.
CLOSE: Final = 1e-3
CLOSE_AT_LAST: Final = 1e-6
#: A program with tangents is slower than one of scenario rows, and its best instruments lie close to each other.
BREADTH: Final = Breadth(in_pairs=16, in_triples=8, as_next=40)
#: Instruments that a search looks at: what is held, and those whose P&L lies closest to the account's.
MOST_CANDIDATES: Final = 150
#: A goal counts as reached to this share of it.
MET: Final = 1e-6
#: Cost of a unit of risk above a goal, in units of what trades cost.
MISSED: Final = 1e4


def scenario_pnl(
    market: Market, candidates: tuple[Candidate, ...], portfolio: Portfolio, history: History, horizon_days: int
) -> tuple[Vector, Vector]:
    """P&L of one unit of every candidate, and of the whole account, under historical moves.

    Parameters
    ----------
    market : Market
    candidates : tuple of Candidate, length m
        All positions of the account are among them.
    portfolio : Portfolio
    history : History
    horizon_days : int

    Returns
    -------
    ndarray, shape (n, m); ndarray, shape (n,)
        Cash, oldest move first.
    """
    steps = horizon_days * DAY_SEC // history.step_sec
    moves = log_moves(history, steps, VOL_SHARE)
    legs = [Leg(c.label, c.position.underlying, 1.0, c.position) for c in candidates]
    unit = revalue(market, legs, history.assets, moves, horizon_days * DAY_SEC)
    now = unit @ np.array([c.held for c in candidates])
    growth = np.expm1(moves.price)
    refuse_liquidity(market, portfolio)
    for symbol, amount in portfolio.collateral.items():
        linked = market.tokens[symbol].linked
        if linked is not None:
            now += amount * market.price_of(symbol) * growth[:, history.assets.index(linked)]
    return unit, now


def _closest(candidates: tuple[Candidate, ...], unit: Vector, now: Vector) -> tuple[Candidate, ...]:
    """Choose what is held, and then by the share of the account's P&L that one instrument alone can take away."""
    length = np.sqrt((unit**2).sum(axis=0))
    score = np.abs(unit.T @ now) / np.where(length > 0.0, length, 1.0)
    order = sorted(range(len(candidates)), key=lambda j: (candidates[j].held == 0.0, -score[j]))
    held = sum(c.held != 0.0 for c in candidates)
    return tuple(candidates[j] for j in order[: max(MOST_CANDIDATES, held)])


@dataclass(frozen=True, slots=True)
class Measure:
    """A convex risk of P&L, and the gradient that makes a tangent of it."""

    name: str
    of: Callable[[Vector], float]
    gradient: Callable[[Vector], Vector]


def _shortfall(level: float) -> Measure:
    """Measure the expected shortfall below the mean, cash."""

    def weights(pnl: Vector) -> Vector:
        return 1.0 / pnl.size - tail_weights(pnl, level).es

    return Measure(f"shortfall {level:g} below the mean", lambda pnl: float(weights(pnl) @ pnl), weights)


def _deviation() -> Measure:
    """Measure the standard deviation, cash."""

    def gradient(pnl: Vector) -> Vector:
        slope: Vector = (pnl - pnl.mean()) / (pnl.size * max(float(pnl.std()), 1e-12))
        return slope

    return Measure("standard deviation", lambda pnl: float(pnl.std()), gradient)


class _Risk:
    """A column at least the risk of the account after its trades, to a share ``close`` of the risk before."""

    def __init__(self, program: TradeProgram, measure: Measure, unit: Vector, now: Vector) -> None:
        self.program, self.measure, self.unit, self.now = program, measure, unit, now
        self.column = program.lp.column(measure.name)
        self.close = CLOSE
        self.before = max(measure.of(now), 1e-9)
        program.lp.convex(self.tangents)

    def tangents(self, values: Vector) -> list[tuple[Terms, float]]:
        """Tangent at a solution that lies below the risk."""
        program = self.program
        pnl = self.now + self.unit @ program.net(values)
        if self.measure.of(pnl) <= float(values[self.column]) + self.close * self.before:
            return []
        slope = self.measure.gradient(pnl)
        per_unit = slope @ self.unit
        terms: Terms = [(self.column, 1.0), (program.bought, -per_unit), (program.sold, per_unit)]
        return [(terms, float(slope @ self.now))]


@dataclass(frozen=True, slots=True)
class _Sample:
    """P&L of units and of the account, the moves on which trades are found first."""

    unit: Vector
    now: Vector
    found_on: int
    judged_from: int

    @property
    def older(self) -> tuple[Vector, Vector]:
        return self.unit[: self.found_on], self.now[: self.found_on]

    @property
    def newer(self) -> tuple[Vector, Vector]:
        return self.unit[self.judged_from :], self.now[self.judged_from :]


def _sample(unit: Vector, now: Vector, horizon: int, level: float, source: str) -> _Sample:
    """Split the moves; those that overlap both parts belong to neither."""
    found_on = int(FOUND_ON * now.size)
    sample = _Sample(unit, now, found_on, found_on + horizon - 1)
    check_level(level, sample.newer[1].size / horizon, f"{source}, its newer {1.0 - FOUND_ON:.0%}")
    return sample


def check_objective(objective: str, target: float | None) -> None:
    """Refuse a measure that is none and a target that cannot be, before any price is read.

    Parameters
    ----------
    objective : str
        One of ``OBJECTIVES``.
    target : float or None
        Risk to reach, cash.

    Raises
    ------
    InputError
    """
    if objective not in OBJECTIVES:
        raise InputError("--objective", f"{objective!r} is not one of {', '.join(OBJECTIVES)}")
    if target is not None and not 0.0 <= target <= MAX_LIMIT:
        raise InputError("--goal", f"{target:g} is outside [0, {MAX_LIMIT:g}]")


def _found(
    program: TradeProgram, risk: _Risk, target: float | None, limits: Limits, lot: float, tell: Tell
) -> tuple[tuple[Trade, ...], float]:
    """Search the trades; return them and by how much the program misses its goal."""
    lp = program.lp
    missed = None
    if target is None:
        lp.charge([(risk.column, 1.0)], 1.0)
    else:
        missed = lp.column("missed", cost=MISSED)
        lp.row("goal", [(risk.column, 1.0), (missed, -1.0)], upper=target)
    choice = Choice(program, tell, BREADTH)
    chosen: tuple[int, ...] = ()
    for chosen in choice.best(limits.trades, interleaved(choice.together(), choice.singles())):
        if missed is not None and float(choice.solution(chosen)[missed]) <= MET * max(target or 0.0, 1.0):
            break
    risk.close = CLOSE_AT_LAST
    values = choice.solution(chosen)
    net = program.net(values)[list(chosen)]
    trades = trades_of([program.candidates[i] for i in chosen], net, lot)
    return trades, 0.0 if missed is None else float(values[missed])


def less_risk(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    costs: TradingCosts,
    history: History,
    objective: str = "cvar",
    level: float = 0.975,
    horizon_days: int = 1,
    limits: Limits | None = None,
    target: float | None = None,
    listed: Listed | None = None,
    tell: Tell = silent,
) -> Suggestion:
    """Suggest trades that lower the shortfall below the mean, or the standard deviation, plus what they cost.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
        Mode SINGLE or CROSS.
    params : Params
    costs : TradingCosts
    history : History
        Moves of every underlying held, oldest first.
    objective : str
        One of ``OBJECTIVES``.
    level : float
        Of the expected shortfall.
    horizon_days : int
    limits : Limits, optional
        Of number, cost, turnover and margin; by default margin may not rise. Their worth is not looked at.
    target : float, optional
        Risk that must be reached on the moves the trades are found on; with it the cost alone is minimised.
    listed : Listed, optional
        Instruments and prices of a venue's chain.
    tell : callable, optional
        Gets a line of progress now and then.

    Returns
    -------
    Suggestion
        Its figures state the risk before and after, on the moves on which the trades were found and on those that they
        have not seen.

    Raises
    ------
    InputError
        When the target cannot be reached within the limits, no trade helps, or the newer moves do not confirm it.
    """
    check_objective(objective, target)
    limits = replace(Limits(), trades=5) if limits is None else limits
    candidates = offered(market, portfolio, costs, listed, limits.trades)
    if len(candidates) > MOST_CANDIDATES:
        candidates = _closest(candidates, *scenario_pnl(market, candidates, portfolio, history, horizon_days))
    program = trade_program(market, portfolio, params, candidates, open_all=False, weigh_margin=False)
    add_limits(program, limits, evaluate(market, portfolio, params))
    unit, now = scenario_pnl(market, program.candidates, portfolio, history, horizon_days)
    steps = horizon_days * DAY_SEC // history.step_sec
    sample = _sample(unit, now, steps, level, history.source)
    measure = _shortfall(level) if objective == "cvar" else _deviation()
    risk = _Risk(program, measure, *sample.older)
    trades, missed = _found(program, risk, target, limits, costs.lot, tell)
    if target is not None and missed > MET * max(target, 1.0):
        told = f"{measure.name} can only reach {target + missed:.6g} where {target:.6g} is asked for"
        raise InputError("optimise", f"infeasible: {told}")
    if not trades:
        raise InputError("optimise", "no trade within the limits lowers the risk by more than it costs")
    return _judged(market, portfolio, params, (measure, sample, program.candidates), trades, (limits, target, history))


def _judged(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    inputs: tuple[Measure, _Sample, tuple[Candidate, ...]],
    trades: tuple[Trade, ...],
    context: tuple[Limits, float | None, History],
) -> Suggestion:
    """State the risk on both parts of the history; refuse what the newer does not confirm."""
    (measure, sample, candidates), (limits, target, history) = inputs, context
    quantity = np.array([next((t.quantity for t in trades if t.candidate is c), 0.0) for c in candidates])
    pairs = [(measure.of(now), measure.of(now + unit @ quantity)) for unit, now in (sample.older, sample.newer)]
    (old_before, old_after), (new_before, new_after) = pairs
    if new_after >= new_before:
        told = f"from {old_before:,.2f} to {old_after:,.2f} on the older {FOUND_ON:.0%} of {history.source}"
        raise InputError(
            "optimise",
            f"the trades that lower the {measure.name} {told} raise it from {new_before:,.2f} to {new_after:,.2f} on "
            "the newer moves, which they have not seen",
        )
    notes = [
        f"{measure.name}: {old_before:,.2f} before, {old_after:,.2f} after, on the {sample.found_on} older moves of "
        f"{history.source} on which the trades were found",
        f"{measure.name}: {new_before:,.2f} before, {new_after:,.2f} after, on the {sample.newer[1].size} newer moves, "
        "which they have not seen",
    ]
    if target is not None and old_after > target:
        notes.append(f"rounding to lots leaves {old_after - target:,.2f} above the goal")
    figures = {
        "foundOnBefore": old_before,
        "foundOnAfter": old_after,
        "unseenBefore": new_before,
        "unseenAfter": new_after,
    }
    found = suggestion_of(f"risk {measure.name}", market, portfolio, params, trades, notes)
    return checked(replace(found, figures=figures), limits)
