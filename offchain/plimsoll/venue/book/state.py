"""The fold: what a list of events comes to. No rule of matching is here, and nothing here decides anything."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from plimsoll.venue.book import events as ev
from plimsoll.venue.book.orders import (
    ALIVE,
    CANCELLED,
    EXPIRED,
    FAILED,
    FILLED,
    FINAL,
    OPEN,
    PENDING,
    SETTLED,
    WAITING,
    BookOrder,
    Trade,
)
from plimsoll.venue.book.side import Ladder

#: Blocks that are kept to find the fork of a reorganisation.
POINTS: Final = 512
#: How long a request for quote that ended may still be looked at.
REQUEST_KEPT_MS: Final = 3_600_000


@dataclass(slots=True)
class Guard:
    """Protection of one maker; ``fills`` are those of the window: time, quantity of delta and of vega, wad."""

    window_ms: int
    max_fills: int | None
    max_delta_wad: int | None
    max_vega_wad: int | None
    is_tripped: bool = False
    reason: str = ""


@dataclass(slots=True)
class QuoteState:
    """One quote."""

    quote_hash: str
    request_id: int
    message: Mapping[str, Any]
    signature: str
    state: str = "open"
    reason: str = ""
    tx_hash: str | None = None
    block_number: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing can change it any more."""
        return self.state in (FINAL, FAILED, EXPIRED)


@dataclass(slots=True)
class RequestState:
    """One request for quote."""

    request_id: int
    taker_id: int
    caller: str
    legs: list[Any]
    asked_ms: int
    expiry_ms: int
    quotes: list[str] = field(default_factory=list)
    seq: int = 0


@dataclass(slots=True)
class IntentState:
    """One open intent."""

    digest: str
    kind: str
    message: Mapping[str, Any]
    signature: str


@dataclass(frozen=True, slots=True)
class Retired:
    """What left the memory because nothing can change it any more."""

    orders: dict[str, BookOrder]
    trades: dict[int, Trade]


@dataclass(slots=True)
class Changes:
    """What a batch of events touched, for who publishes it."""

    levels: set[tuple[int, bool, int]] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    trades: set[int] = field(default_factory=set)
    quotes: set[str] = field(default_factory=set)
    requests: set[int] = field(default_factory=set)
    guards: set[int] = field(default_factory=set)


