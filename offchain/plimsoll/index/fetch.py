"""Reads logs so that none can be missing: what a node sends counts only when headers, blooms and receipts agree.

Near the head every header is read. They must link to the block that is known already and lead to the head that was
agreed on; every log must be of one of them; and where the bloom of one says that a log of ours may be in the block, its
receipts decide. A node that lags behind, or a balancer that asks one that does, is found by that at once. From a node
that has no receipts of whole blocks they are asked for one by one, and only where the bloom names an event that was not
sent.

Blocks that are final are many, and a header each would take hours on a chain of a million blocks a month. They are
read twice instead, from two nodes where there are two, and receipts decide about blocks in which the readings differ;
headers are read of blocks with logs alone. What two readings omit alike remains open to the comparison with the chain's
own views.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeVar

from plimsoll.chain.collector import collector_paused
from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import Head, Header, read_header
from plimsoll.chain.node import Node, Request
from plimsoll.chain.problem import NodeProblem
from plimsoll.chain.revert import RevertError
from plimsoll.errors import PlimsollError
from plimsoll.index.decoder import Decoder, LogError
from plimsoll.index.proof import Proof
from plimsoll.index.reader import ChainEvent
from plimsoll.index.wire import Log, read_logs, read_receipts

#: Headers in one reading near the head.
NEAR_BLOCKS: Final = 128
#: Blocks in one reading of what is final, at first and at most; limits of the node halve it.
DEEP_BLOCKS: Final = 2_000
MOST_DEEP_BLOCKS: Final = 100_000
#: A reading with more logs than this is followed by a shorter one, which bounds memory.
MANY_LOGS: Final = 20_000
ATTEMPTS: Final = 6
PAUSE_SEC: Final = 0.05
LONGEST_PAUSE_SEC: Final = 5.0

T = TypeVar("T")


class ForkError(PlimsollError):
    """The chain is not the one that was read before."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Logs of some blocks, proven, and the events that they are.

    ``corrected`` counts blocks where receipts said something else than ``eth_getLogs``.
    """

    first: int
    last: Head
    headers: Sequence[Header]
    logs: Sequence[Log]
    events: Sequence[ChainEvent]
    corrected: int


def _header_request(number: int) -> Request:
    return ("eth_getBlockByNumber", [hex(number), False])


class Fetcher:
    """Logs of a set of contracts.

    Parameters
    ----------
    endpoints : Endpoints
        Nodes.
    decoder : Decoder
        Which contracts and events.
    """

    def __init__(self, endpoints: Endpoints, decoder: Decoder) -> None:
        self._endpoints = endpoints
        self._decoder = decoder
        self._ours = decoder.topics
        self._proof = Proof(decoder.topics)
        self._addresses = ["0x" + address.hex() for address in decoder.topics]
        self._near_blocks, self._deep_blocks = NEAR_BLOCKS, DEEP_BLOCKS
        self._without_receipts: set[str] = set()
        #: Blocks in which a node's ``eth_getLogs`` was found to be wrong, since the start.
        self.corrected = 0

    async def near(self, first: int, last: int, parent_hash: str, head: Head) -> Chunk:
        """Read blocks that may still change.

        Parameters
        ----------
        first : int
            First block.
        last : int
            Last block, at most; fewer may be read.
        parent_hash : str
            Hash of the block before the first; empty when it is not known.
        head : Head
            What was agreed on.

        Returns
        -------
        Chunk
            With the header of every block.

        Raises
        ------
        ForkError
            When the chain does not lead from the known block to the head.
        NodeProblem
            When no node gave an answer that can be used.
        """

        async def read(node: Node) -> Chunk:
            end = min(last, first + self._near_blocks - 1)
            return await self._read_near(node, first, end, parent_hash, head)

        def shorten() -> bool:
            shorter = min(self._near_blocks, last - first + 1) > 1
            self._near_blocks = max(1, min(self._near_blocks, last - first + 1) // 2)
            return shorter

        chunk = await self._try(head, read, shorten)
        self._near_blocks = min(NEAR_BLOCKS, 2 * self._near_blocks)
        return chunk

    async def deep(self, first: int, last: int, parent_hash: str, head: Head) -> Chunk:
        """Read blocks that are final.

        Parameters
        ----------
        first : int
            First block.
        last : int
            Last block, at most; fewer may be read.
        parent_hash : str
            Hash of the block before the first; empty when it is not known.
        head : Head
            What was agreed on.

        Returns
        -------
        Chunk
            With the headers of the last block and of those with logs.

        Raises
        ------
        ForkError
            When the block before the first is not the one that is known.
        NodeProblem
            When no node gave an answer that can be used, or two readings differ and no receipts decide.
        """

        async def read(node: Node) -> Chunk:
            end = min(last, first + self._deep_blocks - 1)
            return await self._read_deep(node, first, end, parent_hash, head)

        def shorten() -> bool:
            shorter = min(self._deep_blocks, last - first + 1) > 1
            self._deep_blocks = max(1, min(self._deep_blocks, last - first + 1) // 2)
            return shorter

        chunk = await self._try(head, read, shorten)
        if len(chunk.logs) > MANY_LOGS:
            self._deep_blocks = max(1, self._deep_blocks // 2)
        elif len(chunk.logs) < MANY_LOGS // 4:
            self._deep_blocks = min(MOST_DEEP_BLOCKS, 2 * self._deep_blocks)
        return chunk

    async def headers(self, node: Node, numbers: Sequence[int]) -> list[Header]:
        """Read headers.

        Parameters
        ----------
        node : Node
            Which node.
        numbers : Sequence[int]
            Block numbers.

        Returns
        -------
        list[Header]
            In the order of the numbers.

        Raises
        ------
        NodeProblem
            When one is missing or malformed.
        """
        answers = await node.batch([_header_request(number) for number in numbers])
        return [self._header(node, answer, number) for answer, number in zip(answers, numbers, strict=True)]

    async def _try(self, head: Head, read: Callable[[Node], Awaitable[T]], shorten: Callable[[], bool]) -> T:
        """Ask one node after the other, with patience; the last problem is raised."""
        attempt = 0
        while True:
            node = self._endpoints.node_at(head)
            try:
                return await read(node)
            except RevertError as reason:
                problem = NodeProblem(node.url, f"reverted a question for blocks ({reason.name})", "malformed")
            except NodeProblem as reason:
                problem = reason
            if problem.kind == "limit" and problem.retry_after_sec is None and shorten():
                await asyncio.sleep(PAUSE_SEC)
                continue
            attempt += 1
            if attempt >= ATTEMPTS:
                raise problem
            if problem.kind != "limit":
                self._endpoints.demote(node, str(problem))
            pause_sec = problem.retry_after_sec or PAUSE_SEC * 2**attempt * (1 + random.random())  # noqa: S311 (not a secret)
            await asyncio.sleep(min(pause_sec, LONGEST_PAUSE_SEC))

    def _logs_request(self, first: int, last: int) -> Request:
        return ("eth_getLogs", [{"fromBlock": hex(first), "toBlock": hex(last), "address": self._addresses}])

    def _header(self, node: Node, answer: Any, number: int) -> Header:
        """Read one header of a batch."""
        if isinstance(answer, RevertError):
            raise NodeProblem(node.url, "reverted a question for a block", "malformed")
        return read_header(node.url, answer, number)

    def _show_head(self, node: Node, head: Head, before: Any, after: Any) -> None:
        """Refuse answers of a node that was not at the head before and after."""
        for answer in (before, after):
            if self._header(node, answer, head.number).hash != head.hash:
                raise NodeProblem(node.url, f"no longer has block {head.number} {head.hash}", "malformed")

    async def _read_near(self, node: Node, first: int, last: int, parent_hash: str, head: Head) -> Chunk:
        """Read headers and logs from one node and prove them."""
        blocks = [_header_request(number) for number in range(first, last + 1)]
        at_head = _header_request(head.number)
        before, *answers, logs_answer, after = await node.batch(
            [at_head, *blocks, self._logs_request(first, last), at_head]
        )
        headers = [self._header(node, answer, first + place) for place, answer in enumerate(answers)]
        if parent_hash and headers[0].parent_hash != parent_hash:
            raise ForkError(node.url, f"block {first} follows another block than the one read before")
        self._show_head(node, head, before, after)
        if any(above.parent_hash != below.hash for below, above in pairwise(headers)):
            raise NodeProblem(node.url, f"headers {first} to {last} are of several chains", "malformed")
        if last == head.number and headers[-1].hash != head.hash:
            raise NodeProblem(node.url, f"has another block {last} than it has shown", "malformed")
        logs = read_logs(node.url, self._list(node, logs_answer), first, last, self._ours)
        self._proof.check(node.url, logs, {header.number: header for header in headers})
        missing, whole = self._proof.suspects(headers, logs)
        doubtful = missing if node.url in self._without_receipts else sorted([*missing, *whole], key=_number)
        logs, corrected = await self._decide(node, logs, doubtful, {header.number for header in whole})
        return self._chunk(node, first, headers, logs, corrected)

    async def _read_deep(self, node: Node, first: int, last: int, parent_hash: str, head: Head) -> Chunk:
        """Read logs twice, and the headers that they need."""
        other = self._second(node, head)
        answer = await self._read_once(node, first, last, head)
        answer_again = await self._read_once(other, first, last, head)
        with collector_paused():
            logs = read_logs(node.url, answer, first, last, self._ours)
            # Two answers that are equal to the letter, which nearly all are, need not be taken apart twice.
            is_same = answer_again == answer
            again = logs if is_same else read_logs(other.url, answer_again, first, last, self._ours)
        doubtful: set[int] = set()
        if logs != again:
            doubtful = {log.block_number for log in set(logs) ^ set(again)}
            logs = sorted(set(logs) | set(again))
        numbers = sorted({log.block_number for log in logs} | {last})
        if parent_hash:
            (parent,) = await self.headers(node, [first - 1])
            if parent.hash != parent_hash:
                raise ForkError(node.url, f"block {first - 1} is another one than was read before")
        headers = await self.headers(node, numbers)
        by_number = dict(zip(numbers, headers, strict=True))
        certain = [log for log in logs if log.block_number not in doubtful]
        self._proof.check(node.url, certain, by_number)
        logs, corrected = await self._decide(node, logs, [by_number[number] for number in sorted(doubtful)], set())
        return self._chunk(node, first, headers, logs, corrected)

    def _chunk(self, node: Node, first: int, headers: Sequence[Header], logs: Sequence[Log], corrected: int) -> Chunk:
        """Decode proven logs; events that the artefacts do not know belong to nobody here."""
        times = {header.number: header.ts for header in headers}
        known = [log for log in logs if self._decoder.knows(log)]
        try:
            with collector_paused():
                events = [self._decoder.decode(log, times[log.block_number]) for log in known]
        except LogError as reason:
            raise NodeProblem(node.url, f"sent what cannot be decoded: {reason}", "malformed") from reason
        return Chunk(first, headers[-1].head, headers, known, events, corrected)

    def _second(self, node: Node, head: Head) -> Node:
        """Return another node that is at the head, or the same one where there is no other."""
        return next((other for other in self._endpoints.nodes_at(head) if other is not node), node)

    async def _read_once(self, node: Node, first: int, last: int, head: Head) -> Any:
        """Return what a node that is at the head before and after answers for the logs of a range."""
        at_head = _header_request(head.number)
        before, answer, after = await node.batch([at_head, self._logs_request(first, last), at_head])
        self._show_head(node, head, before, after)
        if isinstance(answer, NodeProblem):
            raise answer
        return self._list(node, answer)

    def _list(self, node: Node, answer: Any) -> Any:
        """Turn a revert, which no sound node answers here, into a problem."""
        if isinstance(answer, RevertError):
            raise NodeProblem(node.url, "reverted a question for logs", "malformed")
        return answer

    async def _decide(
        self, node: Node, logs: list[Log], blocks: Sequence[Header], optional: set[int]
    ) -> tuple[list[Log], int]:
        """Replace the logs of some blocks by those of their receipts; return in how many that made a difference."""
        if not blocks:
            return logs, 0
        corrected = 0
        by_block: dict[int, list[Log]] = {}
        for log in logs:
            by_block.setdefault(log.block_number, []).append(log)
        answers = await node.batch([("eth_getBlockReceipts", [hex(header.number)]) for header in blocks])
        for header, answer in zip(blocks, answers, strict=True):
            if isinstance(answer, NodeProblem) and answer.kind in ("unsupported", "refused"):
                if answer.kind == "unsupported":
                    self._without_receipts.add(node.url)
                if header.number in optional:
                    continue
                answer = await node.batch([("eth_getTransactionReceipt", [digest]) for digest in header.transactions])
            proven = read_receipts(node.url, answer, header, self._ours)
            corrected += by_block.get(header.number, []) != proven
            by_block[header.number] = proven
        self.corrected += corrected
        return sorted(log for some in by_block.values() for log in some), corrected


def _number(header: Header) -> int:
    return header.number
