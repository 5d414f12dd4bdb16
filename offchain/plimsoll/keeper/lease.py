"""Hot standby: one keeper acts at a time, decided by a lease in the common database.

Three walls stand between a deposed leader and a second send. It stops by its own monotonic clock before the lease ends
(``may_send``); the journal refuses its transaction by the fencing token (``fence``); and whoever takes over reads that
same journal, so that what was journalled just before is sent again as the same transaction, with the same nonce.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy.engine import Connection

from plimsoll.errors import UnavailableError
from plimsoll.keeper.config.sections import StandbySection
from plimsoll.keeper.holder import Holder, is_gone
from plimsoll.keeper.lease_table import LeaseLostError, LeaseRow, LeaseTable

log = structlog.get_logger()

T = TypeVar("T")

#: A lease is renewed so many times before it would end.
RENEWALS: Final = 4
LONGEST_POLL_SEC: Final = 2.0
#: Another keeper counts as being there when it was seen so lately.
MEMBER_SEC: Final = 5 * LONGEST_POLL_SEC


def boot_clock() -> float:
    """Return seconds on a clock that nobody sets and that goes on while machine or process are asleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Role(StrEnum):
    """What a keeper may do now."""

    STARTING = "starting"
    STANDBY = "standby"
    LEADER = "leader"


@dataclass(frozen=True, slots=True)
class Takeover:
    """A change of hands.

    Parameters
    ----------
    token : int
        Fencing token of the new leader.
    before : str
        Name of the keeper that had the lease; empty when nobody had, or it was given back.
    """

    token: int
    before: str


