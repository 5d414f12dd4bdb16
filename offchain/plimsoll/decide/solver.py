"""Duty: signed intents are filled where that pays: which trades, at which price, from the solver's own account.

An owner signs what should be true afterwards and what it may cost at most; the solver finds the trade of the least risk
that makes it true and asks as much for it as the owner allows. Everything is valued by the mirror on the two accounts
as they are, fees included, and the contract measures it again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from plimsoll.mirror.linear import linear_unit
from plimsoll.mirror.margin_engine import MarginResult, evaluate_many
from plimsoll.mirror.order_preview import OpenOrder, filled
from plimsoll.model import Kind, Market, Mode, Portfolio, Position
from plimsoll.params import Params

MAX_LEGS: Final = 8
#: Markup at which the slope of the cost is measured.
PROBE: Final = 1e-3
#: No leg is priced further from its mark than this share of it.
MAX_MARKUP: Final = 0.5
#: Share of a bound that is kept from it: what float and fixed point differ by is far smaller.
EDGE: Final = 1e-7


@dataclass(frozen=True, slots=True)
class DeltaWish:
    """Bring the delta of one underlying into ``[min_delta, max_delta]`` for at most ``max_cost``.

    Parameters
    ----------
    account_id : int
        Account that signed.
    underlying : str
        Symbol.
    kinds : frozenset of Kind
        What may be traded.
    min_delta, max_delta : float
        Bounds, in units of the underlying.
    max_cost : float
        Most that market equity may fall by, cash.
    min_excess : float
        Least equity less initial requirement afterwards, cash; minus infinity for no bound.
    """

    account_id: int
    underlying: str
    kinds: frozenset[Kind]
    min_delta: float
    max_delta: float
    max_cost: float
    min_excess: float = -math.inf


@dataclass(frozen=True, slots=True)
class CloseWish:
    """Close positions until equity less initial requirement is ``min_excess``, for at most ``max_cost``."""

    account_id: int
    min_excess: float
    max_cost: float


Wish = DeltaWish | CloseWish


@dataclass(frozen=True, slots=True)
class Fees:
    """Fees as shares of quantity times price; of an option, of the premium."""

    maker_linear: float = 0.0
    taker_linear: float = 0.0
    maker_option: float = 0.0
    taker_option: float = 0.0


@dataclass(frozen=True, slots=True)
class SolverRule:
    """When a fill pays.

    Parameters
    ----------
    min_profit : float
        Least profit after gas and hedge, cash.
    take : float
        Share of the most that an intent may cost which the solver asks for, in [0, 1).
    cushion : float
        Equity that the solver keeps, as a multiple of its initial requirement.
    delta_cost : float
        Cost of hedging, as a share of the value of the delta taken over.
    gas_cost : float
        Cost of one fill, cash.
    """

    min_profit: float = 1.0
    take: float = 0.999
    cushion: float = 1.25
    delta_cost: float = 0.0
    gas_cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Desk:
    """What every fill is judged by: the market, the solver's account, and the terms.

    Parameters
    ----------
    market : Market
        On chain.
    own : Portfolio
        The solver's account.
    params : Params
        Risk parameters.
    rule : SolverRule
    fees : Fees
    """

    market: Market
    own: Portfolio
    params: Params
    rule: SolverRule
    fees: Fees = Fees()


@dataclass(frozen=True, slots=True)
class Fill:
    """A way to make an intent true.

    Parameters
    ----------
    legs : tuple of OpenOrder
        As the account that signed sees them, with their prices.
    cost : float
        What its market equity falls by, cash.
    profit : float
        What the solver gains after fees, gas and hedge, cash.
    """

    legs: tuple[OpenOrder, ...]
    cost: float
    profit: float


def solve(wish: Wish, account: Portfolio, desk: Desk) -> Fill | None:
    """Find the fill of one intent that pays the solver most.

    Parameters
    ----------
    wish : Wish
        What is signed.
    account : Portfolio
        The account that signed.
    desk : Desk
        Market, solver's account and terms.

    Returns
    -------
    Fill or None
        ``None`` while the intent does not apply, or nothing fills it at a profit within both margins.

    Raises
    ------
    DomainError
        When the mirror cannot value one of the accounts.
    """
    if isinstance(wish, DeltaWish):
        candidates = _delta_trades(wish, account, desk)
    else:
        candidates = _closing_trades(wish, account, desk)
    fills = [_priced(wish, account, trades, desk) for trades in candidates]
    return max((fill for fill in fills if fill is not None), key=lambda fill: fill.profit, default=None)


def _results(desk: Desk, *portfolios: Portfolio) -> list[MarginResult]:
    return evaluate_many(desk.market, portfolios, desk.params)


def _excess(result: MarginResult) -> float:
    return result.equity - result.initial_margin


def _delta(result: MarginResult, underlying: str) -> float:
    return result.underlyings[underlying].delta


def _unit(position: Position) -> Portfolio:
    return Portfolio(Mode.SINGLE, 0.0, {}, (replace(position, quantity=1.0),))


def _marks(positions: Sequence[Position], desk: Desk) -> list[float]:
    """Return what one unit of each trades at: the value of an option, the price of a linear instrument."""
    values = _results(desk, *(_unit(position) for position in positions))
    return [
        value.mark_to_market + (0.0 if position.kind.is_option else position.price)
        for position, value in zip(positions, values, strict=True)
    ]


def _delta_trades(wish: DeltaWish, account: Portfolio, desk: Desk) -> list[tuple[Position, ...]]:
    """Return one trade for each instrument that brings delta just inside of its bounds."""
    (now,) = _results(desk, account)
    delta = _delta(now, wish.underlying)
    if wish.min_delta <= delta <= wish.max_delta:
        return []
    inside = min(0.5 * (wish.max_delta - wish.min_delta), EDGE * max(1.0, abs(delta)))
    target = wish.max_delta - inside if delta > wish.max_delta else wish.min_delta + inside
    instruments = _instruments(wish, account, desk)
    units = [_delta(found, wish.underlying) for found in _results(desk, *map(_unit, instruments))]
    return [
        (replace(position, quantity=(target - delta) / unit),)
        for position, unit in zip(instruments, units, strict=True)
        if abs(unit) > EDGE
    ]


def _instruments(wish: DeltaWish, account: Portfolio, desk: Desk) -> list[Position]:
    """Return the instruments to try: linear ones, and options that the account holds."""
    underlying, market_round = wish.underlying, desk.market.rounds[wish.underlying]
    dates = [surface.expiry_ts for surface in market_round.surfaces]
    series = [(kind, ts) for kind in Kind if kind.is_linear for ts in (dates if kind.has_expiry else [0])]
    linear = [Position(underlying, *s, float(linear_unit(market_round, *s).fair), 1.0) for s in series]
    held = [held for held in account.positions if held.underlying == underlying and held.kind.is_option]
    return [position for position in (*linear, *held) if position.kind in wish.kinds]


def _closing_trades(wish: CloseWish, account: Portfolio, desk: Desk) -> list[tuple[Position, ...]]:
    """Return the trades that lift the excess above its bound, each step the one that lifts it most."""
    (now,) = _results(desk, account)
    if _excess(now) >= wish.min_excess or not account.positions:
        return []
    closing = [replace(held, quantity=-held.quantity) for held in account.positions]
    marks = dict(zip(closing, _marks(closing, desk), strict=True))
    chosen: list[Position] = []
    while closing and len(chosen) < MAX_LEGS:
        tried = [filled(account, [OpenOrder(p, marks[p]) for p in (*chosen, trade)]) for trade in closing]
        excesses = [_excess(result) for result in _results(desk, *tried)]
        best = max(range(len(closing)), key=excesses.__getitem__)
        chosen.append(closing.pop(best))
        # The price of the fill costs something too.
        if excesses[best] >= wish.min_excess + wish.max_cost:
            break
    return [tuple(chosen)]


def _fee(order: OpenOrder, linear: float, option: float) -> float:
    rate = option if order.position.kind.is_option else linear
    return rate * abs(order.position.quantity) * order.limit


def _after(account: Portfolio, legs: Sequence[OpenOrder], linear: float, option: float) -> Portfolio:
    """Return an account after a fill with its fees."""
    then = filled(account, legs)
    return replace(then, cash=then.cash - sum(_fee(leg, linear, option) for leg in legs))


def _mirrored(legs: Sequence[OpenOrder]) -> tuple[OpenOrder, ...]:
    """Return a fill as the other side sees it."""
    return tuple(replace(leg, position=replace(leg.position, quantity=-leg.position.quantity)) for leg in legs)


def _marked_up(trades: Sequence[Position], marks: Sequence[float], markup: float) -> tuple[OpenOrder, ...]:
    """Price trades off their marks, against the account that signed."""
    return tuple(
        OpenOrder(trade, mark * (1.0 + markup * math.copysign(1.0, trade.quantity)))
        for trade, mark in zip(trades, marks, strict=True)
    )


def _priced(wish: Wish, account: Portfolio, trades: tuple[Position, ...], desk: Desk) -> Fill | None:
    """Ask as much as the intent allows, and see whether the fill holds and pays."""
    marks, taker = _marks(trades, desk), (desk.fees.taker_linear, desk.fees.taker_option)
    if not all(mark > 0.0 for mark in marks):
        return None
    at_mark, probed = (_marked_up(trades, marks, markup) for markup in (0.0, PROBE))
    now, plain, dearer = _results(desk, account, *(_after(account, legs, *taker) for legs in (at_mark, probed)))
    # What a fill costs is a straight line in its markup.
    slope = (plain.market_equity - dearer.market_equity) / PROBE
    if not slope > 0.0:
        return None
    fixed = now.market_equity - plain.market_equity
    markup = min(MAX_MARKUP, (desk.rule.take * wish.max_cost - fixed) / slope)
    if not markup > -MAX_MARKUP:
        return None
    legs = _marked_up(trades, marks, markup)
    return _judged(wish, (account, now), legs, desk)


def _judged(
    wish: Wish, account: tuple[Portfolio, MarginResult], legs: tuple[OpenOrder, ...], desk: Desk
) -> Fill | None:
    """Return the fill when the intent is true after it, both margins hold and the solver gains enough."""
    before, now = account
    fees = desk.fees
    theirs = _after(before, legs, fees.taker_linear, fees.taker_option)
    ours = _after(desk.own, _mirrored(legs), fees.maker_linear, fees.maker_option)
    own_now, then, own_then = _results(desk, desk.own, theirs, ours)
    cost = now.market_equity - then.market_equity
    profit = own_then.market_equity - own_now.market_equity - desk.rule.gas_cost - _hedge(own_now, own_then, desk)
    holds = _is_true(wish, then, theirs) and cost <= wish.max_cost
    safe = _is_safe(now, then) and own_then.equity >= desk.rule.cushion * own_then.initial_margin
    return Fill(legs, cost, profit) if holds and safe and profit >= desk.rule.min_profit else None


def _is_true(wish: Wish, then: MarginResult, account: Portfolio) -> bool:
    """Whether what was signed is true after the fill."""
    if isinstance(wish, CloseWish):
        return _excess(then) >= wish.min_excess or not account.positions
    within = wish.min_delta <= _delta(then, wish.underlying) <= wish.max_delta
    return within and _excess(then) >= wish.min_excess


def _is_safe(now: MarginResult, then: MarginResult) -> bool:
    """Whether the exchange lets the account that signed end like this: with its margin, or with less risk."""
    return _excess(then) >= 0.0 or then.initial_margin <= now.initial_margin


def _hedge(now: MarginResult, then: MarginResult, desk: Desk) -> float:
    """Return what it costs to hedge what the solver takes over, cash; a smaller delta of its own costs nothing."""
    added = (
        (abs(_delta(then, name)) - abs(_delta(now, name))) * market_round.spot
        for name, market_round in desk.market.rounds.items()
    )
    return desk.rule.delta_cost * sum(max(0.0, value) for value in added)
