"""The cheapest hedge to a target: net delta, delta and gamma, delta and vega, or a collar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.optimise.linear_program import LinearProgram
from plimsoll.analytics.optimise.trades import (
    Suggestion,
    Trade,
    greeks_of,
    linked_units,
    suggestion_of,
    trades_of,
)
from plimsoll.analytics.optimise.universe import Candidate, TradingCosts, universe_of
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Kind, Market, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
MAX_GOAL: Final = 1e15
#: What each target sets, in the order delta, gamma, vega.
TARGETS: Final[Mapping[str, tuple[str, ...]]] = {
    "delta": ("delta",),
    "delta-gamma": ("delta", "gamma"),
    "delta-vega": ("delta", "vega"),
}


def _polish(candidates: tuple[Candidate, ...], net: Vector, delta: Vector, wanted: float, lot: float) -> Vector:
    """Round to lots and let the perpetual take up the delta that rounding left, as far as its lot allows."""
    trades = {t.candidate.label: t.quantity for t in trades_of(candidates, net, lot)}
    out = np.array([trades.get(c.label, 0.0) for c in candidates])
    perp = next(i for i, c in enumerate(candidates) if c.position.kind == Kind.PERP)
    out[perp] += np.round((wanted - float(out @ delta)) / float(delta[perp]) / lot) * lot
    return out


def hedge(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    costs: TradingCosts,
    target: str,
    underlying: str,
    goals: Mapping[str, float] | None = None,
) -> Suggestion:
    """Suggest the cheapest trades that bring greeks of one underlying to their goals.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    costs : TradingCosts
        The objective is the half spread paid.
    target : str
        Key of ``TARGETS``.
    underlying : str
    goals : mapping of str to float, optional
        Net greeks wanted; 0 where missing.

    Returns
    -------
    Suggestion
        Greeks reach the goals to within a lot.

    Raises
    ------
    InputError
        When liquidity does not suffice; it says which greek can reach what.
    """
    for name, goal in (goals or {}).items():
        if not abs(goal) <= MAX_GOAL:
            raise InputError(f"--{name}", f"{goal:g} is outside [-{MAX_GOAL:g}, {MAX_GOAL:g}]")
    if target not in TARGETS:
        raise InputError("--target", f"{target!r} is not one of collar, {', '.join(TARGETS)}")
    candidates = tuple(c for c in universe_of(market, portfolio, costs) if c.position.underlying == underlying)
    if not candidates:
        raise InputError("--underlying", f"the account holds nothing of {underlying!r}")
    now = evaluate(market, portfolio, params).underlyings[underlying]
    lp = LinearProgram()
    spread = np.array([c.half_spread for c in candidates])
    limits = np.array([c.limit for c in candidates])
    bought = lp.columns([f"buy {c.label}" for c in candidates], cost=spread, upper=limits)
    sold = lp.columns([f"sell {c.label}" for c in candidates], cost=spread, upper=limits)
    wanted: dict[str, tuple[Vector, float]] = {}
    for name in TARGETS[target]:
        ((_, _, per_unit),) = greeks_of(market, params, candidates, name)
        change = (goals or {}).get(name, 0.0) - float(getattr(now, name))
        wanted[name] = (per_unit, change)
        label = f"change of {name} of {underlying}"
        lp.row(label, [(bought, per_unit), (sold, -per_unit)], lower=change, upper=change, wanted=True)
    values = lp.solve("optimise")[1]
    net = _polish(candidates, values[bought] - values[sold], *wanted["delta"], costs.lot)
    trades = trades_of(candidates, net, costs.lot)
    if not trades:
        raise InputError("optimise", f"{target} of {underlying} is at its goal to within a lot already")
    return suggestion_of(f"hedge {target}", market, portfolio, params, trades, ("the perpetual takes up rounding",))


def _premium(candidate: Candidate, buy: bool) -> float:
    return candidate.limit_price(buy)


def collar(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    costs: TradingCosts,
    underlying: str,
    floor: float,
    expiry_ts: int,
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
        Strike of the put as a share of the forward, below 1; the nearest strike of the ladder is taken.
    expiry_ts : int

    Returns
    -------
    Suggestion
        The call has the highest strike whose price pays for the put; where none does, the one that pays the most.

    Raises
    ------
    InputError
        When there is no long exposure, expiry or liquidity.
    """
    if not 0.3 <= floor < 1.0:
        raise InputError("--floor", f"{floor:g} is outside [0.3, 1)")
    linear = [p for p in portfolio.positions if p.underlying == underlying and p.kind.is_linear]
    units = sum(p.quantity for p in linear) + linked_units(market, portfolio, underlying)
    quantity = float(np.trunc(units / costs.lot + 1e-9) * costs.lot)
    if quantity <= 0.0:
        raise InputError("optimise", f"collar: {underlying} is not held long (net {units:g} units)")
    offered = [c for c in universe_of(market, portfolio, costs) if c.position.underlying == underlying]
    offered = [c for c in offered if c.position.expiry_ts == expiry_ts and c.held == 0.0]
    forward = next((s.forward for s in market.rounds[underlying].surfaces if s.expiry_ts == expiry_ts), None)
    if forward is None or not offered:
        raise InputError("--expiry", f"{expiry_ts} is no expiry of {underlying} that can be traded")
    puts = [c for c in offered if c.position.kind == Kind.PUT and c.position.price < forward]
    calls = [c for c in offered if c.position.kind == Kind.CALL and c.position.price > forward]
    if not puts or not calls:
        raise InputError("optimise", "collar: the ladder has no free strike on one side of the forward")
    put = min(puts, key=lambda c: abs(c.position.price - floor * forward))
    paying = [c for c in calls if _premium(c, False) >= _premium(put, True)]
    call = max(paying or calls, key=lambda c: c.position.price if paying else _premium(c, False))
    if quantity > min(put.limit, call.limit):
        raise InputError("optimise", f"infeasible: {quantity:g} units, liquidity allows {min(put.limit, call.limit):g}")
    trades = (Trade(put, quantity, _premium(put, True)), Trade(call, -quantity, _premium(call, False)))
    notes = () if paying else ("no call of the ladder pays for the put",)
    return suggestion_of("hedge collar", market, portfolio, params, trades, notes)
