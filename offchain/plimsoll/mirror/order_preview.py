"""Margin as if open orders filled; mirror of contracts/lens/OrderPreview.sol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from plimsoll.mirror.margin_engine import MarginResult, evaluate_many
from plimsoll.model import Market, Portfolio, Position
from plimsoll.params import Params


class Fill(IntEnum):
    """Which orders of an underlying fill; values equal ``IOrderPreview.Fill``."""

    NONE = 0
    BUYS = 1
    SELLS = 2
    ALL = 3


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """What is left of an order: instrument and signed quantity in ``position``, limit price in cash.

    The price of ``position`` is the strike of an option; for a linear instrument it is ignored.
    """

    position: Position
    limit: float


@dataclass(frozen=True, slots=True)
class WorstFill:
    """The worst case of one underlying; ``excess`` is equity less initial margin when only it fills, cash."""

    fill: Fill
    excess: float


@dataclass(frozen=True, slots=True)
class OrderPreview:
    """Margin now and with the worst case of every underlying at once; ``fills`` by underlying."""

    before: MarginResult
    worst: MarginResult
    fills: Mapping[str, WorstFill]


def _same(one: Position, other: Position) -> bool:
    return one.identity == other.identity


def _merged(held: Position, change: Position) -> tuple[Position, float]:
    """Add a fill to a position; return it and the cash realised, as ``LinearMath.merge`` does."""
    total = held.quantity + change.quantity
    if held.kind.is_option:
        return replace(held, quantity=total), 0.0
    if held.quantity * change.quantity > 0.0:
        return held.plus(change), 0.0
    flips = abs(change.quantity) > abs(held.quantity)
    closed = -held.quantity if flips else change.quantity
    entry = change.price if flips else held.price
    return replace(held, quantity=total, price=entry), -closed * (change.price - held.price)


def filled(portfolio: Portfolio, orders: Sequence[OpenOrder]) -> Portfolio:
    """Return the account after some orders filled at their limits.

    Parameters
    ----------
    portfolio : Portfolio
        Account now.
    orders : sequence of OpenOrder
        All of them fill.

    Returns
    -------
    Portfolio
        Closed positions are gone.
    """
    cash, positions = portfolio.cash, list(portfolio.positions)
    for order in orders:
        change = order.position
        if change.kind.is_option:
            cash -= change.quantity * order.limit
        else:
            change = replace(change, price=order.limit)
        at = next((i for i, held in enumerate(positions) if _same(held, change)), None)
        if at is None:
            positions.append(change)
            continue
        positions[at], realised = _merged(positions[at], change)
        cash += realised
        if positions[at].quantity == 0.0:
            del positions[at]
    return replace(portfolio, cash=cash, positions=tuple(positions))


def _chosen(orders: Sequence[OpenOrder], fills: Mapping[str, Fill]) -> list[OpenOrder]:
    """Return the orders that fill."""
    sides = {Fill.NONE: (), Fill.BUYS: (True,), Fill.SELLS: (False,), Fill.ALL: (True, False)}
    found = []
    for order in orders:
        fill = fills.get(order.position.underlying, Fill.NONE)
        if (order.position.quantity > 0.0) in sides[fill]:
            found.append(order)
    return found


def preview_orders(market: Market, portfolio: Portfolio, orders: Sequence[OpenOrder], params: Params) -> OrderPreview:
    """Preview the worst of four cases per underlying: nothing fills, all buys, all sells, everything.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    orders : sequence of OpenOrder
        Those that can still fill.
    params : Params

    Returns
    -------
    OrderPreview
        Another subset of many legs can need more than these corners.

    References
    ----------
    .. [1] contracts/lens/OrderPreview.sol, ``previewOrders``.
    """
    underlyings = list(dict.fromkeys(order.position.underlying for order in orders))
    cases = [(name, fill) for name in underlyings for fill in Fill if fill is not Fill.NONE]
    tried = [filled(portfolio, _chosen(orders, {name: fill})) for name, fill in cases]
    before, *results = evaluate_many(market, [portfolio, *tried], params)
    fills = {name: WorstFill(Fill.NONE, before.equity - before.initial_margin) for name in underlyings}
    for (name, fill), result in zip(cases, results, strict=True):
        excess = result.equity - result.initial_margin
        if excess < fills[name].excess:
            fills[name] = WorstFill(fill, excess)
    together = filled(portfolio, _chosen(orders, {name: worst.fill for name, worst in fills.items()}))
    (worst,) = evaluate_many(market, [together], params)
    return OrderPreview(before, worst, fills)
