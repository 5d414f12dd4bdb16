"""Brings the tables of a database up to the edition of this package, by the migrations that ship with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util.exc import CommandError
from sqlalchemy import text
from sqlalchemy.engine import Engine

from plimsoll.errors import InputError
from plimsoll.storage.transaction import writing

MIGRATIONS: Final = Path(__file__).resolve().parent / "migrations"
#: Any number that no other program of the database takes for its advisory lock.
_LOCK: Final = 0x706C696D


def upgrade(engine: Engine) -> None:
    """Create or change tables until they are those of this edition.

    All of it is one transaction, and two processes that start at once take turns.

    Parameters
    ----------
    engine : Engine
        From :func:`plimsoll.storage.open_database`.

    Raises
    ------
    InputError
        When a later edition has written the database.
    StorageError
        When the database refuses or fails.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except (CommandError, ResolutionError) as reason:
            shown = engine.url.render_as_string(hide_password=True)
            raise InputError(f"database {shown}", f"is not of this edition ({reason}); upgrade Plimsoll") from reason
