"""Follows the events of the exchange block by block, back to the fork after a reorganisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import Head
from plimsoll.chain.problem import NodeProblem
from plimsoll.deployment.record import Deployment
from plimsoll.errors import UnavailableError
from plimsoll.index.decoder import Decoder
from plimsoll.index.fetch import Fetcher, ForkError
from plimsoll.index.reader import ChainEvent
from plimsoll.venue.chain.ledger import ExchangeLedger
from plimsoll.venue.journal.ledger_store import LedgerStore

#: Points of the past that are compared with the chain to find a fork.
KEPT: Final = 512
MOST_FORKS: Final = 5
#: Blocks whose fills and nonces are put on disk together, and the depth below which they are.
KEEP_BLOCKS: Final = 64
#: What the venue listens to.
HEARD: Final = ("Exchange", "Intents")


@dataclass(frozen=True, slots=True)
class News:
    """What one step brought: first the fork, when there is one, then events up to a block.

    Parameters
    ----------
    fork : Head or None
        Everything above it is gone.
    events : sequence of ChainEvent
        Above the fork, in order.
    last : Head
        Everything up to it is known.
    final_number : int
        Blocks up to it are final.
    """

    fork: Head | None
    events: Sequence[ChainEvent]
    last: Head
    final_number: int


class Follower:
    """Reads what is new.

    Parameters
    ----------
    endpoints : Endpoints
        Nodes.
    deployment : Deployment
        Whose exchange.
    points : sequence of Head
        Blocks that the log knows, oldest first; the last is where reading goes on.
    store : LedgerStore
        What final blocks say of digests and nonces.
    """

    def __init__(
        self, endpoints: Endpoints, deployment: Deployment, points: Sequence[Head], store: LedgerStore
    ) -> None:
        known = {name: deployment.contracts[name] for name in HEARD if name in deployment.contracts}
        self._fetcher = Fetcher(endpoints, Decoder(known))
        self._endpoints, self._first = endpoints, deployment.block
        self.ledger = ExchangeLedger(store)
        self._points = list(points)
        kept_number = store.block_number
        self._ledger_at = deployment.block - 1 if kept_number is None else kept_number

    @property
    def last(self) -> Head:
        """Where reading goes on."""
        return self._points[-1] if self._points else Head(self._first - 1, "", 0)

    def align(self, points: Sequence[Head]) -> None:
        """Go back to what the log knows, when a step that was read did not get into it.

        Parameters
        ----------
        points : sequence of Head
            Blocks that the log knows, oldest first.
        """
        if list(points) != self._points:
            self._points = list(points)
            self.ledger.roll_back(self.last.number)
            self._ledger_at = min(self._ledger_at, self.last.number)

    async def warm(self, head: Head) -> None:
        """Read what the ledger needs between what it has on disk and the log's last block, once after a start."""
        end = min(self.last.number, head.number)
        while self._ledger_at < end:
            chunk = await self._fetcher.deep(self._ledger_at + 1, end, "", head)
            for event in chunk.events:
                self.ledger.apply(event)
            self._ledger_at = chunk.last.number

    async def keep(self, final_number: int) -> None:
        """Put on disk what final blocks say, when there are enough of them.

        Parameters
        ----------
        final_number : int
            Blocks up to it are final; what the log does not have yet is not kept.

        Raises
        ------
        StorageError
            When the database fails.
        """
        # Deeper than needed, so that a chain that takes back more than was final finds it in the memory.
        kept_number, end = self.ledger.block_number, min(final_number, self.last.number - KEEP_BLOCKS)
        if end - (self._first - 1 if kept_number is None else kept_number) >= KEEP_BLOCKS:
            await self.ledger.keep(end)

    async def step(self, head: Head, final_number: int) -> News | None:
        """Read up to a head.

        Parameters
        ----------
        head : Head
            Agreed head.
        final_number : int
            Blocks up to it are final.

        Returns
        -------
        News or None
            None when there is nothing new.

        Raises
        ------
        UnavailableError
            When nodes fail, or the chain changes faster than it can be read.
        """
        if head.hash == self.last.hash:
            return None
        for _ in range(MOST_FORKS):
            try:
                return await self._step(head, final_number)
            except ForkError:
                continue
        raise UnavailableError("exchange", f"the chain changed {MOST_FORKS} times while it was read")

    async def _step(self, head: Head, final_number: int) -> News | None:
        if head.number < self.last.number:
            # A node that lags, or a branch that is still shorter: a later head decides.
            return None
        fork = await self._fork(head)
        start = fork if fork is not None else self.last
        events: list[ChainEvent] = []
        last = start
        while last.number < head.number:
            if last.number + 1 <= final_number - KEPT:
                chunk = await self._fetcher.deep(last.number + 1, final_number - KEPT, last.hash, head)
            else:
                chunk = await self._fetcher.near(last.number + 1, head.number, last.hash, head)
            events += chunk.events
            last = chunk.last
        self._keep(fork, events, last)
        return News(fork, events, last, final_number)

    def _keep(self, fork: Head | None, events: Sequence[ChainEvent], last: Head) -> None:
        """Remember what was read, when all of it was."""
        if fork is not None:
            self.ledger.roll_back(fork.number)
            self._points = [point for point in self._points if point.number <= fork.number]
        for event in events:
            self.ledger.apply(event)
        self._points = [*self._points, last][-KEPT:]
        self._ledger_at = last.number

    async def _fork(self, head: Head) -> Head | None:
        """Return the newest known block that the chain still has, when it is not the last one."""
        node = self._endpoints.node_at(head)
        mine = [point for point in reversed(self._points) if point.number <= head.number]
        if mine and mine[0] is self.last:
            (header,) = await self._fetcher.headers(node, [mine[0].number])
            if header.hash == mine[0].hash:
                return None
        for start in range(0, len(mine), 32):
            some = mine[start : start + 32]
            headers = await self._fetcher.headers(node, [point.number for point in some])
            for point, header in zip(some, headers, strict=True):
                if header.hash == point.hash:
                    return point
        if self._points and self._points[0].number > self._first:
            text = f"the chain forked below block {self._points[0].number}, the oldest that the venue knows"
            raise NodeProblem(node.url, text, "refused")
        return Head(self._first - 1, "", 0) if self._points else None
