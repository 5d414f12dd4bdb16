"""What alembic runs: the migrations, inside the transaction that ``plimsoll.storage.upgrade`` has opened."""

from alembic import context

from plimsoll.storage.metadata import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
