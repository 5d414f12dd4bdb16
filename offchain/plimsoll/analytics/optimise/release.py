"""Which trades release the most margin."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.optimise.linear_program import Index
from plimsoll.analytics.optimise.trades import (
    Suggestion,
    TradeProgram,
    greeks_of,
    release_program,
    suggestion_of,
    trades_of,
)
from plimsoll.analytics.optimise.universe import TradingCosts, universe_of
from plimsoll.errors import InputError
from plimsoll.model import MAX_POSITIONS, Market, Mode, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
#: Singles that the greedy steps after the first look at.
SHORT_LIST: Final = 40
MAX_TRADES: Final = 20
KEEPABLE: Final = ("delta", "gamma", "vega")


def _gains(program: TradeProgram, numbers: list[int], base: float) -> dict[int, float]:
    """Fall of the objective when one more candidate may trade."""
    found = {}
    for number in numbers:
        program.allow(number, True)
        found[number] = base - program.lp.solve("optimise")[0]
        program.allow(number, False)
    return found


def _greedy(program: TradeProgram, count: int) -> tuple[Vector, list[int]]:
    """Choose ``count`` instruments one after the other; return the last solution and the choice."""
    chosen: list[int] = []
    base, values = program.lp.solve("optimise")
    listed = list(range(len(program.candidates)))
    for step in range(count):
        if not listed:
            break
        gains = _gains(program, listed, base)
        best = max(gains, key=lambda number: gains[number])
        if gains[best] <= 1e-9 * max(1.0, abs(base)):
            break
        if step == 0:
            listed = sorted(gains, key=lambda number: -gains[number])[:SHORT_LIST]
        listed = [number for number in listed if number != best]
        program.allow(best, True)
        chosen.append(best)
        base, values = program.lp.solve("optimise")
    if len(chosen) > 1:
        base, values = _swapped(program, chosen, listed, base)
    return values, chosen


def _swapped(program: TradeProgram, chosen: list[int], listed: list[int], base: float) -> tuple[float, Vector]:
    """Replace chosen instruments, one at a time, where another from the short list does better."""
    for place, old in enumerate(list(chosen)):
        program.allow(old, False)
        without = program.lp.solve("optimise")[0]
        gains = _gains(program, [n for n in (*listed, old) if n not in chosen or n == old], without)
        best = max(gains, key=lambda number: gains[number])
        chosen[place] = best if without - gains[best] < base - 1e-9 * max(1.0, abs(base)) else old
        program.allow(chosen[place], True)
        base = program.lp.solve("optimise")[0]
    return program.lp.solve("optimise")


def keep_exposures(program: TradeProgram, market: Market, params: Params, names: tuple[str, ...]) -> None:
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


def _limit_cost(program: TradeProgram, budget: float) -> None:
    """Bound the sum of half spreads."""
    if not budget >= 0.0:
        raise InputError("--budget", f"{budget:g} is below 0")
    spread = np.array([c.half_spread for c in program.candidates])
    program.lp.row("cost", [(program.bought, spread), (program.sold, spread)], upper=budget, wanted=True)


def _largest(program: TradeProgram, values: Vector, count: int) -> tuple[Vector, list[int]]:
    """Solve again with the ``count`` largest trades only."""
    sizes = np.abs(program.net(values)) * np.array([c.price for c in program.candidates])
    chosen = np.argsort(-sizes)[:count].tolist()
    for number in range(len(program.candidates)):
        program.allow(number, number in chosen)
    return program.lp.solve("optimise")[1], chosen


def release(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    costs: TradingCosts,
    count: int = 3,
    keep: tuple[str, ...] = (),
    budget: float | None = None,
) -> Suggestion:
    """Suggest the trades that raise equity less initial margin the most.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
        Mode SINGLE or CROSS; the program minimises the sum over underlyings in both, the mirror states the result.
    params : Params
    costs : TradingCosts
    count : int
        Largest number of trades. Where that many new positions would not fit, only what is held trades.
    keep : tuple of str
        Greeks that must stay where they are, of ``KEEPABLE``.
    budget : float, optional
        Most that all half spreads may cost.

    Returns
    -------
    Suggestion
        The instrument that releases the most alone, then the one that adds the most, and so on, then every choice
        is put to the test once; quantities are optimal together. With ``keep`` all trades are chosen together, then
        the smallest are left out.

    Raises
    ------
    InputError
        When no trade helps, or the constraints cannot be met; it names them.
    """
    if not 1 <= count <= MAX_TRADES:
        raise InputError("--trades", f"{count} is outside [1, {MAX_TRADES}]")
    candidates = universe_of(market, portfolio, costs)
    if len(portfolio.positions) + count > MAX_POSITIONS:
        candidates = tuple(c for c in candidates if c.held != 0.0)
    program = release_program(market, portfolio, params, candidates, open_all=bool(keep))
    if budget is not None:
        _limit_cost(program, budget)
    if keep:
        keep_exposures(program, market, params, keep)
        values = program.lp.solve("optimise")[1]
        values, order = _largest(program, values, max(count, len(keep) + 1))
    else:
        values, order = _greedy(program, count)
    net = program.net(values)
    trades = trades_of([program.candidates[i] for i in order], net[order], costs.lot)
    notes = []
    if portfolio.mode == Mode.CROSS:
        notes.append("mode CROSS: chosen for the sum over underlyings, stated for the account's mode")
    if keep:
        notes.append("trades are rounded to lots: what is kept moves by less than a lot of each")
    found = suggestion_of("release", market, portfolio, params, trades, notes)
    if not trades or found.released <= 0.0:
        raise InputError("optimise", "no trade within the limits releases margin after its cost")
    return found
