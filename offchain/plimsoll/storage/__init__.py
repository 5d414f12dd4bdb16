"""One database for everything that must outlive the process: opened, migrated, written in whole transactions."""

from plimsoll.storage.bulk import insert_many
from plimsoll.storage.engine import open_database
from plimsoll.storage.metadata import METADATA, Whole
from plimsoll.storage.migrate import upgrade
from plimsoll.storage.transaction import StorageError, reading, writing

__all__ = ["METADATA", "StorageError", "Whole", "insert_many", "open_database", "reading", "upgrade", "writing"]
