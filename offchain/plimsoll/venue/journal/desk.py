"""The one place where the book changes: decide, fold, write down, and only then answer and tell others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from plimsoll.errors import PlimsollError
from plimsoll.storage import StorageError
from plimsoll.venue.book.engine import Engine, Holdings
from plimsoll.venue.book.snapshot import Snapshot, rows_of, state_of
from plimsoll.venue.book.state import Changes, Retired, State
from plimsoll.venue.journal.log import EventLog

log = structlog.get_logger()

T = TypeVar("T")
#: Pause between two tries to read the log again after the database failed.
RETRY_SEC: Final = 1.0
#: Events after which a snapshot takes their place, unless the options say otherwise.
MAX_EVENTS: Final = 20_000


class Desk:
    """State and engine over a log.

    Parameters
    ----------
    events : EventLog
        Log on disk.
    holdings : Holdings
        Positions and greeks.
    quantity_step_wad : int
        See :class:`Engine`.
    prepare : Callable[[Changes], Callable[[], None]]
        Given what a command touched, makes the messages about it, as of that moment; what it returns sends them, and
        is called when the disk has the events.
    on_reload : Callable[[], None]
        Called after the state was read anew, when what readers were shown may be wrong.
    max_events : int
        Events of the log after which a snapshot takes their place, and what is over leaves the memory.
    """

    def __init__(
        self,
        events: EventLog,
        holdings: Holdings,
        quantity_step_wad: int,
        prepare: Callable[[Changes], Callable[[], None]] = lambda _: lambda: None,
        on_reload: Callable[[], None] = lambda: None,
        max_events: int = MAX_EVENTS,
    ) -> None:
        self._log, self._holdings, self._step_wad = events, holdings, quantity_step_wad
        self.prepare, self.on_reload = prepare, on_reload
        self.state = State()
        self.engine = Engine(self.state, holdings, quantity_step_wad)
        self._max_events, self._snapshot_seq = max_events, 0
        self._replacing: asyncio.Future[None] | None = None
        #: What left the memory with the last snapshot: the disk may not have it yet.
        self.retired = Retired({}, {})
        self._mending: asyncio.Task[None] | None = None
        self._last: asyncio.Future[None] | None = None

    def load(self) -> float:
        """Read the log; return the seconds that it took.

        Raises
        ------
        StorageError
            When the database fails or the log has a gap.
        """
        began = time.monotonic()
        seq, rows = self._log.snapshot()
        state = state_of(seq, rows)
        for _, event in self._log.read(seq):
            state.apply(event)
        state.take_changes()
        self.state, self.engine = state, Engine(state, self._holdings, self._step_wad)
        self._snapshot_seq, self.retired = seq, Retired({}, {})
        return time.monotonic() - began

    async def run(self, work: Callable[[Engine], T]) -> T:
        """Let the engine decide something; return when the disk has it.

        Parameters
        ----------
        work : callable
            Given the engine; synchronous, so that nothing comes between. What it returns shows the state after it.

        Returns
        -------
        Any
            What ``work`` returned.

        Raises
        ------
        StorageError
            When the database does not take the events; the state is then read again from what it has.
        """
        if self._log.problem is not None:
            raise StorageError(self._log.problem.source, f"{self._log.problem.message}; nothing is accepted until then")
        first = self.state.seq + 1
        try:
            result = work(self.engine)
        finally:
            # Whatever was decided before a defect is part of the state, so it is part of the log.
            events = self.engine.take_events()
            changes = self.state.take_changes()
            written = self._log.append(first, events) if events else None
            send = self.prepare(changes) if events else None
            self._replace_log()
        if written is None or send is None:
            return result
        self._last = written
        try:
            await asyncio.shield(written)
        except PlimsollError:
            self._mend()
            raise
        send()
        return result

    async def durable(self) -> None:
        """Return when the disk has everything that the state shows now, so that nobody is told what may be lost."""
        last = self._last
        if last is not None and not last.done():
            await asyncio.shield(last)

    def _replace_log(self) -> None:
        """Let a snapshot take the place of the log when it is long; one that the disk has not yet is waited for."""
        is_writing = self._replacing is not None and not self._replacing.done()
        if self.state.seq - self._snapshot_seq < self._max_events or is_writing or self._log.problem is not None:
            return
        self.retired = self.engine.retire(time.time_ns() // 1_000_000)
        orders, trades = self.retired.orders.values(), self.retired.trades.values()
        snapshot = Snapshot(self.state.seq, rows_of(self.state), list(orders), list(trades))
        self._replacing = self._log.replace(snapshot)
        self._replacing.add_done_callback(self._replaced)
        self._snapshot_seq = self.state.seq

    def _replaced(self, done: asyncio.Future[None]) -> None:
        """Read the state anew when the database did not take a snapshot: what left the memory is only there then."""
        if not done.cancelled() and done.exception() is not None:
            self._mend()

    def _mend(self) -> None:
        """Read the state anew when the database is back, once for all who failed."""
        if self._mending is None or self._mending.done():
            self._mending = asyncio.create_task(self._reload())

    async def _reload(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SEC)
            try:
                self.load()
            except PlimsollError as problem:
                log.warning("the log cannot be read again yet", reason=str(problem))
                continue
            self._log.forgive()
            self.on_reload()
            log.info("the log was read again", seq=self.state.seq)
            return
