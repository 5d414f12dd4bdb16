"""What the venue keeps in the common database (migration ``0005_venue``)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, String, Table

from plimsoll.storage import METADATA

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
