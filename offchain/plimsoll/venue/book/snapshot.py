"""The state as rows, in the form of the log: what a start reads instead of the events that led to it.

Rows hold what can still change. Everything that follows from them (books, pairs, what is on its way to the chain) is
made again, so that it cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from plimsoll.venue.book.orders import PENDING, BookOrder, Trade
from plimsoll.venue.book.state import Guard, IntentState, QuoteState, RequestState, State

#: One row: its kind and the values that it is made of.
Row = tuple[str, Sequence[Any]]

_GUARD: Final = ("window_ms", "max_fills", "max_delta_wad", "max_vega_wad", "is_tripped", "reason")
_REQUEST: Final = ("request_id", "taker_id", "caller", "legs", "asked_ms", "expiry_ms")
_QUOTE: Final = ("quote_hash", "request_id", "message", "signature", "state", "reason", "tx_hash", "block_number")
_INTENT: Final = ("digest", "kind", "message", "signature")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What takes the place of the log up to an event.

    Parameters
    ----------
    seq : int
        Number of the event.
    rows : sequence of Row
        The state after it, without what is over.
    orders, trades : sequence
        What is over since the snapshot before: it goes where it can be looked up.
    """

    seq: int
    rows: Sequence[Row]
    orders: Sequence[BookOrder]
    trades: Sequence[Trade]


def rows_of(state: State) -> list[Row]:
    """Return a state as rows; they share with it only what never changes.

    Parameters
    ----------
    state : State
        Not changed.

    Returns
    -------
    list of Row
    """
    rows: list[Row] = [("order", order.values()) for order in state.orders.values()]
    rows += [("trade", trade.values()) for trade in state.trades.values()]
    rows += [("guard", (key, *_picked(guard, _GUARD))) for key, guard in state.guards.items()]
    # The quotes of a request are a list that grows.
    rows += [("request", (*_picked(one, _REQUEST), list(one.quotes), one.seq)) for one in state.requests.values()]
    rows += [("quote", _picked(quote, _QUOTE)) for quote in state.quotes.values()]
    rows += [("intent", _picked(intent, _INTENT)) for intent in state.intents.values()]
    rows += [("point", point) for point in state.points]
    rows += [("outside", entry) for entry in state.outsides]
    rows += [("price", entry) for entry in state.last_prices.items()]
    return rows


def state_of(seq: int, rows: Iterable[tuple[str, str]]) -> State:
    """Return the state that rows show.

    Parameters
    ----------
    seq : int
        Number of the event that it is after.
    rows : iterable of tuple[str, str]
        Kind and values as JSON.

    Returns
    -------
    State
    """
    state = State()
    state.seq = seq
    for kind, text in rows:
        _READERS[kind](state, json.loads(text))
    for order in state.orders.values():
        state.revive(order)
    for trade in state.trades.values():
        if trade.is_over:
            continue
        state.unsettled[trade.trade_id] = trade
        if trade.state == PENDING:
            state.move(trade, 1)
    return state


def _picked(thing: Any, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(thing, name) for name in names)


def _read_order(state: State, values: Sequence[Any]) -> None:
    order = BookOrder.of(values)
    state.orders[order.order_hash] = order


def _read_trade(state: State, values: Sequence[Any]) -> None:
    trade = Trade.of(values)
    state.trades[trade.trade_id] = trade


def _read_guard(state: State, values: Sequence[Any]) -> None:
    account_id, *bounds = values
    state.guards[account_id] = Guard(*bounds)


def _read_request(state: State, values: Sequence[Any]) -> None:
    state.requests[values[0]] = RequestState(*values)


def _read_quote(state: State, values: Sequence[Any]) -> None:
    state.quotes[values[0]] = QuoteState(*values)


def _read_intent(state: State, values: Sequence[Any]) -> None:
    state.intents[values[0]] = IntentState(*values)


def _read_point(state: State, values: Sequence[Any]) -> None:
    number, block_hash, ts = values
    state.points.append((number, block_hash, ts))


def _read_outside(state: State, values: Sequence[Any]) -> None:
    number, order_hash, quantity_wad = values
    state.outsides.append((number, order_hash, quantity_wad))


def _read_price(state: State, values: Sequence[Any]) -> None:
    instrument, price_wad = values
    state.last_prices[instrument] = price_wad


_READERS: Final = {
    "order": _read_order,
    "trade": _read_trade,
    "guard": _read_guard,
    "request": _read_request,
    "quote": _read_quote,
    "intent": _read_intent,
    "point": _read_point,
    "outside": _read_outside,
    "price": _read_price,
}
