"""What all tables share: the registry that rooms declare them on, and integers without a width."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Dialect, MetaData, String
from sqlalchemy.types import TypeDecorator

#: Every table of the package. A room declares its own; the migrations create them.
METADATA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)


class Whole(TypeDecorator[int]):
    """A whole number of any size, kept as decimal text: wei and wad outgrow the 64 bits of an SQL integer."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        """Return the text that is stored."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:
        """Return the number that was stored."""
        return None if value is None else int(value)