class Lease:
    """The lease as one keeper sees it.

    Parameters
    ----------
    table : LeaseTable
        Row in the database.
    me : Holder
        This process.
    section : StandbySection
        Length, delay and margin.
    on_leader : Callable[[Takeover], None]
        Called in the event loop when this keeper becomes the leader.
    on_loss : Callable[[str], None]
        Called in the event loop with the reason when it stops being it, but for a release.
    on_trouble : Callable[[str], None]
        Called with the reason when the database failed, and with an empty text when it answers again.
    is_well : Callable[[], bool]
        Whether this keeper makes progress. One that does not leaves the lease to one that does, but to nobody else:
        half of the duties done are better than none.
    clock : Callable[[], float]
        Seconds on a clock that nobody sets.
    """

    def __init__(
        self,
        table: LeaseTable,
        me: Holder,
        section: StandbySection,
        *,
        on_leader: Callable[[Takeover], None] = lambda takeover: None,
        on_loss: Callable[[str], None] = lambda reason: None,
        on_trouble: Callable[[str], None] = lambda reason: None,
        is_well: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = boot_clock,
    ) -> None:
        self._is_well = is_well
        self._table = table
        self._me = me
        self._section = section
        self._on_leader = on_leader
        self._on_loss = on_loss
        self._on_trouble = on_trouble
        self._clock = clock
        self._token: int | None = None
        self._deadline = 0.0
        self._silent_row: LeaseRow | None = None
        self._silent_since = 0.0
        self._written: float | None = None
        self._changed = asyncio.Event()
        self._is_over = False
        # Threads of the loop may all hang in other work of the same database; a renewal never queues behind them.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lease")

    @property
    def role(self) -> Role:
        """What this keeper may do at this moment."""
        if self.may_send():
            return Role.LEADER
        return Role.STARTING if self._written is None else Role.STANDBY

    @property
    def token(self) -> int:
        """Fencing token.

        Raises
        ------
        LeaseLostError
            When this keeper is not the leader.
        """
        if self._token is None or not self.may_send():
            raise LeaseLostError("lease", "this keeper is not the leader")
        return self._token

    @property
    def written_sec(self) -> float:
        """Seconds since the database last took a write of this keeper; infinite before the first."""
        return float("inf") if self._written is None else self._clock() - self._written

    def may_send(self) -> bool:
        """Return whether the lease surely lasts; to be asked right before every send."""
        return self._token is not None and self._clock() < self._deadline

    def fence(self, connection: Connection) -> None:
        """Refuse the transaction that journals a send unless this keeper is still the leader.

        Parameters
        ----------
        connection : Connection
            The journal's open transaction.

        Raises
        ------
        LeaseLostError
            When the lease has expired, on either clock, or changed hands.
        """
        self._table.fence(connection, self.token)

    async def wait_leader(self) -> int:
        """Wait until this keeper is the leader; return the fencing token."""
        while not self.may_send():
            self._changed.clear()
            await self._changed.wait()
        return self.token

    async def run(self) -> None:
        """Acquire, renew and watch until released or cancelled; no failure of the database ends it."""
        while not self._is_over:
            started = self._clock()
            try:
                is_well = self._is_well()
                must_yield = not is_well and await self._ask(self._table.has_well_other, str(self._me), MEMBER_SEC)
                if self._token is not None:
                    await (self._yield(self._token) if must_yield else self._renew(self._token, started))
                elif not must_yield:
                    await self._try()
                await self._see(is_well)
                self._written = self._clock()
                self._on_trouble("")
            except UnavailableError as problem:
                log.warning("lease cannot be renewed", reason=str(problem), role=self.role.value)
                self._on_trouble(str(problem))
            self._expire()
            await asyncio.sleep(max(0.01, self._pause() - (self._clock() - started)))

    async def release(self) -> None:
        """Give the lease back for good, at the end of a graceful stop; without a database it expires by itself."""
        self._is_over = True
        token, self._token = self._token, None
        if token is None:
            return
        try:
            await self._ask(self._table.release, str(self._me), token)
            await self._ask(self._table.leave, str(self._me))
            log.info("lease released", token=token)
        except UnavailableError as problem:
            log.warning("lease not released, it expires by itself", reason=str(problem))

    async def _ask(self, question: Callable[..., T], *arguments: Any) -> T:
        """Ask the database in the lease's own thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, *arguments)

    def _pause(self) -> float:
        return min(LONGEST_POLL_SEC, self._section.lease_sec / RENEWALS)

    async def _see(self, is_well: bool) -> None:
        """Show this keeper to the others."""
        role = Role.LEADER if self.may_send() else Role.STANDBY
        await self._ask(partial(self._table.see, str(self._me), role.value, is_well=is_well))

    async def _yield(self, token: int) -> None:
        """Give the lease to a keeper that makes progress."""
        self._lose("this keeper makes no progress and another one does")
        await self._ask(self._table.release, str(self._me), token)

    async def _renew(self, token: int, started: float) -> None:
        is_ours = await self._ask(self._table.renew, str(self._me), token, self._section.lease_sec)
        if self._token is None:
            # Released while the database was answering.
            return
        if is_ours:
            self._hold(started)
        else:
            self._lose("expired or taken over before it was renewed")

    async def _try(self) -> None:
        """Take the lease when it is free, when its holder is surely dead, or when it has been silent for its length."""
        row = await self._ask(self._table.read)
        forced = row if row is not None and (is_gone(row.holder, self._me) or self._is_silent(row)) else None
        section = self._section
        started = self._clock()
        token = await self._ask(self._table.acquire, str(self._me), section.lease_sec, self._delay(row), forced)
        if token is None:
            return
        if self._is_over:
            await self._ask(self._table.release, str(self._me), token)
            return
        self._token = token
        self._hold(started)
        if not self.may_send():
            return
        before = Holder.parse(row.holder) if row is not None else None
        name = before.name if before is not None and before.name != self._me.name else ""
        log.info("lease acquired", token=token, before=name or None)
        self._on_leader(Takeover(token, name))

    def _delay(self, row: LeaseRow | None) -> float:
        """Return how long the lease must have been expired: its last holder by name need not wait for itself."""
        before = Holder.parse(row.holder) if row is not None else None
        return 0.0 if before is not None and before.name == self._me.name else self._section.delay_sec

    def _is_silent(self, row: LeaseRow) -> bool:
        """Return whether nobody renewed for as long as the lease lasts, by this clock; the other may be set back."""
        seen, before = (row.holder, row.token, row.beat), self._silent_row
        if before is None or seen != (before.holder, before.token, before.beat):
            self._silent_row, self._silent_since = row, self._clock()
            return False
        return self._clock() - self._silent_since >= self._section.lease_sec + self._section.delay_sec

    def _hold(self, started: float) -> None:
        """Count the lease from before the database was asked, because nobody knows when it answered."""
        self._deadline = started + self._section.lease_sec - self._section.margin_sec
        self._changed.set()

    def _expire(self) -> None:
        if self._token is not None and not self.may_send():
            self._lose("could not be renewed in time")

    def _lose(self, reason: str) -> None:
        log.warning("lease lost", token=self._token, reason=reason)
        self._token = None
        self._on_loss(reason)
