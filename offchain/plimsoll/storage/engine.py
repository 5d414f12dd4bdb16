"""Opening a database: SQLite as a file by default, PostgreSQL by URL."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from plimsoll.errors import InputError
from plimsoll.storage.transaction import IMMEDIATE, translated

#: How long a writer of SQLite waits for another one, and a new connection of PostgreSQL for the server.
WAIT_SEC: Final = 10
#: A transaction that is silent for so long is ended by the server of PostgreSQL: its process stands still, and what it
#: has locked would keep every other keeper from taking over.
SILENT_SEC: Final = 10
#: What SQLAlchemy is asked for by the part of the URL before ``://``.
DRIVERS: Final = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def open_database(url: str) -> Engine:
    """Open the database that a URL names, and see that it answers.

    Parameters
    ----------
    url : str
        ``sqlite:////path/to/file``, ``sqlite://`` (in memory, for tests), or ``postgresql+psycopg://user@host/name``.

    Returns
    -------
    Engine
        Synchronous. SQLite runs in WAL mode, so that readers never wait for the writer, and reports a commit only when
        the disk has it.

    Raises
    ------
    InputError
        When the URL is none, or names a database of another kind.
    StorageError
        When the database does not answer, or cannot be opened.
    """
    parsed = _parse(url)
    engine = _sqlite(parsed) if parsed.drivername.startswith("sqlite") else _postgresql(parsed)
    with translated(engine), engine.connect():
        return engine


def _parse(url: str) -> URL:
    """Read the URL; the message never holds its password."""
    try:
        parsed = make_url(url)
        driver = DRIVERS.get(parsed.drivername)
    except (ArgumentError, ValueError) as reason:
        raise InputError("database", "is not a URL such as sqlite:////var/lib/plimsoll/keeper.sqlite") from reason
    if driver is None:
        raise InputError("database", f"{parsed.drivername} is not supported; use one of {', '.join(sorted(DRIVERS))}")
    return parsed.set(drivername=driver)


def _postgresql(url: URL) -> Engine:
    """Return an engine that finds out by itself that the server was restarted."""
    arguments = {"connect_timeout": WAIT_SEC, "application_name": "plimsoll"}
    try:
        engine = create_engine(url, pool_pre_ping=True, connect_args=arguments)
    except (NoSuchModuleError, SQLAlchemyError, ImportError) as reason:
        raise InputError("database", f"the driver of PostgreSQL cannot be loaded ({reason})") from reason

    # Not by an option of the connection: the URL may have options of its own, which that would replace.
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.execute(f"SET idle_in_transaction_session_timeout = '{SILENT_SEC}s'")
        connection.commit()

    return engine


def _sqlite(url: URL) -> Engine:
    """Return an engine over one file; a database in memory is one connection that every thread shares."""
    in_memory = url.database in (None, "", ":memory:")
    arguments: dict[str, Any] = {"timeout": WAIT_SEC}
    if in_memory:
        arguments["check_same_thread"] = False
        engine = create_engine(url, poolclass=StaticPool, connect_args=arguments)
    else:
        engine = create_engine(url, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        # The driver's own transactions begin too late for schema changes; the listener below begins them.
        connection.isolation_level = None
        if not in_memory:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails at once when another writer came between; one that
        # will write says so at its start, and waits.
        immediate = connection.get_execution_options().get(IMMEDIATE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
