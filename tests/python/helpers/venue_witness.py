"""Those who use a venue while it is killed: a crowd that trades, and readers of the stream that must notice all."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

from plimsoll.client import Trader
from plimsoll.client.follow import Stream
from plimsoll.client.schema.market import TradeView
from plimsoll.client.schema.orders import OrderView
from plimsoll.errors import PlimsollError

PERP = "ETH-PERP"
PAGE = 1_000


class Crowd(threading.Thread):
    """Places orders that cross, as fast as the venue takes them, and remembers what was accepted.

    Parameters
    ----------
    traders : list of Trader
        Two.
    seed : int
        Prices and quantities are the same for the same seed.
    """

    def __init__(self, traders: list[Trader], seed: int) -> None:
        super().__init__(daemon=True)
        self.traders, self.stop = traders, threading.Event()
        self.accepted: set[str] = set()
        self.refused: list[Any] = []
        self._dice = random.Random(seed)

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            who, side = self.traders[number % 2], 1 if number % 2 else -1
            orders = [self._order(who, side) for _ in range(5)]
            try:
                results = who.place_many(orders)
            except PlimsollError:
                # It may have been accepted without an answer: nobody was promised anything.
                time.sleep(0.05)
                continue
            for result in results:
                if result.problem is None:
                    self.accepted.add(result.orderHash)
                else:
                    self.refused.append(result.problem)

    def _order(self, who: Trader, side: int) -> Any:
        quantity, price = 0.01 * self._dice.randint(1, 5), 1_900 + self._dice.randint(0, 4) - 2 * side
        return who.signed(PERP, side * quantity, price)


class Witness(threading.Thread):
    """Reads a book, all trades and own orders across every restart; whatever it cannot have read, it asks for.

    Parameters
    ----------
    who : Trader
        Whose orders.
    """

    def __init__(self, who: Trader) -> None:
        super().__init__(daemon=True)
        self.who, self.stop = who, threading.Event()
        self.levels: dict[tuple[str, int], int] = {}
        self.orders: dict[str, OrderView] = {}
        self.trades: dict[int, TradeView] = {}
        #: First messages after the first ones, by channel: how often it was told that it may have missed something.
        self.told_anew: dict[str, int] = {}
        self.epochs: set[str] = set()
        self.problems: list[str] = []
        self.heard_sec = time.monotonic()
        self._last: dict[str, int] = {}
        #: Orders of which the newest state may have been missed.
        self.doubtful: set[str] = set()
        self.is_behind = False

    def run(self) -> None:
        names = (f"book:{self.who.venue.instrument(PERP)}", "trades:*")
        with self.who.stream(*names) as stream:
            while not self.stop.is_set():
                self._read(stream)

    def _read(self, stream: Stream) -> None:
        try:
            for message in stream.messages(wait_sec=0.2):
                self.heard_sec = time.monotonic()
                self._check(message)
                self._fold(message)
                if self.stop.is_set():
                    return
        except PlimsollError:
            time.sleep(0.1)

    def _check(self, message: Any) -> None:
        """Check by the numbers alone that nothing is missing, old or unsaid."""
        last, name = self._last.get(message.channel), message.channel
        self.epochs.add(message.epoch)
        is_first = message.prev == 0 and not message.isResumed
        if last is not None:
            if is_first:
                self.told_anew[name] = self.told_anew.get(name, 0) + 1
            elif message.prev > last:
                self.problems.append(f"{name}: {message.prev} was before {message.seq}, it had {last}")
            # What comes after a kill is never older than what was told before: that was on disk.
            if message.seq < last or (message.seq == last and not is_first):
                self.problems.append(f"{name}: {message.seq} after {last}, first {is_first}")
        elif not is_first:
            self.problems.append(f"{name}: began with {message.seq}")
        self._last[name] = message.seq

    def _fold(self, message: Any) -> None:
        kind, data = message.type, message.data
        if kind == "bookSnapshot":
            self.levels = {}
        if kind in ("bookSnapshot", "bookChange"):
            for side in ("bids", "asks"):
                self.levels.update({(side, level.priceWad): level.quantityWad for level in getattr(data, side)})
        if kind == "ordersSnapshot":
            self.doubtful |= self.orders.keys()
        if kind in ("ordersSnapshot", "ordersChange"):
            self.orders.update({order.orderHash: order for order in data.orders})
            self.doubtful -= {order.orderHash for order in data.orders}
        if kind == "trades":
            self.is_behind |= message.prev == 0 and bool(self.trades)
            self.trades.update({trade.tradeId: trade for trade in data.trades})

    def catch_up(self) -> None:
        """Ask for what a first message did not show: orders that it left out, and trades before its own."""
        for order_hash in self.doubtful:
            self.orders[order_hash] = self.who.order(order_hash)
        self.doubtful = set()
        if self.is_behind:
            self.trades = all_trades(self.who)
            self.is_behind = False

    def book(self) -> dict[tuple[str, int], int]:
        """Return the levels that are not empty."""
        return {key: quantity for key, quantity in self.levels.items() if quantity}


def all_trades(who: Trader) -> dict[int, TradeView]:
    """Return every trade of a venue, page by page."""
    found: dict[int, TradeView] = {}
    before: int | None = None
    while True:
        page = who.venue.trades(limit=PAGE, before=before).trades
        found.update({trade.tradeId: trade for trade in page})
        if len(page) < PAGE:
            return found
        before = page[-1].tradeId
