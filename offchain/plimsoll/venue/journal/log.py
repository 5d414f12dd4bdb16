"""The log of events: written by one thread, many callers' events in one transaction, in order and without gaps.

After a number of events a snapshot of the state takes their place: a start reads the snapshot and what came after it.
The snapshot is written in one transaction; the events that it stands for go bit by bit with later ones, so that nobody
waits for that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import structlog
from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection, Engine

from plimsoll.errors import InputError, PlimsollError
from plimsoll.storage import StorageError, insert_many, reading, writing
from plimsoll.venue.book.events import Event, decode, encode
from plimsoll.venue.book.snapshot import Snapshot
from plimsoll.venue.journal import archive
from plimsoll.venue.journal.tables import ABOUT, EVENTS, SNAPSHOT

log = structlog.get_logger()

#: Rows that a reading of the log takes at a time.
PAGE: Final = 10_000
#: Events that a snapshot stands for and that one transaction takes away.
SWEEP: Final = 2_000
#: Entry of ``venue_about``: the number of the event that the snapshot is after.
_SEQ: Final = "snapshot"

#: What waits to be written: events from a number on, or a snapshot.
_Item = tuple[int, Sequence[Event] | Snapshot, "asyncio.Future[None]"]


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
        self._queue: list[_Item] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        #: Why nothing can be written; the events in memory may then differ from those on disk.
        self.problem: PlimsollError | None = None
        #: Transactions and events since the start.
        self.commits, self.written = 0, 0
        #: Events up to the first number are gone; up to the second one the snapshot stands for them.
        self._swept, self._covered = 0, 0
        with writing(engine) as connection:
            found: dict[str, str] = {row.key: row.value for row in connection.execute(select(ABOUT))}
            for key, value in identity.items():
                if found.get(key, value) != value:
                    shown = engine.url.render_as_string(hide_password=True)
                    text = f"holds the log of {key} {found[key]}, not of {value}; use another database"
                    raise InputError(f"database {shown}", text)
                if key not in found:
                    connection.execute(insert(ABOUT).values(key=key, value=value))

    def snapshot(self) -> tuple[int, list[tuple[str, str]]]:
        """Return the snapshot: the number of the event that it is after, and its rows; 0 and none before the first.

        Raises
        ------
        StorageError
            When the database fails.
        """
        with reading(self._engine) as connection:
            seq = self._snapshot_seq(connection)
            rows = connection.execute(select(SNAPSHOT.c.kind, SNAPSHOT.c.data).order_by(SNAPSHOT.c.place)).all()
            first = connection.scalar(select(func.min(EVENTS.c.seq)))
        self._covered = seq
        self._swept = seq if first is None else min(seq, int(first) - 1)
        return seq, [(row.kind, row.data) for row in rows]

    def read(self, after: int = 0) -> Iterator[tuple[int, Event]]:
        """Yield every event after a number with its own, in order.

        Parameters
        ----------
        after : int
            That of the snapshot.

        Raises
        ------
        StorageError
            When the database fails, or a number is missing.
        """
        last = after
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
        """Return the number of the last event that the disk has, or has a snapshot after."""
        with reading(self._engine) as connection:
            newest = int(connection.scalar(select(func.max(EVENTS.c.seq))) or 0)
            return max(newest, self._snapshot_seq(connection))

    @staticmethod
    def _snapshot_seq(connection: Connection) -> int:
        return int(connection.scalar(select(ABOUT.c.value).where(ABOUT.c.key == _SEQ)) or 0)

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
        return self._put(first, events)

    def replace(self, snapshot: Snapshot) -> asyncio.Future[None]:
        """Queue a snapshot, behind the events that it stands for.

        Parameters
        ----------
        snapshot : Snapshot

        Returns
        -------
        Future
            Done when the disk has it; fails with the problem of the database, and what was before is there still.
        """
        return self._put(snapshot.seq, snapshot)

    def _put(self, number: int, item: Sequence[Event] | Snapshot) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.problem is not None:
            done.set_exception(self.problem)
            return done
        self._queue.append((number, item, done))
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
            for _, item, done in taken:
                self.written += 0 if isinstance(item, Snapshot) else len(item)
                if not done.done():
                    done.set_result(None)

    def _write(self, taken: Sequence[_Item]) -> None:
        swept, covered = self._swept, self._covered
        with writing(self._engine) as connection:
            rows: list[tuple[int, str, str]] = []
            for first, item, _ in taken:
                if isinstance(item, Snapshot):
                    insert_many(connection, EVENTS, rows)
                    rows = []
                    _write_snapshot(connection, item)
                    covered = item.seq
                else:
                    rows += [(first + place, event.name, encode(event)) for place, event in enumerate(item)]
            if rows:
                insert_many(connection, EVENTS, rows)
            if swept < covered:
                swept = min(covered, swept + SWEEP)
                connection.execute(delete(EVENTS).where(EVENTS.c.seq <= swept))
        self._swept, self._covered = swept, covered

    def _fail(self, taken: Sequence[_Item], problem: PlimsollError) -> None:
        log.error("the log of the venue cannot be written", reason=str(problem))
        self.problem = problem
        for _, _, done in taken:
            if not done.done():
                done.set_exception(problem)


def _write_snapshot(connection: Connection, snapshot: Snapshot) -> None:
    """Put a snapshot in the place of the one before, and what is over where it is looked up."""
    archive.keep(connection, snapshot.orders, snapshot.trades)
    connection.execute(delete(SNAPSHOT))
    rows = ((n, kind, json.dumps(values, separators=(",", ":"))) for n, (kind, values) in enumerate(snapshot.rows))
    insert_many(connection, SNAPSHOT, rows)
    connection.execute(delete(ABOUT).where(ABOUT.c.key == _SEQ))
    connection.execute(insert(ABOUT).values(key=_SEQ, value=str(snapshot.seq)))
