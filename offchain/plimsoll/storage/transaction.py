"""Transactions of a database, and what goes wrong with it as one typed error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from plimsoll.errors import UnavailableError

#: Execution option of a transaction that will write.
IMMEDIATE: Final = "plimsoll_immediate"


class StorageError(UnavailableError):
    """The database did not do what it was asked: it is away, locked, read-only, full or damaged."""


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn what the driver reports inside the block into one error that names the database without its password.

    Parameters
    ----------
    engine : Engine
        Database.

    Yields
    ------
    None
        Once.

    Raises
    ------
    StorageError
        When the database refuses or fails.
    """
    try:
        yield
    except SQLAlchemyError as reason:
        cause = reason.orig if isinstance(reason, DBAPIError) else reason
        text = " ".join(str(cause).split()) or type(reason).__name__
        raise StorageError(f"database {engine.url.render_as_string(hide_password=True)}", text) from reason


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that only reads.

    Parameters
    ----------
    engine : Engine
        Database.

    Yields
    ------
    Connection
        Sees one state of the database.

    Raises
    ------
    StorageError
        When the database refuses or fails.
    """
    with translated(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes: all of it is kept when the block ends, nothing when it raises.

    Parameters
    ----------
    engine : Engine
        Database.

    Yields
    ------
    Connection
        The one writer of an SQLite file.

    Raises
    ------
    StorageError
        When the database refuses or fails; nothing of the block is kept then.
    """
    with translated(engine), engine.execution_options(**{IMMEDIATE: True}).begin() as connection:
        yield connection
