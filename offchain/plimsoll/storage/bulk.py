"""Many new rows at once, past the part of SQLAlchemy that looks at each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from plimsoll.storage.transaction import StorageError

if TYPE_CHECKING:
    import psycopg


def insert_many(connection: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows in the transaction of a connection; PostgreSQL copies them.

    Parameters
    ----------
    connection : Connection
        From :func:`plimsoll.storage.writing`.
    table : Table
        Its columns are of plain types: integers, text and bytes are passed on as they are.
    rows : Iterable[Sequence]
        Values in the order of the columns; none is none.

    Raises
    ------
    StorageError
        When the database refuses or fails.
    """
    names = ", ".join(column.name for column in table.columns)
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {table.name} ({names}) FROM STDIN", rows)
        return
    marks = ", ".join("?" for _ in table.columns)
    # Names are those of our own tables.
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608
    values = [tuple(row) for row in rows]
    if values:
        connection.exec_driver_sql(statement, values)


def _copy(connection: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """Stream rows to PostgreSQL."""
    from psycopg import Error

    raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    try:
        with raw.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for row in rows:
                copy.write_row(row)
    except Error as reason:
        shown = connection.engine.url.render_as_string(hide_password=True)
        raise StorageError(f"database {shown}", " ".join(str(reason).split())) from reason
