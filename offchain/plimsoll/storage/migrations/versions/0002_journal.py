"""Tables of the transactor: the journal of every signer, and the failures that its budgets count."""

import sqlalchemy as sa
from alembic import op

revision = "0002_journal"
down_revision = "0001_index"

HOLDING = sa.text("state IN ('planned', 'sent', 'included')")
PENDING = sa.text("state IN ('planned', 'sent') AND block_hash = ''")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "transact_journal",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("signer", sa.String, nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("replaces", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("already_done", sa.String, nullable=False),
        sa.Column("is_private", sa.Boolean, nullable=False),
        sa.Column("is_repeatable", sa.Boolean, nullable=False),
        sa.Column("gas", sa.BigInteger, nullable=False),
        sa.Column("max_fee_wei", sa.String, nullable=False),
        sa.Column("tip_wei", sa.String, nullable=False),
        sa.Column("is_legacy", sa.Boolean, nullable=False),
        sa.Column("hashes", sa.String, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("answer", sa.String, nullable=False),
        sa.Column("replacements", sa.Integer, nullable=False),
        sa.Column("planned_ts", sa.BigInteger, nullable=False),
        sa.Column("sent_ts", sa.BigInteger, nullable=False),
        sa.Column("closed_ts", sa.BigInteger, nullable=False),
        sa.Column("planned_block", sa.BigInteger, nullable=False),
        sa.Column("sent_block", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("block_hash", sa.String, nullable=False),
        sa.Column("mined_hash", sa.String, nullable=False),
        sa.Column("succeeded", sa.Boolean, nullable=False),
        sa.Column("cost_wei", sa.String, nullable=False),
        sa.Column("spent_day", sa.Integer, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
    )
    own = ["chain_id", "signer"]
    for name, columns, condition in (
        ("holder", [*own, "nonce"], HOLDING),
        ("pending", [*own, "key"], PENDING),
    ):
        op.create_index(
            f"ix_transact_journal_{name}",
            "transact_journal",
            columns,
            unique=True,
            sqlite_where=condition,
            postgresql_where=condition,
        )
    op.create_index("ix_transact_journal_state", "transact_journal", [*own, "state", "block_number"])
    op.create_index("ix_transact_journal_key", "transact_journal", [*own, "key"])
    op.create_index("ix_transact_journal_day", "transact_journal", [*own, "spent_day"])
    op.create_table(
        "transact_failures",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("signer", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
    )
    op.create_index("ix_transact_failures_ts", "transact_failures", [*own, "ts"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("transact_failures")
    op.drop_table("transact_journal")
