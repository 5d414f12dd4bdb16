"""From what a command touched to the messages about it, made at that moment and sent when the disk has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from plimsoll.client.schema.market import Level
from plimsoll.client.schema.stream import BookChange, OrdersChange, OrdersSnapshot, Quotes, Requests, Trades
from plimsoll.venue.book.state import Changes, State
from plimsoll.venue.service.views import book_of, fills_of, level_of, order_of, protection_of, trade_of
from plimsoll.venue.stream.hub import Hub

#: Channel of every trade.
ALL_TRADES = "trades:*"
#: Levels of a first message.
DEPTH = 1_000


class Publisher:
    """Makes messages of the book.

    Parameters
    ----------
    hub : Hub
        Channels.
    state : Callable[[], State]
        The state of the desk, which is another object after it was read anew.
    """

    def __init__(self, hub: Hub, state: Callable[[], State]) -> None:
        self._hub, self._state = hub, state
        self.quotes: Callable[[State, Iterable[str]], Iterable[tuple[int, str]]] = lambda _state, _hashes: ()
        self.requests: Callable[[State, Iterable[int]], Requests] = lambda _state, _ids: Requests(requests=[])

    def prepare(self, changes: Changes) -> Callable[[], None]:
        """Make the messages about a command; the answer sends them."""
        state, hub = self._state(), self._hub
        seq = state.seq
        made = [
            *self._books(state, changes),
            *self._trades(state, changes),
            *self._orders(state, changes),
            *self._quotes(state, changes),
        ]

        def send() -> None:
            for name, kind, data in made:
                hub.publish(name, seq, kind, data)

        return send

    def _books(self, state: State, changes: Changes) -> Iterable[tuple[str, str, str]]:
        """Yield changed levels by instrument."""
        groups: defaultdict[int, list[tuple[bool, int]]] = defaultdict(list)
        for instrument, is_buy, price_wad in changes.levels:
            groups[instrument].append((is_buy, price_wad))
        for instrument, levels in groups.items():
            name = f"book:{instrument}"
            if not self._hub.wants(name):
                continue
            sides: dict[bool, list[Level]] = {True: [], False: []}
            for is_buy, price_wad in levels:
                sides[is_buy].append(level_of(price_wad, *state.ladder(instrument).side(is_buy).level(price_wad)))
            change = BookChange(instrument=instrument, bids=sides[True], asks=sides[False])
            yield name, "bookChange", change.model_dump_json()

    def _trades(self, state: State, changes: Changes) -> Iterable[tuple[str, str, str]]:
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for trade_id in sorted(changes.trades):
            groups[ALL_TRADES].append(trade_id)
            groups[f"trades:{state.trades[trade_id].instrument}"].append(trade_id)
        for name, ids in groups.items():
            if self._hub.wants(name):
                found = Trades(trades=[trade_of(state.trades[trade_id]) for trade_id in ids])
                yield name, "trades", found.model_dump_json()

    def _orders(self, state: State, changes: Changes) -> Iterable[tuple[str, str, str]]:
        """Yield own orders and fills by account."""
        orders: defaultdict[int, list[str]] = defaultdict(list)
        for order_hash in changes.orders:
            orders[state.orders[order_hash].account_id].append(order_hash)
        trades: defaultdict[int, set[int]] = defaultdict(set)
        for trade_id in changes.trades:
            trade = state.trades[trade_id]
            for account_id in (trade.maker_id, trade.taker_id):
                trades[account_id].add(trade_id)
        for account_id in {*orders, *trades, *changes.guards}:
            name = f"orders:{account_id}"
            if not self._hub.wants(name):
                continue
            mine = sorted(orders[account_id], key=lambda order_hash: state.orders[order_hash].seq)
            fills = [fill for one in sorted(trades[account_id]) for fill in fills_of(state.trades[one], account_id)]
            guard = state.guards.get(account_id) if account_id in changes.guards else None
            change = OrdersChange(
                orders=[order_of(state.orders[order_hash]) for order_hash in mine],
                fills=fills,
                protection=None if guard is None else protection_of(account_id, guard),
            )
            yield name, "ordersChange", change.model_dump_json()

    def _quotes(self, state: State, changes: Changes) -> Iterable[tuple[str, str, str]]:
        if changes.quotes:
            for account_id, data in self.quotes(state, changes.quotes):
                yield f"quotes:{account_id}", "quotes", data
        if changes.requests and self._hub.wants("requests"):
            yield "requests", "requests", self.requests(state, changes.requests).model_dump_json()

    # First messages.

    def book(self, instrument: int) -> tuple[int, str, str]:
        """Return number, type and body of a whole book."""
        state = self._state()
        return state.seq, "bookSnapshot", book_of(state, instrument, DEPTH, state.seq).model_dump_json()

    def orders(self, account_id: int) -> tuple[int, str, str]:
        """Return own open orders and fills that are not final."""
        state = self._state()
        guard = state.guards.get(account_id)
        open_orders = sorted(state.alive.get(account_id, {}).values(), key=lambda order: order.seq)
        found = OrdersSnapshot(
            accountId=account_id,
            orders=[order_of(order) for order in open_orders],
            fills=[fill for trade in state.unsettled.values() for fill in fills_of(trade, account_id)],
            protection=None if guard is None else protection_of(account_id, guard),
        )
        return state.seq, "ordersSnapshot", found.model_dump_json()

    def asked(self) -> tuple[int, str, str]:
        """Return open requests."""
        state = self._state()
        return state.seq, "requests", self.requests(state, list(state.requests)).model_dump_json()

    def quoted(self, account_id: int) -> tuple[int, str, str]:
        """Return the quotes of an account."""
        state = self._state()
        data = dict(self.quotes(state, list(state.quotes))).get(account_id)
        return state.seq, "quotes", data or Quotes(quotes=[]).model_dump_json()