class State:
    """Books, orders, trades, quotes and intents after a number of events."""

    def __init__(self) -> None:
        #: Number of the last event.
        self.seq = 0
        self.ladders: dict[int, Ladder] = {}
        self.orders: dict[str, BookOrder] = {}
        self.trades: dict[int, Trade] = {}
        self.guards: dict[int, Guard] = {}
        self.requests: dict[int, RequestState] = {}
        self.quotes: dict[str, QuoteState] = {}
        self.intents: dict[str, IntentState] = {}
        #: Orders that are alive, by account, and by signer and nonce. By underlying: those that wait for a round, and
        #: those that a round has let in and of which the chain has nothing yet, so that they may have to wait again.
        self.alive: defaultdict[int, dict[str, BookOrder]] = defaultdict(dict)
        self.pairs: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        self.waiting: defaultdict[int, dict[str, BookOrder]] = defaultdict(dict)
        self.let_in: defaultdict[int, dict[str, BookOrder]] = defaultdict(dict)
        #: Trades that are not final or failed; those of an order that are pending.
        self.unsettled: dict[int, Trade] = {}
        #: Blocks up to which everything is known, oldest first: number, hash, time. The last is where reading goes on.
        self.points: deque[tuple[int, str, int]] = deque(maxlen=POINTS)
        #: Fills by others that a reorganisation may undo: block, order, quantity.
        self.outsides: list[tuple[int, str, int]] = []
        #: Signed quantity that pending trades will add to an account, by account and instrument.
        self.moving: defaultdict[tuple[int, int], int] = defaultdict(int)
        #: Price of the last trade that left the memory and did not fail, by instrument.
        self.last_prices: dict[int, int] = {}
        self.changes = Changes()
        self._folds: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.Accepted: self._accepted,
            ev.Triggered: self._triggered,
            ev.Lapsed: self._lapsed,
            ev.Matched: self._matched,
            ev.Removed: self._removed,
            ev.Settled: self._settled,
            ev.RolledBack: self._rolled_back,
            ev.Finalised: self._finalised,
            ev.Failed: self._failed,
            ev.Outside: self._outside,
            ev.Recalled: self._recalled,
            ev.Synced: self._synced,
            ev.Protected: self._protected,
            ev.Tripped: self._tripped,
            ev.Requested: self._requested,
            ev.Quoted: self._quoted,
            ev.QuoteMoved: self._quote_moved,
            ev.Intended: self._intended,
            ev.IntentEnded: self._intent_ended,
        }

    def apply(self, event: ev.Event) -> None:
        """Fold one event; it gets the next number."""
        self.seq += 1
        self._folds[type(event)](event)

    def ladder(self, instrument: int) -> Ladder:
        """Return the book of an instrument, an empty one when nothing was ever open."""
        found = self.ladders.get(instrument)
        if found is None:
            found = self.ladders[instrument] = Ladder()
        return found

    def take_changes(self) -> Changes:
        """Return what was touched since the last call."""
        taken, self.changes = self.changes, Changes()
        return taken

    def open_count(self) -> int:
        """Return how many orders are alive."""
        return sum(len(orders) for orders in self.alive.values())

    def retire(self, now_ms: int) -> Retired:
        """Let go of what is over: orders that can neither trade nor be undone, trades that are final or failed.

        Parameters
        ----------
        now_ms : int
            Unix milliseconds; requests for quote that ended :data:`REQUEST_KEPT_MS` ago go, with their quotes.

        Returns
        -------
        Retired
            Orders and trades, for who keeps them elsewhere.
        """
        trades = {number: trade for number, trade in self.trades.items() if trade.is_over}
        needed = {order_hash for trade in self.unsettled.values() for order_hash in (trade.maker, trade.taker)}
        needed.update(order_hash for _, order_hash, _ in self.outsides)
        orders = {
            order.order_hash: order
            for order in self.orders.values()
            if order.state not in ALIVE and not order.pending_wad and order.order_hash not in needed
        }
        self.last_prices.update({one.instrument: one.price_wad for one in trades.values() if one.state != FAILED})
        self.orders = {key: order for key, order in self.orders.items() if key not in orders}
        self.trades = {key: trade for key, trade in self.trades.items() if key not in trades}
        for request in [one for one in self.requests.values() if one.expiry_ms < now_ms - REQUEST_KEPT_MS]:
            if all(self.quotes[quote].is_over for quote in request.quotes):
                del self.requests[request.request_id]
                for quote in request.quotes:
                    del self.quotes[quote]
        self.moving = defaultdict(int, {key: wad for key, wad in self.moving.items() if wad})
        self.ladders = {key: one for key, one in self.ladders.items() if len(one.bids) or len(one.asks)}
        return Retired(orders, trades)

    def revive(self, order: BookOrder) -> None:
        """Put an order that is alive where it belongs; nothing happens to one that is not."""
        if order.state not in ALIVE:
            return
        self.alive[order.account_id][order.order_hash] = order
        self.pairs[order.pair].add(order.order_hash)
        if order.state == WAITING:
            self.waiting[_underlying(order.instrument)][order.order_hash] = order
        else:
            self._show(order)
            self._watch_trigger(order)

    def move(self, trade: Trade, sign: int) -> None:
        """Count a trade among what is on its way to the chain, or no more."""
        for order_hash in (trade.maker, trade.taker):
            order = self.orders[order_hash]
            self.moving[order.account_id, order.instrument] += sign * _signed(order, trade.quantity_wad)

    # Folds, one for each event.

    def _accepted(self, event: ev.Accepted) -> None:
        message = event.message
        order = BookOrder(
            event.order_hash,
            message,
            event.signature,
            event.time_in_force,
            event.client_id,
            self.seq,
            event.ms,
            leaves_wad=message["quantityWad"] - event.filled_wad,
            filled_wad=event.filled_wad,
        )
        order.state = OPEN if order.is_triggered else WAITING
        self.orders[order.order_hash] = order
        self.revive(order)
        self.changes.orders.add(order.order_hash)

    def _triggered(self, event: ev.Triggered) -> None:
        order = self.orders[event.order_hash]
        self.waiting[_underlying(order.instrument)].pop(order.order_hash, None)
        order.state = OPEN
        self._show(order)
        self._watch_trigger(order)
        self.changes.orders.add(order.order_hash)

    def _lapsed(self, event: ev.Lapsed) -> None:
        order = self.orders[event.order_hash]
        order.state = WAITING
        self.ladder(order.instrument).side(order.is_buy).remove(order)
        self.changes.levels.add((order.instrument, order.is_buy, order.price_wad))
        self._watch_trigger(order)
        self.waiting[_underlying(order.instrument)][order.order_hash] = order
        self.changes.orders.add(order.order_hash)

    def _matched(self, event: ev.Matched) -> None:
        maker, taker = self.orders[event.maker], self.orders[event.taker]
        trade = Trade(
            self.seq,
            maker.instrument,
            maker.order_hash,
            taker.order_hash,
            maker.account_id,
            taker.account_id,
            taker.is_buy,
            event.price_wad,
            event.quantity_wad,
            event.ms,
            seq=self.seq,
        )
        self.trades[trade.trade_id] = self.unsettled[trade.trade_id] = trade
        for order in (maker, taker):
            self._hide(order, event.quantity_wad)
            order.pending_wad += event.quantity_wad
        self.move(trade, 1)
        self.changes.trades.add(trade.trade_id)

    def _removed(self, event: ev.Removed) -> None:
        order = self.orders[event.order_hash]
        open_wad = order.leaves_wad
        if order.state == OPEN:
            self._hide(order, open_wad)
        else:
            order.leaves_wad = 0
        order.cancelled_wad += open_wad
        order.state, order.reason = event.state, event.reason
        self._bury(order)

    def _settled(self, event: ev.Settled) -> None:
        trade = self._moved(event.trade_id, SETTLED)
        trade.tx_hash, trade.block_number = event.tx_hash, event.block_number
        trade.maker_fee_wad, trade.taker_fee_wad = event.maker_fee_wad, event.taker_fee_wad
        self.unsettled[trade.trade_id] = trade
        self.move(trade, -1)
        for order in self._both(trade):
            order.pending_wad -= trade.quantity_wad
            order.filled_wad += trade.quantity_wad
            self._watch_trigger(order)
            if order.filled_wad == order.quantity_wad:
                order.state = FILLED
                self._bury(order)

    def _rolled_back(self, event: ev.RolledBack) -> None:
        trade = self._moved(event.trade_id, PENDING)
        trade.tx_hash = trade.block_number = trade.maker_fee_wad = trade.taker_fee_wad = None
        self.unsettled[trade.trade_id] = trade
        self.move(trade, 1)
        for order in self._both(trade):
            order.filled_wad -= trade.quantity_wad
            order.pending_wad += trade.quantity_wad
            if order.state == FILLED:
                order.state = OPEN
                self.alive[order.account_id][order.order_hash] = order
                self.pairs[order.pair].add(order.order_hash)
            self._watch_trigger(order)

    def _finalised(self, event: ev.Finalised) -> None:
        trade = self._moved(event.trade_id, FINAL)
        self.unsettled.pop(trade.trade_id, None)

    def _failed(self, event: ev.Failed) -> None:
        trade = self._moved(event.trade_id, FAILED)
        trade.reason = event.reason
        self.unsettled.pop(trade.trade_id, None)
        self.move(trade, -1)
        for order in self._both(trade):
            order.pending_wad -= trade.quantity_wad
            # What somebody else filled beyond the open rest was taken from what was pending.
            lost_wad = trade.quantity_wad
            if order.state in ALIVE:
                lost_wad = min(lost_wad, max(0, -order.cancelled_wad))
            order.cancelled_wad += lost_wad
            order.leaves_wad += trade.quantity_wad - lost_wad
            if order.state == OPEN:
                self._show(order)

    def _outside(self, event: ev.Outside) -> None:
        order = self.orders[event.order_hash]
        change = event.filled_wad
        entry = (event.block_number, event.order_hash, abs(change))
        if change > 0:
            self.outsides.append(entry)
        elif entry in self.outsides:
            self.outsides.remove(entry)
        order.filled_wad += change
        if change > 0:
            taken = min(change, order.leaves_wad)
            if order.state == OPEN:
                self._hide(order, taken)
            else:
                order.leaves_wad -= taken
            order.cancelled_wad -= change - taken
            if order.filled_wad >= order.quantity_wad and order.state in ALIVE:
                order.state = FILLED
                self._bury(order)
        else:
            # What was filled elsewhere and is no longer counts as cancelled: whoever filled it may do so again.
            order.cancelled_wad -= change
            if order.state == FILLED:
                order.state, order.reason = CANCELLED, "a fill by somebody else was undone"
        self._watch_trigger(order)
        self.changes.orders.add(order.order_hash)

    def _recalled(self, event: ev.Recalled) -> None:
        self.orders[event.order_hash] = BookOrder.of(event.values)

    def _synced(self, event: ev.Synced) -> None:
        while self.points and self.points[-1][0] >= event.block_number:
            self.points.pop()
        self.points.append((event.block_number, event.block_hash, event.block_ts))
        oldest = self.points[0][0]
        self.outsides = [entry for entry in self.outsides if entry[0] >= oldest]

    def _protected(self, event: ev.Protected) -> None:
        bounds = (event.window_ms, event.max_fills, event.max_delta_wad, event.max_vega_wad)
        self.guards[event.account_id] = Guard(*bounds)
        self.changes.guards.add(event.account_id)

    def _tripped(self, event: ev.Tripped) -> None:
        guard = self.guards[event.account_id]
        guard.is_tripped, guard.reason = True, event.reason
        self.changes.guards.add(event.account_id)

    def _requested(self, event: ev.Requested) -> None:
        self.requests[self.seq] = RequestState(
            self.seq, event.taker_id, event.caller, event.legs, event.ms, event.expiry_ms, seq=self.seq
        )
        self.changes.requests.add(self.seq)

    def _quoted(self, event: ev.Quoted) -> None:
        self.quotes[event.quote_hash] = QuoteState(event.quote_hash, event.request_id, event.message, event.signature)
        request = self.requests[event.request_id]
        request.quotes.append(event.quote_hash)
        request.seq = self.seq
        self.changes.quotes.add(event.quote_hash)

    def _quote_moved(self, event: ev.QuoteMoved) -> None:
        quote = self.quotes[event.quote_hash]
        quote.state, quote.reason = event.state, event.reason
        quote.tx_hash, quote.block_number = event.tx_hash, event.block_number
        self.requests[quote.request_id].seq = self.seq
        self.changes.quotes.add(event.quote_hash)
        self.changes.requests.add(quote.request_id)

    def _intended(self, event: ev.Intended) -> None:
        self.intents[event.digest] = IntentState(event.digest, event.kind, event.message, event.signature)

    def _intent_ended(self, event: ev.IntentEnded) -> None:
        self.intents.pop(event.digest, None)

    # What the folds share.

    def _both(self, trade: Trade) -> tuple[BookOrder, BookOrder]:
        self.changes.orders.update((trade.maker, trade.taker))
        return self.orders[trade.maker], self.orders[trade.taker]

    def _moved(self, trade_id: int, state: str) -> Trade:
        trade = self.trades[trade_id]
        trade.state, trade.seq = state, self.seq
        self.changes.trades.add(trade_id)
        return trade

    def _show(self, order: BookOrder) -> None:
        """Put what is open of an order into the book."""
        if order.leaves_wad > 0:
            self.ladder(order.instrument).side(order.is_buy).add(order)
            self.changes.levels.add((order.instrument, order.is_buy, order.price_wad))

    def _hide(self, order: BookOrder, quantity_wad: int) -> None:
        """Take some of an order out of the book."""
        order.leaves_wad -= quantity_wad
        if order.leaves_wad == 0:
            self.ladder(order.instrument).side(order.is_buy).remove(order)
        self.changes.levels.add((order.instrument, order.is_buy, order.price_wad))
        self.changes.orders.add(order.order_hash)

    def _watch_trigger(self, order: BookOrder) -> None:
        """Keep an order among those that may have to wait again, or no more."""
        let_in = self.let_in[_underlying(order.instrument)]
        if order.state == OPEN and not order.is_triggered:
            let_in[order.order_hash] = order
        else:
            let_in.pop(order.order_hash, None)

    def _bury(self, order: BookOrder) -> None:
        """Forget an order among those that are alive."""
        for watched in (self.waiting, self.let_in):
            watched[_underlying(order.instrument)].pop(order.order_hash, None)
        mine = self.alive[order.account_id]
        mine.pop(order.order_hash, None)
        if not mine:
            del self.alive[order.account_id]
        pair = self.pairs[order.pair]
        pair.discard(order.order_hash)
        if not pair:
            del self.pairs[order.pair]
        self.changes.orders.add(order.order_hash)


def _underlying(instrument: int) -> int:
    """Return the underlying of an instrument word: its highest byte."""
    return instrument >> 248


def _signed(order: BookOrder, quantity_wad: int) -> int:
    return quantity_wad if order.is_buy else -quantity_wad
