"""What the feeds keep in the common database (migration ``0004_samples``)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, LargeBinary, String, Table

from plimsoll.storage import METADATA

#: Spot of an underlying at a second; the first that was written stays.
SAMPLES: Final = Table(
    "feed_samples",
    METADATA,
    Column("underlying", String, primary_key=True),
    Column("ts", BigInteger, primary_key=True, autoincrement=False),
    Column("spot", Float(53), nullable=False),
    Column("source", String, nullable=False),
)
#: Digest that a key signed for a subject and a time; there is never a second one.
SIGNED: Final = Table(
    "feed_signed",
    METADATA,
    Column("signer", String, primary_key=True),
    Column("domain", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("ts", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
)
