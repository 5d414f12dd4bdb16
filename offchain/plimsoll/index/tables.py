"""Tables of the index: events to the head, and the state they led to at the last final block."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table

from plimsoll.storage import METADATA, Whole

#: Whose events these are, and which edition of the fold has made the state.
META: Final = Table(
    "index_meta", METADATA, Column("key", String, primary_key=True), Column("value", String, nullable=False)
)

#: ``base`` is the last final block, that of the state; ``head`` the one up to which events are stored.
CURSORS: Final = Table(
    "index_cursors",
    METADATA,
    Column("name", String, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", String, nullable=False),
    Column("ts", BigInteger, nullable=False),
)

#: Every block above the base: what a fork is found by.
BLOCKS: Final = Table(
    "index_blocks",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String, nullable=False),
    Column("parent_hash", String, nullable=False),
    Column("ts", BigInteger, nullable=False),
)

#: Logs as the chain has them, from the first block of the deployment.
EVENTS: Final = Table(
    "index_events",
    METADATA,
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("block_ts", BigInteger, nullable=False),
    Column("block_hash", LargeBinary, nullable=False),
    Column("tx_hash", LargeBinary, nullable=False),
    Column("contract", String, nullable=False),
    Column("name", String, nullable=False),
    Column("topics", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

#: One row an account, so that a trade writes one row whatever the account holds; words of 32 bytes in ledger order.
ACCOUNTS: Final = Table(
    "index_accounts",
    METADATA,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner", String, nullable=False),
    Column("mode", Integer, nullable=False),
    Column("cash_wad", Whole, nullable=False),
    Column("index_wad", Whole, nullable=False),
    Column("collateral", String, nullable=False),
    Column("paid_index", String, nullable=False),
    Column("words", LargeBinary, nullable=False),
)

#: Every other entry of the state: section, key and value as JSON.
FACTS: Final = Table(
    "index_facts",
    METADATA,
    Column("section", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

#: Where state and chain differed; what was wrong was read from the chain.
DIFFERENCES: Final = Table(
    "index_differences",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("seen_ts", BigInteger, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("subject", String, nullable=False),
    Column("field", String, nullable=False),
    Column("ours", String, nullable=False),
    Column("theirs", String, nullable=False),
)
