"""The cheapest hedge to a target: net delta, delta and gamma, delta and vega, or a collar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.optimise.limits import Limits, add_limits, broken, checked
from plimsoll.analytics.optimise.linear_program import Index
from plimsoll.analytics.optimise.listed import Listed
from plimsoll.analytics.optimise.trades import (
    Suggestion,
    Terms,
    Trade,
    TradeProgram,
    greeks_of,
    linked_units,
    suggestion_of,
    trade_program,
    trades_of,
)
from plimsoll.analytics.optimise.universe import Candidate, TradingCosts, offered, universe_of
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
MAX_GOAL: Final = 1e15
#: What each target sets, in the order delta, gamma, vega.
TARGETS: Final[Mapping[str, tuple[str, ...]]] = {
    "delta": ("delta",),
    "delta-gamma": ("delta", "gamma"),
    "delta-vega": ("delta", "vega"),
}


def _polish(candidates: Sequence[Candidate], net: Vector, delta: Vector, wanted: float, lot: float) -> Vector:
    """Round to lots and let the perpetual, where it may trade, take up the delta that rounding left."""
    trades = {t.candidate.label: t.quantity for t in trades_of(candidates, net, lot)}
    out = np.array([trades.get(c.label, 0.0) for c in candidates])
    perp = next((i for i, c in enumerate(candidates) if not c.position.kind.has_expiry), None)
    if perp is not None:
        out[perp] += np.round((wanted - float(out @ delta)) / float(delta[perp]) / lot) * lot
    return out


def _program(
    market: Market, portfolio: Portfolio, params: Params, candidates: Sequence[Candidate], own: str, limits: Limits
) -> TradeProgram:
    """Build the program of the least cost in which only one underlying trades."""
    program = trade_program(market, portfolio, params, candidates, open_all=True, weigh_margin=False)
    for number, candidate in enumerate(program.candidates):
        if candidate.position.underlying != own:
            program.allow(number, False)
    add_limits(program, limits, evaluate(market, portfolio, params))
    return program


def hedge(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    costs: TradingCosts,
    target: str,
    underlying: str,
    goals: Mapping[str, float] | None = None,
    limits: Limits | None = None,
    listed: Listed | None = None,
) -> Suggestion:
    """Suggest the cheapest trades that bring greeks of one underlying to their goals.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
        Mode SINGLE or CROSS.
    params : Params
    costs : TradingCosts
    target : str
        Key of ``TARGETS``.
    underlying : str
    goals : mapping of str to float, optional
        Net greeks wanted; 0 where missing.
    limits : Limits, optional
        Of cost, turnover and margin; default: none. Their number of trades and their worth are not looked at.
    listed : Listed, optional
        Instruments and prices of a venue's chain.

    Returns
    -------
    Suggestion
        Greeks reach the goals to within a lot. Where new positions do not fit, what is held trades, and the perpetual
        while one more position fits.

    Raises
    ------
    InputError
        When liquidity or the limits do not suffice; it says which greek can reach what.
    """
    for name, goal in (goals or {}).items():
        if not abs(goal) <= MAX_GOAL:
            raise InputError(f"--{name}", f"{goal:g} is outside [-{MAX_GOAL:g}, {MAX_GOAL:g}]")
    if target not in TARGETS:
        raise InputError("--target", f"{target!r} is not one of collar, {', '.join(TARGETS)}")
    limits = Limits(more_margin=None) if limits is None else limits
    # One trade for every greek, and the perpetual for what rounding leaves.
    everything = offered(market, portfolio, costs, listed, len(TARGETS[target]) + 1)
    mine = [c for c in everything if c.position.underlying == underlying]
    if not mine:
        raise InputError("--underlying", f"the account holds nothing of {underlying!r}")
    others = [c for c in everything if c.position.underlying != underlying and c.held != 0.0]
    program = _program(market, portfolio, params, [*mine, *others], underlying, limits)
    now = evaluate(market, portfolio, params).underlyings[underlying]
    wanted: dict[str, tuple[Index, Vector, float]] = {}
    for name in TARGETS[target]:
        of, per_unit = next(
            (of, g) for u, of, g in greeks_of(market, params, program.candidates, name) if u == underlying
        )
        change = (goals or {}).get(name, 0.0) - float(getattr(now, name))
        wanted[name] = (of, per_unit, change)
        terms: Terms = [(program.bought[of], per_unit), (program.sold[of], -per_unit)]
        program.lp.row(f"change of {name} of {underlying}", terms, lower=change, upper=change, wanted=True)
    net = program.net(program.lp.solve("optimise")[1])
    of, delta, change = wanted["delta"]
    traded = [program.candidates[i] for i in of]
    trades = trades_of(traded, _polish(traded, net[of], delta, change, costs.lot), costs.lot)
    if not trades:
        raise InputError("optimise", f"{target} of {underlying} is at its goal to within a lot already")
    found = suggestion_of(f"hedge {target}", market, portfolio, params, trades, ("the perpetual takes up rounding",))
    return checked(found, limits)


def _collars(
    puts: Sequence[Candidate], calls: Sequence[Candidate], floor: float, quantity: float
) -> list[tuple[Trade, Trade]]:
    """Pair the put nearest to the floor with every call: those that pay for it first, the highest strike first."""
    put = min(puts, key=lambda c: abs(c.position.price - floor))
    paying = sorted((c for c in calls if c.bid >= put.ask), key=lambda c: -c.position.price)
    rest = sorted((c for c in calls if c.bid < put.ask), key=lambda c: -c.bid)
    bought = Trade(put, quantity, put.ask)
    return [(bought, Trade(call, -quantity, call.bid)) for call in (*paying, *rest)]


def collar(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    costs: TradingCosts,
    underlying: str,
    floor: float,
    expiry_ts: int,
    limits: Limits | None = None,
    listed: Listed | None = None,
) -> Suggestion:
    """Suggest a collar: a put below a long exposure, paid for by a call above it.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
        Long the underlying through linear positions or linked collateral.
    params : Params
    costs : TradingCosts
    underlying : str
    floor : float
        Strike of the put as a share of the forward, below 1; the nearest strike that is offered is taken.
    expiry_ts : int
    limits : Limits, optional
        Of cost, turnover and margin, which by default may not rise. Their worth is not looked at.
    listed : Listed, optional
        Instruments and prices of a venue's chain.

    Returns
    -------
    Suggestion
        The call has the highest strike whose price pays for the put; where none does, the one that pays the most. A
        call that breaks a limit is passed over.

    Raises
    ------
    InputError
        When there is no long exposure, expiry or liquidity, or every call breaks a limit.
    """
    limits = Limits() if limits is None else limits
    if not 0.3 <= floor < 1.0:
        raise InputError("--floor", f"{floor:g} is outside [0.3, 1)")
    quantity = _long_units(market, portfolio, underlying, costs.lot)
    free = [c for c in universe_of(market, portfolio, costs, listed) if c.held == 0.0]
    free = [c for c in free if (c.position.underlying, c.position.expiry_ts) == (underlying, expiry_ts)]
    forward = next((s.forward for s in market.rounds[underlying].surfaces if s.expiry_ts == expiry_ts), None)
    if forward is None or not free:
        raise InputError("--expiry", f"{expiry_ts} is no expiry of {underlying} that can be traded")
    sides = [(c, c.position.kind.is_call, c.position.price) for c in free]
    puts = [c for c, is_call, strike in sides if not is_call and strike < forward and c.most_bought > 0.0]
    calls = [c for c, is_call, strike in sides if is_call and strike > forward and c.most_sold > 0.0]
    if not puts or not calls:
        raise InputError("optimise", "collar: no free strike is offered on one side of the forward")
    pairs = _collars(puts, calls, floor * forward, quantity)
    most = min(pairs[0][0].candidate.most_bought, max(call.candidate.most_sold for _, call in pairs))
    if quantity > most:
        raise InputError("optimise", f"infeasible: {quantity:g} units, liquidity allows {most:g}")
    found = [
        suggestion_of("hedge collar", market, portfolio, params, pair, _unpaid(pair))
        for pair in pairs
        if quantity <= pair[1].candidate.most_sold
    ]
    # The first that keeps the limits; where none does, the one first wanted says which it misses, and by how much.
    return checked(next((one for one in found if broken(one, limits) is None), found[0]), limits)


def _unpaid(pair: tuple[Trade, Trade]) -> tuple[str, ...]:
    return () if pair[1].limit >= pair[0].limit else ("no call that may be sold pays for the put",)


def _long_units(market: Market, portfolio: Portfolio, underlying: str, lot: float) -> float:
    """Units held long through linear positions and linked collateral, in lots; InputError when there are none."""
    linear = [p for p in portfolio.positions if p.underlying == underlying and p.kind.is_linear]
    units = sum(p.quantity for p in linear) + linked_units(market, portfolio, underlying)
    quantity = float(np.trunc(units / lot + 1e-9) * lot)
    if quantity <= 0.0:
        raise InputError("optimise", f"collar: {underlying} is not held long (net {units:g} units)")
    return quantity
