"""Tables of the lease: who acts now, and which keepers are there."""

import sqlalchemy as sa
from alembic import op

revision = "0003_lease"
down_revision = "0002_journal"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "lease",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("expires_ts", sa.Float, nullable=False),
    )
    op.create_table(
        "lease_member",
        sa.Column("holder", sa.String, primary_key=True),
        sa.Column("lease", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("is_well", sa.Boolean, nullable=False),
        sa.Column("seen_ts", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("lease_member")
    op.drop_table("lease")
