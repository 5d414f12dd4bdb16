"""What the venue decides: who meets whom, who leaves the book and why. Every decision is a list of events."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any, Protocol

from plimsoll.constants import WAD
from plimsoll.venue.book import events as ev
from plimsoll.venue.book.orders import (
    ALIVE,
    BARRED,
    CANCELLED,
    EXPIRED,
    FILL_OR_KILL,
    OPEN,
    POST_ONLY,
    WAITING,
    BookOrder,
    Trade,
)
from plimsoll.venue.book.state import Guard, Retired, State

#: Bits of an instrument word that hold the expiry.
_EXPIRY_SHIFT, _EXPIRY_MASK = 200, (1 << 40) - 1


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order whose signature and terms were checked."""

    order_hash: str
    message: dict[str, Any]
    signature: str
    time_in_force: str = "gtc"
    client_id: str = ""
    #: What the chain has filled of it already.
    filled_wad: int = 0


class Holdings(Protocol):
    """What the book must know of the world, as of the last block."""

    def held_wad(self, account_id: int, instrument: int) -> int:
        """Return the signed quantity that an account holds, wad."""
        ...

    def delta_vega_wad(self, instrument: int) -> tuple[int, int]:
        """Return delta and vega of one unit by the last round, wad; zeros when there is none."""
        ...


