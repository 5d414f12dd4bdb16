"""Follows the chain: proven logs into the database, then into the state; back to the fork after a reorganisation.

The database holds the state at the last final block, the *base*, and every event above it. A start reads the state and
folds those events; a kill between any two steps therefore loses nothing and doubles nothing. Blocks become part of the
base when they are final and their logs were read a second time, so that what it holds was read twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Engine

from plimsoll.chain.collector import collector_paused
from plimsoll.chain.endpoints import Endpoints, HeadError
from plimsoll.chain.head import Head
from plimsoll.chain.problem import NodeProblem
from plimsoll.deployment.record import Deployment
from plimsoll.errors import UnavailableError
from plimsoll.index.archive import Archive, ConflictError, Known, Step
from plimsoll.index.decoder import Decoder
from plimsoll.index.fetch import Chunk, Fetcher, ForkError
from plimsoll.index.ledger import Ledger
from plimsoll.index.reader import ChainEvent
from plimsoll.index.state import SOURCES, State

#: Edition of what ``apply`` makes of events: raise it with every change of its meaning, and stored state is made anew.
FOLD: Final = "2"
#: Blocks by which the base lags behind the last final block before it is moved, because each move is a second reading.
FINAL_STEP: Final = 16
#: How long a head that is an ancestor of ours may be a lagging node before it counts as a chain that went back.
PATIENCE_SEC: Final = 60.0
#: Readings of the database before a start gives up because another keeper moved its base each time.
MOST_READS: Final = 5
#: Reorganisations met in one sync before it gives up until the next.
MOST_FORKS: Final = 5


@dataclass(frozen=True, slots=True)
class Progress:
    """What one sync did, or has done so far.

    Parameters
    ----------
    block_number : int
        Up to where the index is.
    head_number : int
        Head of the chain.
    new_events : int
        Events that were stored.
    rolled_back_to : int, optional
        Fork point, after a reorganisation.
    corrected : int
        Blocks whose logs a node sent wrongly, and receipts put right.
    seconds : float
        Time since the sync began.
    """

    block_number: int
    head_number: int
    new_events: int = 0
    rolled_back_to: int | None = None
    corrected: int = 0
    seconds: float = 0.0
    first_number: int = 0

    @property
    def events_per_sec(self) -> float:
        """Events stored in a second."""
        return self.new_events / self.seconds if self.seconds > 0 else 0.0

    @property
    def left_sec(self) -> float | None:
        """Seconds to the head at the pace so far; ``None`` while there is none."""
        done = self.block_number - self.first_number + 1
        return self.seconds / done * (self.head_number - self.block_number) if done > 0 else None


class Index:
    """The state of one deployment, kept current.

    Parameters
    ----------
    endpoints : Endpoints
        Nodes.
    deployment : Deployment
        Which contracts.
    engine : Engine
        Database, upgraded; leader and standby share one.
    final_step : int
        Blocks by which the base may lag behind the last final block.
    on_progress : Callable[[Progress], None], optional
        Told after every step of a long sync.

    Raises
    ------
    InputError
        When the database holds the index of another deployment.
    StorageError
        When the database refuses or fails.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        deployment: Deployment,
        engine: Engine,
        *,
        final_step: int = FINAL_STEP,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        # An older installation lacks some of them.
        known = {name: deployment.contracts[name] for name in SOURCES if name in deployment.contracts}
        self._decoder = Decoder(known)
        self._addresses = {name: address for address, name in self._decoder.names.items()}
        self._endpoints = endpoints
        self._start = Head(deployment.block - 1, "", 0)
        self._fetcher = Fetcher(endpoints, self._decoder)
        identity = {"chain": str(deployment.chain_id), "accounts": deployment.contracts["Accounts"].lower()}
        self._archive = Archive(engine, identity, FOLD)
        self._final_step, self._on_progress = final_step, on_progress
        self._behind_since: float | None = None
        self._known, self._ledger = self._load()
        self._is_sound = True

    @property
    def state(self) -> State:
        """State at :attr:`head`."""
        return self._ledger.state

    @property
    def head(self) -> Head:
        """The block that the state is of."""
        return self._known.head

    @property
    def base(self) -> Head:
        """The last final block whose logs were read twice."""
        return self._known.base

    @property
    def ledger(self) -> Ledger:
        """The state with its suspects and changes, for who compares or exports it."""
        return self._ledger

    @property
    def archive(self) -> Archive:
        """The database."""
        return self._archive

    async def sync(self, head: Head | None = None) -> Progress:
        """Read up to the head that the nodes agree on.

        Parameters
        ----------
        head : Head, optional
            The agreed head, where the caller has just asked for it; asked for when not given.

        Returns
        -------
        Progress
            What was new.

        Raises
        ------
        UnavailableError
            When nodes or database fail; the index is what it was after its last whole step.
        """
        await self._mend()
        began = time.monotonic()
        head = await self._endpoints.head() if head is None else head
        final = await self._endpoints.final_number(head)
        first, events, corrected, fork = self.head.number + 1, 0, 0, None
        for _ in range(MOST_FORKS):
            try:
                back = await self._step_back(head, final)
                fork = fork if back is None else back
                while self.head.number < head.number:
                    chunk = await self._advance(head, final)
                    events, corrected = events + len(chunk.logs), corrected + chunk.corrected
                    self._tell(Progress(self.head.number, head.number, events, fork, corrected, _since(began), first))
                corrected += await self._finalise(head, final)
                if self.head.number >= head.number:
                    break
                # A second reading put a final range right, and what is above it is read again.
            except ForkError:
                fork = await self._roll_back(head)
            except ConflictError:
                # A keeper that shares the database is on another branch, or far ahead: go on from what it wrote.
                await self._mend()
        else:
            raise UnavailableError("index", f"the chain changed {MOST_FORKS} times while it was read")
        self.state.ts = self.head.ts
        return Progress(self.head.number, head.number, events, fork, corrected, _since(began), first)

    def take_changed(self) -> Sequence[int]:
        """Return accounts that changed since the last call, closed ones included; all of them at first.

        Returns
        -------
        Sequence[int]
            Ids in order. Interest, funding and socialised losses change the cash of others without an event of theirs.
        """
        return self._ledger.take_changed()

    def _tell(self, progress: Progress) -> None:
        if self._on_progress is not None:
            self._on_progress(progress)

    def _load(self) -> tuple[Known, Ledger]:
        """Read the state and fold the events above it; once more where a keeper with the same database moved it."""
        for _ in range(MOST_READS):
            known = self._archive.known(self._start)
            if self._archive.is_outdated:
                self._make_anew(known.base)
            with collector_paused():
                ledger = Ledger(self._archive.load(known.base))
                ledger.fold(self._stored(known.base.number + 1, known.head.number))
            now = self._archive.known(self._start)
            if now.base == known.base and now.has(known.head):
                ledger.state.ts = known.head.ts
                ledger.add_changed(ledger.state.accounts)
                return known, ledger
        raise UnavailableError("index", f"the database changed {MOST_READS} times while it was read")

    def _make_anew(self, base: Head) -> None:
        """Make the state at the base again from the events."""
        ledger = Ledger(State())
        ledger.fold(self._stored(0, base.number))
        self._archive.write_anew(Step(base, base, ledger.final_entries(base.number)))

    def _stored(self, first: int, last: int) -> list[ChainEvent]:
        """Return stored events."""
        logs = self._archive.logs(self._addresses, first, last)
        return [self._decoder.decode(log, block_ts) for log, block_ts in logs if self._decoder.knows(log)]

    async def _mend(self) -> None:
        """After a step failed in the database, whether it was kept or not, go on from what the database holds."""
        if self._is_sound:
            return
        known = await asyncio.to_thread(self._archive.known, self._start)
        if known != self._known:
            changed = self._ledger.take_changed()
            self._known, self._ledger = await asyncio.to_thread(self._load)
            self._ledger.add_changed(changed)
        self._is_sound = True

    async def _write(self, step: Step) -> None:
        """Write a step; a cancelled caller waits for its end, so that nobody reads in between."""
        self._is_sound = False
        task = asyncio.ensure_future(asyncio.to_thread(self._archive.write, step, self._known))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise
        self._is_sound = True

    async def _advance(self, head: Head, final: int) -> Chunk:
        """Read, store and fold the next blocks."""
        first, parent_hash = self.head.number + 1, self.head.hash
        is_final = self.head.number == self.base.number and first <= final
        if is_final:
            chunk = await self._fetcher.deep(first, min(final, head.number), parent_hash, head)
        else:
            chunk = await self._fetcher.near(first, head.number, parent_hash, head)
        await self._append(chunk, is_final=is_final)
        return chunk

    async def _append(self, chunk: Chunk, *, is_final: bool) -> None:
        """Fold and store a chunk; the fold is undone when the database does not take it."""
        before, block = self.head, chunk.last
        with collector_paused():
            self._ledger.fold(chunk.events)
        self.state.ts = block.ts
        if is_final:
            step = Step(block, block, self._ledger.final_entries(block.number), logs=chunk.logs, events=chunk.events)
        else:
            step = Step(block, logs=chunk.logs, events=chunk.events, headers=chunk.headers)
        try:
            await self._write(step)
        except BaseException:
            self._ledger.roll_back(before.number, before.ts)
            raise
        if is_final:
            self._ledger.forget(block.number)
            self._known = Known(block, block, {})
        else:
            self._known.blocks.update({header.number: header.head for header in chunk.headers})
            self._known = Known(self.base, block, self._known.blocks)

    async def _step_back(self, head: Head, final: int) -> int | None:
        """Undo blocks that the chain no longer has; return the fork point when there were any."""
        if head.number > self.head.number:
            self._behind_since = None
            return await self._catch_up(head, final)
        mine = self._at(head.number)
        if mine is None or mine.hash in ("", head.hash):
            return self._wait_for(head)
        return await self._roll_back(head)

    async def _catch_up(self, head: Head, final: int) -> int | None:
        """After a long pause, let what has become final become the base, so that the rest is read as final too."""
        if final <= self.head.number or not self._known.blocks:
            return None
        (header,) = await self._fetcher.headers(self._endpoints.node_at(head), [self.head.number])
        if header.hash != self.head.hash:
            return await self._roll_back(head)
        await self._finalise(head, self.head.number, step=1)
        return None

    def _wait_for(self, head: Head) -> int | None:
        """Bear with a head that is an ancestor of ours for a while: nodes behind a balancer are not at one height."""
        if head.number >= self.head.number:
            self._behind_since = None
            return None
        if head.number < self.base.number:
            raise HeadError("index", f"the nodes are at block {head.number}, below the final block {self.base.number}")
        now = time.monotonic()
        self._behind_since = now if self._behind_since is None else self._behind_since
        if now - self._behind_since > PATIENCE_SEC:
            raise HeadError("index", f"the nodes went back to block {head.number}, the index is at {self.head.number}")
        return None

    def _at(self, number: int) -> Head | None:
        """Return the block that the index has at a number, where it still knows."""
        return self.base if number == self.base.number else self._known.blocks.get(number)

    async def _roll_back(self, head: Head) -> int:
        """Find the last block that index and chain share, and forget what is above it."""
        fork = await self._find_fork(head)
        await self._write(Step(fork, drop_above=fork.number))
        self._ledger.roll_back(fork.number, fork.ts)
        blocks = {number: block for number, block in self._known.blocks.items() if number <= fork.number}
        self._known = Known(self.base, fork, blocks)
        return fork.number

    async def _find_fork(self, head: Head) -> Head:
        """Compare the blocks that the index knows with those of a node, newest first."""
        node = self._endpoints.node_at(head)
        mine = [block for number, block in sorted(self._known.blocks.items(), reverse=True) if number <= head.number]
        for at in range(0, len(mine), 64):
            some = mine[at : at + 64]
            theirs = await self._fetcher.headers(node, [block.number for block in some])
            for ours, header in zip(some, theirs, strict=True):
                if ours.hash == header.hash:
                    return ours
        if self.base.hash:
            (header,) = await self._fetcher.headers(node, [self.base.number])
            if header.hash != self.base.hash:
                text = f"the chain forked below block {self.base.number}, which was final; index it again from empty"
                raise NodeProblem(node.url, text, "refused")
        return self.base

    async def _finalise(self, head: Head, final: int, step: int | None = None) -> int:
        """Move the base to the last final block; return how many ranges the second reading put right."""
        target = self._known.blocks.get(min(final, self.head.number))
        if target is None:
            return 0
        if step is None:
            # A settlement counts once it is in the base: holders wait for it, and no more blocks than need be.
            step = 1 if self.ledger.changed_by("settled", target.number) else self._final_step
        if target.number - self.base.number < step:
            return 0
        while self.base.number < target.number:
            first = self.base.number + 1
            chunk = await self._fetcher.deep(first, target.number, self.base.hash, head)
            block = self._known.blocks[chunk.last.number]
            if block.hash != chunk.last.hash:
                raise ForkError("index", f"block {block.number} is another one than was read before")
            if [log for log, _ in self._archive.logs(self._addresses, first, block.number)] != chunk.logs:
                await self._replace(chunk)
                return 1
            await self._settle(block)
        return 0

    async def _settle(self, block: Head) -> None:
        """Make a block the base."""
        await self._write(Step(self.head, block, self._ledger.final_entries(block.number)))
        self._ledger.forget(block.number)
        later = {number: known for number, known in self._known.blocks.items() if number > block.number}
        self._known = Known(block, self.head, later)

    async def _replace(self, chunk: Chunk) -> None:
        """Take a final range from its second reading instead of the first; what is above it has to be read again."""
        base = self.base
        await self._write(Step(base, drop_above=base.number))
        self._ledger.roll_back(base.number, base.ts)
        self._known = Known(base, base, {})
        await self._append(chunk, is_final=True)


def _since(began: float) -> float:
    return time.monotonic() - began
