"""One side of a book: orders by price, then by time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from plimsoll.venue.book.orders import BookOrder


@dataclass(slots=True)
class Queue:
    """Orders of one price in the order of time; ``seqs`` is sorted, so that one that comes back gets its old place."""

    seqs: list[int] = field(default_factory=list)
    orders: dict[int, BookOrder] = field(default_factory=dict)

    @property
    def quantity_wad(self) -> int:
        """All that is open at this price."""
        return sum(order.leaves_wad for order in self.orders.values())


class Side:
    """Buyers or sellers of one instrument.

    Parameters
    ----------
    is_buy : bool
        Best is the highest price for buyers, the lowest for sellers.
    """

    __slots__ = ("_keys", "_queues", "is_buy")

    def __init__(self, is_buy: bool) -> None:
        self.is_buy = is_buy
        #: Prices, the best first: negative for buyers.
        self._keys: list[int] = []
        self._queues: dict[int, Queue] = {}

    def __len__(self) -> int:
        return sum(len(queue.seqs) for queue in self._queues.values())

    def __iter__(self) -> Iterator[BookOrder]:
        """Yield orders, who trades first comes first."""
        for key in self._keys:
            queue = self._queues[key]
            for seq in queue.seqs:
                yield queue.orders[seq]

    def _key(self, price_wad: int) -> int:
        return -price_wad if self.is_buy else price_wad

    def add(self, order: BookOrder) -> None:
        """Put an order in, at the place that its price and time give it."""
        key = self._key(order.price_wad)
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = Queue()
            insort(self._keys, key)
        if order.seq not in queue.orders:
            insort(queue.seqs, order.seq)
            queue.orders[order.seq] = order

    def remove(self, order: BookOrder) -> None:
        """Take an order out; nothing happens when it is not in."""
        key = self._key(order.price_wad)
        queue = self._queues.get(key)
        if queue is None or queue.orders.pop(order.seq, None) is None:
            return
        del queue.seqs[bisect_left(queue.seqs, order.seq)]
        if not queue.seqs:
            del self._queues[key]
            del self._keys[bisect_left(self._keys, key)]

    def level(self, price_wad: int) -> tuple[int, int]:
        """Return quantity and number of orders at a price."""
        queue = self._queues.get(self._key(price_wad))
        return (0, 0) if queue is None else (queue.quantity_wad, len(queue.seqs))

    def levels(self, depth: int) -> list[tuple[int, int, int]]:
        """Return price, quantity and number of orders of the best prices."""
        found = []
        for key in self._keys[:depth]:
            queue = self._queues[key]
            found.append((abs(key), queue.quantity_wad, len(queue.seqs)))
        return found


class Ladder:
    """Both sides of one instrument."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids, self.asks = Side(True), Side(False)

    def side(self, is_buy: bool) -> Side:
        """Return the side of buyers or of sellers."""
        return self.bids if is_buy else self.asks