class Engine:
    """Decides, and folds its own decisions.

    Parameters
    ----------
    state : State
        Folded as it goes.
    holdings : Holdings
        Positions for reduce-only orders, greeks for the protection of makers.
    quantity_step_wad : int
        Every order is a multiple of it, and so is every fill: the chain refuses dust.
    """

    def __init__(self, state: State, holdings: Holdings, quantity_step_wad: int) -> None:
        self.state = state
        self._holdings = holdings
        self._step_wad = quantity_step_wad
        self._out: list[ev.Event] = []
        self._fills: defaultdict[int, deque[tuple[int, int, int]]] = defaultdict(deque)
        self._expiries: list[tuple[int, str]] = []
        self._watch_alive()

    def take_events(self) -> list[ev.Event]:
        """Return what was decided since the last call; the caller writes it down before anybody hears of it."""
        taken, self._out = self._out, []
        return taken

    def retire(self, now_ms: int) -> Retired:
        """Let go of what is over; see :meth:`State.retire`."""
        retired = self.state.retire(now_ms)
        self._watch_alive()
        return retired

    # Commands.

    def refusal(self, new: NewOrder, instead_of: str | None = None) -> str | None:
        """Return why the book as it is would not take an order: ``wouldCross`` or ``notFilled``; none when it does.

        An order that it would take the place of counts as gone.
        """
        message = new.message
        if message["triggerWad"] and not new.filled_wad:
            return None
        if message["kind"] == POST_ONLY and self._crosses(message, instead_of):
            return "wouldCross"
        if message["kind"] == FILL_OR_KILL and self._whole_maker(message, message["quantityWad"]) is None:
            return "notFilled"
        return None

    def place(self, new: NewOrder, now_ms: int) -> int:
        """Take an order in and match it.

        Parameters
        ----------
        new : NewOrder
            :meth:`refusal` has none.
        now_ms : int
            Unix milliseconds.

        Returns
        -------
        int
            Number of the event that accepted it.
        """
        self._emit(
            ev.Accepted(
                new.order_hash,
                new.message,
                new.signature,
                new.time_in_force,
                new.client_id,
                new.filled_wad,
                now_ms,
            )
        )
        seq, order = self.state.seq, self.state.orders[new.order_hash]
        self._watch(order)
        if order.state == OPEN:
            self._enter(order, now_ms)
        return seq

    def cancel(self, order_hash: str, reason: str, state: str = CANCELLED) -> int:
        """Take what is open of an order out; return the quantity, wad."""
        order = self.state.orders.get(order_hash)
        if order is None or order.state not in ALIVE:
            return 0
        open_wad = order.leaves_wad
        self._emit(ev.Removed(order_hash, state, reason))
        return open_wad

    def cancel_where(self, orders: Iterable[BookOrder], reason: str) -> list[tuple[str, int]]:
        """Take many out; return hash and quantity of each."""
        return [(order.order_hash, self.cancel(order.order_hash, reason)) for order in list(orders)]

    def expire(self, now_ts: int) -> None:
        """Take out what could no longer be settled at this time, unix seconds."""
        while self._expiries and self._expiries[0][0] <= now_ts:
            _, order_hash = heappop(self._expiries)
            order = self.state.orders.get(order_hash)
            if order is not None:
                self.cancel(order_hash, "expired", EXPIRED)

    def see_round(self, underlying_id: int, spot_wad: int, round_ts: int, now_ms: int) -> None:
        """Let orders in whose trigger a round meets, oldest first; out go those that it no longer meets.

        The chain fills an order with a trigger while its latest round meets it, and for good once something of it has
        filled. What is on its way to the chain stays: the chain will say.

        Parameters
        ----------
        underlying_id : int
            Of the round.
        spot_wad, round_ts : int
            Spot and time of the round.
        now_ms : int
            Unix milliseconds.
        """
        for order in list(self.state.let_in.get(underlying_id, {}).values()):
            if not order.pending_wad and not order.is_met_by(spot_wad, round_ts):
                self._emit(ev.Lapsed(order.order_hash))
        waiting = self.state.waiting.get(underlying_id, {})
        for order in sorted(waiting.values(), key=lambda order: order.seq):
            if order.state == WAITING and (order.is_triggered or order.is_met_by(spot_wad, round_ts)):
                self._emit(ev.Triggered(order.order_hash, spot_wad))
                self._enter(order, now_ms)

    def settled(self, event: ev.Settled) -> None:
        """Note that a block has a trade."""
        self._emit(event)

    def rolled_back(self, trade_id: int) -> None:
        """Note that the block of a trade is gone."""
        self._emit(ev.RolledBack(trade_id))

    def finalised(self, trade_id: int) -> None:
        """Note that a trade can no longer be undone."""
        self._emit(ev.Finalised(trade_id))

    def not_triggered(self, trade_id: int, reason: str, now_ms: int) -> None:
        """Undo a match that the chain refuses because its round is no longer the one that let an order in."""
        trade = self.state.trades[trade_id]
        orders = [self.state.orders[order_hash] for order_hash in (trade.maker, trade.taker)]
        self._fail(trade, reason, [order for order in orders if not order.is_triggered], now_ms)

    def failed(self, trade_id: int, reason: str, at_fault: Sequence[str], now_ms: int) -> None:
        """Undo a match that the chain refuses: whoever is at fault is barred, the other goes on.

        Parameters
        ----------
        trade_id : int
            Trade.
        reason : str
            Why, for both owners.
        at_fault : sequence of str
            Orders that are barred.
        now_ms : int
            Unix milliseconds.
        """
        trade = self.state.trades[trade_id]
        for order_hash in at_fault:
            self.cancel(order_hash, reason, BARRED)
        self._fail(trade, reason, (), now_ms)

    def outside(self, order_hash: str, filled_wad: int, block_number: int) -> None:
        """Note a fill that the venue did not make, or, with a negative quantity, its end by a reorganisation."""
        self._emit(ev.Outside(order_hash, filled_wad, block_number))

    def note(self, event: ev.Event) -> int:
        """Write down what needs no decision; return its number."""
        self._emit(event)
        return self.state.seq

    # Inside.

    def _fail(self, trade: Trade, reason: str, waits: Iterable[BookOrder], now_ms: int) -> None:
        """Undo a match: who has to wait again waits, who cannot rest goes, who is left is in the book again."""
        self._emit(ev.Failed(trade.trade_id, reason))
        for order in waits:
            if order.state == OPEN:
                self._emit(ev.Lapsed(order.order_hash))
        for order_hash in (trade.maker, trade.taker):
            order = self.state.orders[order_hash]
            if order.state != OPEN or order.leaves_wad <= 0:
                continue
            if order.kind == FILL_OR_KILL or order.time_in_force == "ioc":
                self.cancel(order_hash, f"its match failed: {reason}")
            else:
                self._return(order, now_ms)

    def _emit(self, event: ev.Event) -> None:
        self.state.apply(event)
        self._out.append(event)

    def _watch(self, order: BookOrder) -> None:
        """Remember when an order can no longer be settled."""
        heappush(self._expiries, (_end_ts(order), order.order_hash))

    def _watch_alive(self) -> None:
        """Remember the ends of all orders that are alive, and of no other."""
        alive = (order for orders in self.state.alive.values() for order in orders.values())
        self._expiries = [(_end_ts(order), order.order_hash) for order in alive]
        heapify(self._expiries)

    def _enter(self, order: BookOrder, now_ms: int) -> None:
        """Match an order that has just come to the book."""
        if order.kind == POST_ONLY:
            if self._crosses(order.message, None):
                self.cancel(order.order_hash, "post only: it would trade at once")
            return
        if order.kind == FILL_OR_KILL:
            maker = self._whole_maker(order.message, order.leaves_wad)
            if maker is None:
                self.cancel(order.order_hash, "fill or kill: no single order fills it whole")
            else:
                self._match(maker, order, order.leaves_wad, now_ms)
            return
        self._take(order, now_ms)
        if order.time_in_force == "ioc" and order.is_resting:
            self.cancel(order.order_hash, "immediate or cancel: the rest")

    def _take(self, taker: BookOrder, now_ms: int) -> None:
        """Match an order against the other side, best price first, oldest first."""
        others = self.state.ladder(taker.instrument).side(not taker.is_buy)
        while taker.is_resting:
            maker = next(iter(others), None)
            if maker is None or not taker.crosses(maker.price_wad):
                return
            if maker.account_id == taker.account_id:
                self.cancel(taker.order_hash, "it would trade with an order of its own account")
                return
            if not self._fit(maker, taker, now_ms):
                return

    def _fit(self, maker: BookOrder, taker: BookOrder, now_ms: int) -> bool:
        """Match as much as both may; take out who has nothing left to reduce. Return whether the taker goes on."""
        for order in (maker, taker):
            if self._most(order) == 0:
                self.cancel(order.order_hash, "reduce only: nothing is left to reduce")
                return order is maker
        self._match(maker, taker, min(self._most(maker), self._most(taker)), now_ms)
        return True

    def _match(self, maker: BookOrder, taker: BookOrder, quantity_wad: int, now_ms: int) -> None:
        """Let two orders meet at the maker's price."""
        self._emit(ev.Matched(maker.order_hash, taker.order_hash, maker.price_wad, quantity_wad, now_ms))
        for order in (maker, taker):
            for other in self.state.pairs.get(order.pair, set()) - {order.order_hash}:
                self.cancel(other, "the other order of its nonce traded")
        self._guard(maker, quantity_wad, now_ms)

    def _return(self, order: BookOrder, now_ms: int) -> None:
        """Put an order back that the chain did not fill; what came meanwhile may cross it."""
        if order.kind != POST_ONLY:
            self._take(order, now_ms)
            return
        others = self.state.ladder(order.instrument).side(not order.is_buy)
        while order.is_resting:
            other = next(iter(others), None)
            if other is None or not order.crosses(other.price_wad):
                return
            if other.kind == POST_ONLY or other.account_id == order.account_id:
                self.cancel(order.order_hash, "post only: it would trade at once after its match failed")
                return
            # It was there before; the other one takes, at the price of the older.
            if not self._fit(order, other, now_ms):
                continue

    def _crosses(self, message: dict[str, Any] | Any, but: str | None) -> bool:
        others = self.state.ladder(message["instrument"]).side(not message["isBuy"])
        best = next((order for order in others if order.order_hash != but), None)
        if best is None:
            return False
        price_wad = int(message["priceWad"])
        return best.price_wad <= price_wad if message["isBuy"] else best.price_wad >= price_wad

    def _whole_maker(self, message: dict[str, Any] | Any, quantity_wad: int) -> BookOrder | None:
        """Return the first order by price and time that fills a quantity alone: the chain fills such an order once."""
        price_wad, is_buy = message["priceWad"], message["isBuy"]
        if message["reduceOnly"] and self._closable(message["accountId"], message["instrument"], is_buy) < quantity_wad:
            return None
        for maker in self.state.ladder(message["instrument"]).side(not is_buy):
            if maker.price_wad > price_wad if is_buy else maker.price_wad < price_wad:
                return None
            if maker.account_id != message["accountId"] and self._most(maker) >= quantity_wad:
                return maker
        return None

    def _most(self, order: BookOrder) -> int:
        """Return how much of an order may trade now, wad."""
        if not order.reduce_only:
            return order.leaves_wad
        closable_wad = self._closable(order.account_id, order.instrument, order.is_buy)
        return min(order.leaves_wad, closable_wad // self._step_wad * self._step_wad)

    def _closable(self, account_id: int, instrument: int, is_buy: bool) -> int:
        """Return what an order of this side closes at most: what is held, with what is on its way to the chain."""
        held_wad = self._holdings.held_wad(account_id, instrument)
        held_wad += self.state.moving.get((account_id, instrument), 0)
        return max(0, -held_wad if is_buy else held_wad)

    def _guard(self, maker: BookOrder, quantity_wad: int, now_ms: int) -> None:
        """Pull a maker's quotes when its fills pass a bound of its own."""
        guard = self.state.guards.get(maker.account_id)
        if guard is None or guard.is_tripped:
            return
        delta_wad, vega_wad = self._holdings.delta_vega_wad(maker.instrument)
        sign = 1 if maker.is_buy else -1
        fills = self._fills[maker.account_id]
        fills.append((now_ms, sign * quantity_wad * delta_wad // WAD, sign * quantity_wad * vega_wad // WAD))
        # Those of a future that was: the clock went back, and the window begins anew.
        while fills and not now_ms - guard.window_ms <= fills[0][0] <= now_ms:
            fills.popleft()
        reason = _broken(guard, fills)
        if reason:
            fills.clear()
            self._emit(ev.Tripped(maker.account_id, reason))
            self.cancel_where(self.state.alive.get(maker.account_id, {}).values(), f"protection: {reason}")


def _end_ts(order: BookOrder) -> int:
    """Return when an order ends: at its own time, or at that of its instrument."""
    series_ts = (order.instrument >> _EXPIRY_SHIFT) & _EXPIRY_MASK
    return min(order.expiry_ts, series_ts) if series_ts else order.expiry_ts


def _broken(guard: Guard, fills: Sequence[tuple[int, int, int]] | deque[tuple[int, int, int]]) -> str:
    """Return which bound the fills of the window pass, or nothing."""
    if guard.max_fills is not None and len(fills) > guard.max_fills:
        return f"{len(fills)} fills within {guard.window_ms} ms, limit {guard.max_fills}"
    delta_wad, vega_wad = abs(sum(fill[1] for fill in fills)), abs(sum(fill[2] for fill in fills))
    if guard.max_delta_wad is not None and delta_wad > guard.max_delta_wad:
        return f"delta {delta_wad} within {guard.window_ms} ms, limit {guard.max_delta_wad}"
    if guard.max_vega_wad is not None and vega_wad > guard.max_vega_wad:
        return f"vega {vega_wad} within {guard.window_ms} ms, limit {guard.max_vega_wad}"
    return ""
