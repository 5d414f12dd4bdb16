"""Who may write into a journal is decided in the transaction that writes, by the lease in the same database.

A keeper that hangs for longer than its lease wakes up with its own clock, its own plans, and a thread that is about to
write. What it asked before, whether it may send, is an answer of the past by then. The fence is asked inside the
transaction, and holds the lease until that ends, so that a successor reads either all of the write or nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection, Engine

from plimsoll.errors import PlimsollError, UnavailableError
from plimsoll.storage import StorageError, writing

#: Raises where another keeper acts now; is given the open transaction.
Fence = Callable[[Connection], None]


class OvertakenError(PlimsollError):
    """Another process, or another task, changed the journal first; whoever meets it reads again."""


class DeposedError(OvertakenError):
    """Another keeper holds the lease: nothing is written here, and nothing may be sent."""


def open_to_all(_connection: Connection) -> None:
    """Fence nobody off: where one process alone has the database."""


@contextmanager
def fenced(engine: Engine, fence: Fence) -> Iterator[Connection]:
    """Open a transaction that writes, once the fence has let it through.

    Parameters
    ----------
    engine : Engine
        Common database.
    fence : Fence

    Yields
    ------
    Connection
        All of it is kept when the block ends, nothing when it raises.

    Raises
    ------
    DeposedError
        When another keeper acts now.
    StorageError
        When the database refuses or fails.
    """
    with writing(engine) as connection:
        try:
            fence(connection)
        except StorageError:
            raise
        except UnavailableError as reason:
            raise DeposedError("transact_journal", f"was not written: {reason}") from reason
        yield connection
