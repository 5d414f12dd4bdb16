"""Tables of the index: events, headers, the state at the last final block, and what the check of it has found."""

import sqlalchemy as sa
from alembic import op

revision = "0001_index"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "index_meta",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.create_table(
        "index_cursors",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "index_blocks",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("parent_hash", sa.String, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "index_events",
        sa.Column("block_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("block_ts", sa.BigInteger, nullable=False),
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("tx_hash", sa.LargeBinary, nullable=False),
        sa.Column("contract", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("topics", sa.LargeBinary, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "index_accounts",
        sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("mode", sa.Integer, nullable=False),
        sa.Column("cash_wad", sa.String, nullable=False),
        sa.Column("index_wad", sa.String, nullable=False),
        sa.Column("collateral", sa.String, nullable=False),
        sa.Column("paid_index", sa.String, nullable=False),
        sa.Column("words", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "index_facts",
        sa.Column("section", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.create_table(
        "index_differences",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seen_ts", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("ours", sa.String, nullable=False),
        sa.Column("theirs", sa.String, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("differences", "facts", "accounts", "events", "blocks", "cursors", "meta"):
        op.drop_table(f"index_{name}")
