"""Tables of the feeds: spot seen in settlement windows, and what a signer has signed."""

import sqlalchemy as sa
from alembic import op

revision = "0004_samples"
down_revision = "0003_lease"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "feed_samples",
        sa.Column("underlying", sa.String, primary_key=True),
        sa.Column("ts", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("spot", sa.Float(53), nullable=False),
        sa.Column("source", sa.String, nullable=False),
    )
    op.create_table(
        "feed_signed",
        sa.Column("signer", sa.String, primary_key=True),
        sa.Column("domain", sa.String, primary_key=True),
        sa.Column("subject", sa.String, primary_key=True),
        sa.Column("ts", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("feed_signed")
    op.drop_table("feed_samples")
