"""What is over, looked up on disk: orders and trades that left the memory with a snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import delete, or_, select
from sqlalchemy.engine import Connection, Engine

from plimsoll.storage import insert_many, reading
from plimsoll.venue.book.orders import BookOrder, Trade
from plimsoll.venue.journal.tables import ORDERS, TRADES

#: Names of one question: SQLite takes no more than some thousands of values.
CHUNK: Final = 500


class Archive:
    """Orders and trades that nothing can change, except a fill by somebody else, which recalls its order.

    Parameters
    ----------
    engine : Engine
        Database, upgraded.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def orders(self, hashes: Sequence[str]) -> dict[str, BookOrder]:
        """Return those of some orders that are here.

        Parameters
        ----------
        hashes : sequence of str

        Returns
        -------
        dict[str, BookOrder]

        Raises
        ------
        StorageError
            When the database fails.
        """
        found: dict[str, BookOrder] = {}
        for start in range(0, len(hashes), CHUNK):
            query = select(ORDERS.c.data).where(ORDERS.c.order_hash.in_(hashes[start : start + CHUNK]))
            with reading(self._engine) as connection:
                for text in connection.scalars(query):
                    order = BookOrder.of(json.loads(text))
                    found[order.order_hash] = order
        return found

    def orders_of(self, account_id: int, state: str | None, limit: int) -> list[BookOrder]:
        """Return orders of an account, newest first.

        Parameters
        ----------
        account_id : int
        state : str or None
            Those that ended like this; all when not given.
        limit : int
            Most of them.

        Returns
        -------
        list of BookOrder

        Raises
        ------
        StorageError
            When the database fails.
        """
        query = select(ORDERS.c.data).where(ORDERS.c.account_id == account_id)
        if state is not None:
            query = query.where(ORDERS.c.state == state)
        with reading(self._engine) as connection:
            texts = connection.scalars(query.order_by(ORDERS.c.seq.desc()).limit(limit)).all()
        return [BookOrder.of(json.loads(text)) for text in texts]

    def trades(
        self, limit: int, *, before: int | None = None, instrument: int | None = None, account_id: int | None = None
    ) -> list[Trade]:
        """Return trades, newest first.

        Parameters
        ----------
        limit : int
            Most of them.
        before : int, optional
            Only trades with a lower number.
        instrument : int, optional
            Only of this one.
        account_id : int, optional
            Only where it was maker or taker.

        Returns
        -------
        list of Trade

        Raises
        ------
        StorageError
            When the database fails.
        """
        query = select(TRADES.c.data)
        if before is not None:
            query = query.where(TRADES.c.trade_id < before)
        if instrument is not None:
            query = query.where(TRADES.c.instrument == instrument)
        if account_id is not None:
            query = query.where(or_(TRADES.c.maker_id == account_id, TRADES.c.taker_id == account_id))
        with reading(self._engine) as connection:
            texts = connection.scalars(query.order_by(TRADES.c.trade_id.desc()).limit(limit)).all()
        return [Trade.of(json.loads(text)) for text in texts]


def keep(connection: Connection, orders: Iterable[BookOrder], trades: Iterable[Trade]) -> None:
    """Write what is over, in the transaction of its snapshot; an order that was recalled takes its own place again.

    Parameters
    ----------
    connection : Connection
        Writing.
    orders, trades : iterable
        What left the memory.
    """
    kept = list(orders)
    for start in range(0, len(kept), CHUNK):
        hashes = [order.order_hash for order in kept[start : start + CHUNK]]
        connection.execute(delete(ORDERS).where(ORDERS.c.order_hash.in_(hashes)))
    insert_many(connection, ORDERS, ((o.order_hash, o.account_id, o.seq, o.state, _text(o.values())) for o in kept))
    rows = ((t.trade_id, str(t.instrument), t.maker_id, t.taker_id, _text(t.values())) for t in trades)
    insert_many(connection, TRADES, rows)


def _text(values: Sequence[Any]) -> str:
    return json.dumps(values, separators=(",", ":"))
