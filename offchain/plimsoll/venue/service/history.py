"""Orders and trades wherever they are: alive in the memory, just retired, or over and on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from plimsoll.venue.book.orders import BookOrder, Trade
from plimsoll.venue.journal.archive import Archive
from plimsoll.venue.journal.desk import Desk


class History:
    """One view of both.

    Parameters
    ----------
    desk : Desk
        What is in the memory.
    archive : Archive
        What is on disk.
    """

    def __init__(self, desk: Desk, archive: Archive) -> None:
        self._desk, self._archive = desk, archive

    def here(self, order_hash: str) -> BookOrder | None:
        """Return an order that is in the memory, or has left it with the last snapshot."""
        return self._desk.state.orders.get(order_hash) or self._desk.retired.orders.get(order_hash)

    async def orders(self, hashes: Iterable[str]) -> dict[str, BookOrder]:
        """Return those of some orders that the venue has ever accepted.

        Parameters
        ----------
        hashes : iterable of str

        Returns
        -------
        dict[str, BookOrder]

        Raises
        ------
        StorageError
            When the database fails.
        """
        wanted = list(dict.fromkeys(hashes))
        found = {order_hash: order for order_hash in wanted if (order := self.here(order_hash)) is not None}
        missing = [order_hash for order_hash in wanted if order_hash not in found]
        return found | (await asyncio.to_thread(self._archive.orders, missing) if missing else {})

    async def order(self, order_hash: str) -> BookOrder | None:
        """Return one order."""
        return (await self.orders([order_hash])).get(order_hash)

    async def orders_of(self, account_id: int, state: str | None, limit: int) -> list[BookOrder]:
        """Return orders of an account, newest first; see :meth:`Archive.orders_of`."""
        kept = await asyncio.to_thread(self._archive.orders_of, account_id, state, limit)
        # What is in the memory is newer than what the disk says of it.
        found = {order.order_hash: order for order in kept}
        for orders in (self._desk.retired.orders, self._desk.state.orders):
            found.update({key: order for key, order in orders.items() if order.account_id == account_id})
        wanted = [order for order in found.values() if state in (None, order.state)]
        return sorted(wanted, key=lambda order: -order.seq)[:limit]

    async def trades(
        self, limit: int, *, before: int | None = None, instrument: int | None = None, account_id: int | None = None
    ) -> list[Trade]:
        """Return trades, newest first; see :meth:`Archive.trades`."""
        here = {**self._desk.retired.trades, **self._desk.state.trades}
        wanted = [
            trade
            for number, trade in here.items()
            if (before is None or number < before)
            and instrument in (None, trade.instrument)
            and account_id in (None, trade.maker_id, trade.taker_id)
        ]
        found = {trade.trade_id: trade for trade in wanted}
        # All of the newest may be here, but whether an older one that is still moving lies below them, nobody knows.
        kept = await asyncio.to_thread(
            lambda: self._archive.trades(limit, before=before, instrument=instrument, account_id=account_id)
        )
        found = {trade.trade_id: trade for trade in kept} | found
        return sorted(found.values(), key=lambda trade: -trade.trade_id)[:limit]
