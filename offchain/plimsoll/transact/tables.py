"""Tables of the transactor in the common database."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, text

from plimsoll.storage import METADATA, Whole

JOURNAL: Final = Table(
    "transact_journal",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("signer", String, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("key", String, nullable=False),
    Column("account", String, nullable=False),
    Column("replaces", String, nullable=False),
    Column("target", String, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("already_done", String, nullable=False),
    Column("is_private", Boolean, nullable=False),
    Column("is_repeatable", Boolean, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("max_fee_wei", Whole, nullable=False),
    Column("tip_wei", Whole, nullable=False),
    Column("is_legacy", Boolean, nullable=False),
    Column("hashes", String, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
    Column("answer", String, nullable=False),
    Column("replacements", Integer, nullable=False),
    Column("planned_ts", BigInteger, nullable=False),
    Column("sent_ts", BigInteger, nullable=False),
    Column("closed_ts", BigInteger, nullable=False),
    Column("planned_block", BigInteger, nullable=False),
    Column("sent_block", BigInteger, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", String, nullable=False),
    Column("mined_hash", String, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Column("cost_wei", Whole, nullable=False),
    Column("spent_day", Integer, nullable=False),
    Column("reason", String, nullable=False),
)
_HOLDING: Final = text("state IN ('planned', 'sent', 'included')")
#: What makes a nonce, and an intent, impossible to hold twice, whatever two processes do at once. A reopened entry
#: keeps the hash of the block that it was in, and may find that its effect was wanted again meanwhile.
_PENDING: Final = text("state IN ('planned', 'sent') AND block_hash = ''")
Index(
    "ix_transact_journal_holder",
    *(JOURNAL.c.chain_id, JOURNAL.c.signer, JOURNAL.c.nonce),
    unique=True,
    sqlite_where=_HOLDING,
    postgresql_where=_HOLDING,
)
Index(
    "ix_transact_journal_pending",
    *(JOURNAL.c.chain_id, JOURNAL.c.signer, JOURNAL.c.key),
    unique=True,
    sqlite_where=_PENDING,
    postgresql_where=_PENDING,
)
Index("ix_transact_journal_state", JOURNAL.c.chain_id, JOURNAL.c.signer, JOURNAL.c.state, JOURNAL.c.block_number)
Index("ix_transact_journal_key", JOURNAL.c.chain_id, JOURNAL.c.signer, JOURNAL.c.key)
Index("ix_transact_journal_day", JOURNAL.c.chain_id, JOURNAL.c.signer, JOURNAL.c.spent_day)

FAILURES: Final = Table(
    "transact_failures",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("signer", String, nullable=False),
    Column("key", String, nullable=False),
    Column("account", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("reason", String, nullable=False),
)
Index("ix_transact_failures_ts", FAILURES.c.chain_id, FAILURES.c.signer, FAILURES.c.ts)
