"""Tables of the venue that bound its log: a snapshot, what is over and done, and what the chain said before that."""

import sqlalchemy as sa
from alembic import op

revision = "0006_venue_snapshot"
down_revision = "0005_venue"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "venue_snapshot",
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("data", sa.String, nullable=False),
    )
    op.create_table(
        "venue_order",
        sa.Column("order_hash", sa.String, primary_key=True),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("data", sa.String, nullable=False),
    )
    op.create_index("ix_venue_order_account_id", "venue_order", ["account_id", "seq"])
    op.create_table(
        "venue_trade",
        sa.Column("trade_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("instrument", sa.String, nullable=False),
        sa.Column("maker_id", sa.BigInteger, nullable=False),
        sa.Column("taker_id", sa.BigInteger, nullable=False),
        sa.Column("data", sa.String, nullable=False),
    )
    op.create_index("ix_venue_trade_instrument", "venue_trade", ["instrument", "trade_id"])
    op.create_index("ix_venue_trade_maker_id", "venue_trade", ["maker_id", "trade_id"])
    op.create_index("ix_venue_trade_taker_id", "venue_trade", ["taker_id", "trade_id"])
    op.create_table(
        "venue_ledger",
        sa.Column("section", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("venue_ledger", "venue_trade", "venue_order", "venue_snapshot"):
        op.drop_table(name)
