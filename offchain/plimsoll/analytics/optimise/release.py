"""Which trades set margin free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.optimise.choice import Choice, Chosen, interleaved, shortlist
from plimsoll.analytics.optimise.limits import Limits, add_limits, add_worth, best_of
from plimsoll.analytics.optimise.linear_program import Index
from plimsoll.analytics.optimise.listed import Listed
from plimsoll.analytics.optimise.trades import (
    Suggestion,
    Trade,
    TradeProgram,
    greeks_of,
    trade_program,
    trades_of,
)
from plimsoll.analytics.optimise.universe import Candidate, TradingCosts, offered
from plimsoll.analytics.told import Tell, silent
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Market, Mode, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
KEEPABLE: Final = ("delta", "gamma", "vega")
#: Singles that the mirror looks at beside the best choice of every size: the program knows size only by tangents.
LOOKED_AT: Final = 12
#: Trades of which both neighbouring lots are tried.
BOTH_LOTS: Final = 3
#: Cost of a unit of margin that a goal misses, in units of what trades cost.
MISSED: Final = 1e4
NOT_LISTED: Final = "no chain given: strikes are a ladder, prices the mark and stated spreads"


def keep_exposures(program: TradeProgram, market: Market, params: Params, names: Sequence[str]) -> None:
    """Hold net greeks of every underlying where they are."""
    for name in names:
        if name not in KEEPABLE:
            raise InputError("--keep", f"{name!r} is not one of {', '.join(KEEPABLE)}")
        for underlying, of, per_unit in greeks_of(market, params, program.candidates, name):
            terms: list[tuple[Index | int, Vector | float]] = [
                (program.bought[of], per_unit),
                (program.sold[of], -per_unit),
            ]
            program.lp.row(f"{name} of {underlying} unchanged", terms, lower=0.0, upper=0.0, wanted=True)


def _choices(choice: Choice, listed: list[int], count: int, keep: Sequence[str]) -> Iterator[Chosen]:
    """Yield the choices that the mirror shall judge."""
    if keep:
        yield from choice.best(max(count, len(keep) + 1), listed, least=len(keep) + 1)
        return
    yield from ((n,) for n in listed[:LOOKED_AT])
    yield from choice.best(count, listed)


def lots_around(candidates: Sequence[Candidate], net: Vector, lot: float) -> Iterator[tuple[Trade, ...]]:
    """Yield trades rounded to lots: all towards zero, and for few of them every mixture with the next lot."""
    yield trades_of(candidates, net, lot)
    if 0 < len(candidates) <= BOTH_LOTS:
        for more in product((0.0, 1.0), repeat=len(candidates)):
            if any(more):
                wider = net + np.sign(net) * lot * np.array(more)
                most = np.array([c.most(q > 0.0) for c, q in zip(candidates, net, strict=True)])
                yield trades_of(candidates, np.sign(wider) * np.minimum(np.abs(wider), most), lot)


def _add_goal(program: TradeProgram, most: float) -> None:
    """Ask for an initial margin of at most so much; a program that cannot reach it comes as close as it can."""
    missed = program.lp.column("missed", cost=MISSED)
    program.lp.row("goal", [*program.margin, (missed, -1.0)], upper=most)


def _notes(portfolio: Portfolio, keep: Sequence[str], listed: Listed | None) -> list[str]:
    notes = []
    if portfolio.mode == Mode.CROSS:
        notes.append("mode CROSS: chosen for the sum over underlyings, stated for the account's mode")
    if keep:
        notes.append("trades are rounded to lots: what is kept moves by less than a lot of each")
    if listed is None:
        notes.append(NOT_LISTED)
    return notes


def release(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    costs: TradingCosts,
    limits: Limits | None = None,
    keep: Sequence[str] = (),
    listed: Listed | None = None,
    free: float | None = None,
    tell: Tell = silent,
) -> Suggestion:
    """Suggest the trades that raise equity less initial margin the most, or free a stated margin at the least cost.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
        Mode SINGLE or CROSS; the program minimises the sum over underlyings in both, the mirror states the result.
    params : Params
    costs : TradingCosts
    limits : Limits, optional
        Of number, cost, turnover and margin. Where that many new positions would not fit, only what is held trades.
    keep : sequence of str
        Greeks that must stay where they are, of ``KEEPABLE``.
    listed : Listed, optional
        Instruments and prices of a venue's chain.
    free : float, optional
        Initial margin to free, cash; the trades that do it at the least cost are suggested.
    tell : callable, optional
        Gets a line of progress now and then.

    Returns
    -------
    Suggestion
        The best of what the program finds for every number of trades up to the limit, as the mirror states it.

    Raises
    ------
    InputError
        When no trade helps, or the constraints cannot be met; it names them.
    """
    limits = Limits() if limits is None else limits
    before = evaluate(market, portfolio, params)
    if free is not None and not 0.0 < free <= before.initial_margin:
        raise InputError("free", f"{free:g} is outside (0, {before.initial_margin:,.2f}], the initial margin now")
    allowed = limits

    def build(candidates: Sequence[Candidate]) -> TradeProgram:
        program = trade_program(market, portfolio, params, candidates, open_all=False, weigh_margin=free is None)
        add_limits(program, allowed, before)
        add_worth(program, allowed.worth, before)
        if free is not None:
            _add_goal(program, before.initial_margin - free)
        keep_exposures(program, market, params, keep)
        return program

    candidates = offered(market, portfolio, costs, listed, limits.trades)
    program = build(shortlist(build, candidates, tell))
    choice = Choice(program, tell)
    # No instrument alone keeps what it moves: what all of them together trade says which belong together.
    alone, together = choice.singles(), choice.together()
    order = interleaved(together, alone) if keep else interleaved(alone, together)
    found: list[tuple[Trade, ...]] = []
    for wanted in dict.fromkeys(_choices(choice, order, limits.trades, keep)):
        net = program.net(choice.solution(wanted))[list(wanted)]
        found += lots_around([program.candidates[i] for i in wanted], net, costs.lot)
    best = best_of(_method(free), market, portfolio, params, found, limits, _notes(portfolio, keep, listed), free)
    if best is None:
        raise InputError("optimise", "no trade within the limits releases margin after its cost")
    return best


def _method(free: float | None) -> str:
    return "release" if free is None else f"free {free:,.2f}"
