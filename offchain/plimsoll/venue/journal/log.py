"""The log of events: written by one thread, many callers' events in one transaction, in order and without gaps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import structlog
from sqlalchemy import func, insert, select
from sqlalchemy.engine import Engine

from plimsoll.errors import InputError, PlimsollError
from plimsoll.storage import StorageError, insert_many, reading, writing
from plimsoll.venue.book.events import Event, decode, encode
from plimsoll.venue.journal.tables import ABOUT, EVENTS

log = structlog.get_logger()

#: Rows that a reading of the log takes at a time.
PAGE: Final = 10_000


class EventLog:
    """The log of one venue.

    Parameters
    ----------
    engine : Engine
        Database, upgraded.
    identity : Mapping[str, str]
        Whose log it is: a database of another deployment is refused.

    Raises
    ------
    InputError
        When the database holds the log of another deployment.
    StorageError
        When the database refuses or fails.
    """

    def __init__(self, engine: Engine, identity: Mapping[str, str]) -> None:
        self._engine = engine
        self._queue: list[tuple[int, Sequence[Event], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        #: Why nothing can be written; the events in memory may then differ from those on disk.
        self.problem: PlimsollError | None = None
        #: Transactions and events since the start.
        self.commits, self.written = 0, 0
        with writing(engine) as connection:
            found: dict[str, str] = {row.key: row.value for row in connection.execute(select(ABOUT))}
            for key, value in identity.items():
                if found.get(key, value) != value:
                    shown = engine.url.render_as_string(hide_password=True)
                    text = f"holds the log of {key} {found[key]}, not of {value}; use another database"
                    raise InputError(f"database {shown}", text)
                if key not in found:
                    connection.execute(insert(ABOUT).values(key=key, value=value))

    def read(self) -> Iterator[tuple[int, Event]]:
        """Yield every event with its number, in order.

        Raises
        ------
        StorageError
            When the database fails, or a number is missing.
        """
        last = 0
        while True:
            with reading(self._engine) as connection:
                query = select(EVENTS).where(EVENTS.c.seq > last).order_by(EVENTS.c.seq).limit(PAGE)
                rows = connection.execute(query).all()
            for row in rows:
                if row.seq != last + 1:
                    raise StorageError("database", f"event {last + 1} of the venue's log is missing before {row.seq}")
                last = row.seq
                yield last, decode(row.kind, row.data)
            if len(rows) < PAGE:
                return

    def last(self) -> int:
        """Return the number of the last event on disk."""
        with reading(self._engine) as connection:
            return int(connection.scalar(select(func.max(EVENTS.c.seq))) or 0)

    def start(self) -> None:
        """Begin to write what is queued."""
        self._task = asyncio.create_task(self._write_on())

    async def stop(self) -> None:
        """Write what is queued, and end."""
        task, self._task = self._task, None
        if task is not None:
            while self._queue and self.problem is None:
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def append(self, first: int, events: Sequence[Event]) -> asyncio.Future[None]:
        """Queue events.

        Parameters
        ----------
        first : int
            Number of the first.
        events : sequence of Event
            At least one.

        Returns
        -------
        Future
            Done when the disk has them; fails with the problem of the database.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.problem is not None:
            done.set_exception(self.problem)
            return done
        self._queue.append((first, events, done))
        self._wake.set()
        return done

    def forgive(self) -> None:
        """Write again, after the caller has read the log anew."""
        self.problem = None

    async def _write_on(self) -> None:
        """Write everything that has come together while the last transaction was written."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            taken, self._queue = self._queue, []
            if not taken:
                continue
            try:
                await asyncio.shield(asyncio.to_thread(self._write, taken))
            except PlimsollError as problem:
                self._fail([*taken, *self._queue], problem)
                self._queue = []
                continue
            self.commits += 1
            for _, events, done in taken:
                self.written += len(events)
                if not done.done():
                    done.set_result(None)

    def _write(self, taken: Sequence[tuple[int, Sequence[Event], asyncio.Future[None]]]) -> None:
        rows = [
            (first + place, event.name, encode(event))
            for first, events, _ in taken
            for place, event in enumerate(events)
        ]
        with writing(self._engine) as connection:
            insert_many(connection, EVENTS, rows)

    def _fail(self, taken: Sequence[tuple[int, Sequence[Event], asyncio.Future[None]]], problem: PlimsollError) -> None:
        log.error("the log of the venue cannot be written", reason=str(problem))
        self.problem = problem
        for _, _, done in taken:
            if not done.done():
                done.set_exception(problem)
