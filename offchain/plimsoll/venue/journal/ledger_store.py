"""What final blocks say of digests, nonces and pauses, on disk, and up to which block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.engine import Engine

from plimsoll.storage import insert_many, reading, writing
from plimsoll.venue.journal.tables import ABOUT, LEDGER

#: Keys of one question.
CHUNK: Final = 400
#: Entry of ``venue_about``.
_BLOCK: Final = "ledger"


class LedgerStore:
    """Values by section and key; one that was never written is 0.

    Parameters
    ----------
    engine : Engine
        Database, upgraded.

    Raises
    ------
    StorageError
        When the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with reading(engine) as connection:
            found = connection.scalar(select(ABOUT.c.value).where(ABOUT.c.key == _BLOCK))
        #: Block up to which everything is here; none before the first.
        self.block_number: int | None = None if found is None else int(found)

    def read(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the values of keys.

        Parameters
        ----------
        keys : sequence of tuple[str, str]
            Section and key.

        Returns
        -------
        dict

        Raises
        ------
        StorageError
            When the database fails.
        """
        found = dict.fromkeys(keys, 0)
        with reading(self._engine) as connection:
            for start in range(0, len(keys), CHUNK):
                wanted = tuple_(LEDGER.c.section, LEDGER.c.key).in_(keys[start : start + CHUNK])
                for row in connection.execute(select(LEDGER).where(wanted)):
                    found[row.section, row.key] = int(row.value)
        return found

    def write(self, values: Mapping[tuple[str, str], int], block_number: int) -> None:
        """Write values and the block that they are of, in one transaction.

        Parameters
        ----------
        values : Mapping[tuple[str, str], int]
            By section and key.
        block_number : int
            Final.

        Raises
        ------
        StorageError
            When the database fails.
        """
        keys = list(values)
        with writing(self._engine) as connection:
            for start in range(0, len(keys), CHUNK):
                old = tuple_(LEDGER.c.section, LEDGER.c.key).in_(keys[start : start + CHUNK])
                connection.execute(delete(LEDGER).where(old))
            insert_many(connection, LEDGER, ((*key, str(value)) for key, value in values.items()))
            connection.execute(delete(ABOUT).where(ABOUT.c.key == _BLOCK))
            connection.execute(insert(ABOUT).values(key=_BLOCK, value=str(block_number)))
        self.block_number = block_number
