"""What the venue keeps in the common database: migrations ``0005_venue`` and ``0006_venue_snapshot``."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, String, Table

from plimsoll.storage import METADATA, Whole

EVENTS: Final = Table(
    "venue_event",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("data", String, nullable=False),
)
ABOUT: Final = Table(
    "venue_about",
    METADATA,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)
#: The state after an event of the log, in rows of the log's own form; the number of the event is in ``venue_about``.
SNAPSHOT: Final = Table(
    "venue_snapshot",
    METADATA,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("data", String, nullable=False),
)
#: Orders that can neither trade nor be undone any more.
ORDERS: Final = Table(
    "venue_order",
    METADATA,
    Column("order_hash", String, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("data", String, nullable=False),
    Index("ix_venue_order_account_id", "account_id", "seq"),
)
#: Trades that are final or failed.
TRADES: Final = Table(
    "venue_trade",
    METADATA,
    Column("trade_id", BigInteger, primary_key=True, autoincrement=False),
    Column("instrument", Whole, nullable=False),
    Column("maker_id", BigInteger, nullable=False),
    Column("taker_id", BigInteger, nullable=False),
    Column("data", String, nullable=False),
    Index("ix_venue_trade_instrument", "instrument", "trade_id"),
    Index("ix_venue_trade_maker_id", "maker_id", "trade_id"),
    Index("ix_venue_trade_taker_id", "taker_id", "trade_id"),
)
#: What final blocks say of digests, nonces and pauses, up to the block that ``venue_about`` names.
LEDGER: Final = Table(
    "venue_ledger",
    METADATA,
    Column("section", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)
