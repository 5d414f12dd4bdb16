"""Sizes the books: which trades at which prices, how much cash to bring and how much to take back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from plimsoll.demo.books import (
    BOOKS,
    FLOW_CUSHION,
    FLOW_DESK,
    Book,
    Listing,
    resolve,
    resolve_flow,
)
from plimsoll.mirror.margin_engine import MarginResult, evaluate_many
from plimsoll.model import Market, Mode, Portfolio, Position
from plimsoll.params import Params

# Deposits are rounded up to this many cash units, which keeps the report readable.
CASH_STEP = 100.0
# Room above the requirement of a half-built book: premiums are paid before the next leg offsets them.
PATH_CUSHION = 1.05
PRICE_DECIMALS = 4

# What takers pay, as governance sets it: a share of the value of a linear trade, of the premium of an option.
TAKER_FEE_LINEAR = 0.0003
TAKER_FEE_OPTION = 0.005


@dataclass(frozen=True, slots=True)
class PlannedTrade:
    """One trade of a book against the market maker; ``price`` in cash per unit."""

    position: Position
    price: float


@dataclass(frozen=True, slots=True)
class Isolation:
    """Position and cash that move into a sub-account."""

    position: Position
    cash: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything needed to open one account of the demo."""

    name: str
    mode: Mode
    collateral: Mapping[str, float]
    by_permit: bool
    deposit: float
    withdraw: float
    trades: tuple[PlannedTrade, ...]
    isolation: Isolation | None = None
    by_quote: bool = False


def marks(market: Market, positions: Sequence[Position], params: Params) -> list[float]:
    """Return the price at which each position trades: the mark, or the forward of a linear instrument.

    Parameters
    ----------
    market : Market
        First round.
    positions : Sequence[Position]
        What is traded.
    params : Params
        Risk parameters.

    Returns
    -------
    list[float]
        Cash per unit, rounded to ``PRICE_DECIMALS``.
    """
    units = [Portfolio(Mode.SINGLE, 0.0, {}, (replace(p, quantity=1.0),)) for p in positions]
    values = evaluate_many(market, units, params)
    prices = [
        value.mark_to_market if position.kind.is_option else position.price
        for position, value in zip(positions, values, strict=True)
    ]
    return [round(price, PRICE_DECIMALS) for price in prices]


def _step_up(value: float) -> float:
    return CASH_STEP * -(-value // CASH_STEP)


def _cost(position: Position, price: float) -> float:
    """Return what a trade takes out of the cash of its taker: premium and fee."""
    value = position.quantity * price
    if position.kind.is_option:
        return value + TAKER_FEE_OPTION * abs(value)
    return TAKER_FEE_LINEAR * abs(value)


def _prefixes(book: Book, positions: Sequence[Position], premiums: Sequence[float]) -> list[Portfolio]:
    """Return the account after each trade, without its deposit; a quote fills all of them at once."""
    accounts = []
    for count in (0, len(positions)) if book.by_quote else range(len(positions) + 1):
        accounts.append(Portfolio(book.mode, -sum(premiums[:count]), book.collateral, tuple(positions[:count])))
    return accounts


def plan_book(book: Book, positions: Sequence[Position], market: Market, params: Params) -> Plan:
    """Size one account.

    Parameters
    ----------
    book : Book
        Recipe.
    positions : Sequence[Position]
        Its resolved legs, in order.
    market : Market
        First round.
    params : Params
        Risk parameters.

    Returns
    -------
    Plan
        The deposit carries the book through every half-built state; what the finished book does not
        need is withdrawn.
    """
    prices = marks(market, positions, params)
    traded = [replace(p, price=x) if p.kind.is_linear else p for p, x in zip(positions, prices, strict=True)]
    premiums = [_cost(p, price) for p, price in zip(traded, prices, strict=True)]
    accounts = _prefixes(book, traded, premiums)
    results = evaluate_many(market, accounts, params)
    last = results[-1]
    isolation = _isolation(book, traded, market, params)
    wanted = book.cushion * last.initial_margin - last.equity + (isolation.cash if isolation else 0.0)
    target = _step_up(max(book.min_cash + max(0.0, sum(premiums)), wanted))
    path = max(_path_need(account, result) for account, result in zip(accounts, results, strict=True))
    deposit = max(target, _step_up(path))
    return Plan(
        name=book.name,
        mode=book.mode,
        collateral=book.collateral,
        by_permit=book.by_permit,
        deposit=deposit,
        withdraw=deposit - target,
        trades=tuple(PlannedTrade(p, x) for p, x in zip(traded, prices, strict=True)),
        isolation=isolation,
        by_quote=book.by_quote,
    )


def _path_need(account: Portfolio, result: MarginResult) -> float:
    """Return the deposit that a half-built book needs: its requirement, and cash not below zero."""
    return max(PATH_CUSHION * result.initial_margin - result.equity, -account.cash)


def _isolation(book: Book, positions: Sequence[Position], market: Market, params: Params) -> Isolation | None:
    """Find the position that moves into a sub-account and the cash that goes with it."""
    if book.isolate is None:
        return None
    position = next(p for p in positions if p.kind is book.isolate.kind and p.quantity == book.isolate.quantity)
    alone = evaluate_many(market, [Portfolio(book.mode, 0.0, {}, (position,))], params)[0]
    return Isolation(position, _step_up(book.isolate_cushion * alone.initial_margin))


def plan_all(market: Market, listing: Listing, params: Params) -> list[Plan]:
    """Size every account that trades with the market maker, the flow desk last.

    Parameters
    ----------
    market : Market
        First round of every underlying.
    listing : Listing
        Strikes listed at that round.
    params : Params
        Risk parameters.

    Returns
    -------
    list[Plan]
        In the order in which they are opened.
    """
    resolved = {book.name: [resolve(leg, market.rounds, listing) for leg in book.legs] for book in BOOKS}
    plans = [plan_book(book, resolved[book.name], market, params) for book in BOOKS]
    held = frozenset(p.identity for positions in resolved.values() for p in positions)
    flow = resolve_flow(market.rounds, listing, held)
    desk = Book(FLOW_DESK, Mode.SINGLE, (), FLOW_CUSHION)
    return [*plans, plan_book(desk, flow, market, params)]
