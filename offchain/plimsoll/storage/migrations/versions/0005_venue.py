"""Tables of the venue: the log of everything that it accepted and decided, and whose log it is."""

import sqlalchemy as sa
from alembic import op

revision = "0005_venue"
down_revision = "0004_samples"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "venue_event",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("data", sa.String, nullable=False),
    )
    op.create_table(
        "venue_about",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("venue_about")
    op.drop_table("venue_event")
