"""Several endpoints: the head that enough of them agree on, and the ones that have shown it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from plimsoll.chain.head import Head, Header, read_header
from plimsoll.chain.node import Node
from plimsoll.chain.problem import NodeProblem
from plimsoll.chain.revert import RevertError
from plimsoll.errors import InputError, UnavailableError

#: How long nodes may disagree or be silent before it is an error: they see a new block at slightly different times.
WAIT_SEC: Final = 5.0
PAUSE_SEC: Final = 0.2
#: A node further behind the agreed head than this is named as lagging.
LAG_BLOCKS: Final = 3
#: Blocks after which one counts as final where no node knows the tag ``finalized``.
FINAL_DEPTH: Final = 64
#: Heads whose nodes are remembered: while one is worked on, others ask for the next.
KEPT_HEADS: Final = 8


class HeadError(UnavailableError):
    """Too few endpoints answer, or those that do disagree on the chain."""


class Endpoints:
    """Several nodes of one chain.

    Parameters
    ----------
    nodes : Sequence[Node]
        In order of preference; closed with this object.
    quorum : int, optional
        How many must have shown a block for it to be the head; more than half when not given.
    wait_sec : float
        How long nodes may disagree or be silent.
    lag_blocks : int
        How far behind a node may be before it is named.
    final_depth : int
        Blocks after which one is final, where the tag ``finalized`` is unknown or not to be used.
    use_final_tag : bool
        Ask for the tag.

    Raises
    ------
    InputError
        When there is no node, or the quorum is impossible.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        quorum: int | None = None,
        *,
        wait_sec: float = WAIT_SEC,
        lag_blocks: int = LAG_BLOCKS,
        final_depth: int = FINAL_DEPTH,
        use_final_tag: bool = True,
    ) -> None:
        wanted = len(nodes) // 2 + 1 if quorum is None else quorum
        if not 1 <= wanted <= len(nodes):
            raise InputError("endpoints", f"a quorum of {wanted} of {len(nodes)} nodes is impossible")
        self.nodes = tuple(nodes)
        self.quorum = wanted
        self._wait_sec, self._lag_blocks = wait_sec, lag_blocks
        self._final_depth, self._use_final_tag = final_depth, use_final_tag
        self._shown: dict[str, list[Node]] = {}
        #: Nodes that were not counted for the last head, by address, and why.
        self.left_out: dict[str, str] = {}
        #: Blocks that nodes said they are at when they were asked last, by address; those that did not answer lack.
        self.numbers: dict[str, int] = {}
        #: Nodes with another block than most at the number that was last agreed on, or to be agreed on, and which.
        self.disputes: dict[str, str] = {}
        #: How often that came about; one disagreement counts once, however often it is met.
        self.disagreements = 0
        self._disputed: tuple[int, frozenset[str]] | None = None
        #: Head that was agreed on last, and when it first was, in seconds of the process's own clock.
        self.agreed_hash, self.agreed_at_sec = "", 0.0

    async def close(self) -> None:
        """Close every node."""
        await asyncio.gather(*(node.close() for node in self.nodes))

    async def head(self) -> Head:
        """Return the highest block that a quorum of nodes has, with the same hash.

        Returns
        -------
        Head
            Number, hash and time.

        Raises
        ------
        HeadError
            When too few nodes answer, or they disagree, for longer than the wait.
        """
        deadline = time.monotonic() + self._wait_sec
        while True:
            try:
                return await self._agree()
            except HeadError:
                if time.monotonic() >= deadline:
                    raise
            await asyncio.sleep(PAUSE_SEC)

    def nodes_at(self, head: Head) -> list[Node]:
        """Return the nodes that showed a head when it was agreed, those of the configuration's beginning first.

        Parameters
        ----------
        head : Head
            From :meth:`head`.

        Returns
        -------
        list[Node]
            Empty for a head that was never agreed, or is long past.
        """
        return list(self._shown.get(head.hash, ()))

    def node_at(self, head: Head) -> Node:
        """Return a node that has shown a head.

        Parameters
        ----------
        head : Head
            From :meth:`head`.

        Returns
        -------
        Node
            The first of :meth:`nodes_at`.

        Raises
        ------
        HeadError
            When there is none.
        """
        nodes = self.nodes_at(head)
        if not nodes:
            raise HeadError("endpoints", f"no node has shown block {head.number} {head.hash}")
        return nodes[0]

    def demote(self, node: Node, reason: str) -> None:
        """Let others go first until the next head, because a node that showed it then failed.

        Parameters
        ----------
        node : Node
            Which one.
        reason : str
            Why, for :attr:`left_out`.
        """
        self.left_out[node.url] = reason
        for nodes in self._shown.values():
            if node in nodes:
                nodes.remove(node)
                nodes.append(node)

    async def final_number(self, head: Head) -> int:
        """Return the last final block as of a head.

        Parameters
        ----------
        head : Head
            From :meth:`head`.

        Returns
        -------
        int
            By the tag ``finalized`` of a node that showed the head, else by depth; -1 when nothing is final yet.

        Raises
        ------
        NodeProblem
            When the node fails in another way than by not knowing the tag.
        """
        if self._use_final_tag:
            node = self.node_at(head)
            try:
                answer = await node.rpc("eth_getBlockByNumber", "finalized", False)
                if answer is not None:
                    return min(read_header(node.url, answer).number, head.number)
            except NodeProblem as problem:
                if problem.kind not in ("unsupported", "refused"):
                    raise
            except RevertError as reason:
                raise NodeProblem(node.url, "reverted a question for a block", "malformed") from reason
        return max(head.number - self._final_depth, -1)

    async def _agree(self) -> Head:
        """Ask every node once for its head, then those ahead for the block that the quorum has."""
        latest = await asyncio.gather(*(self._header(node, None) for node in self.nodes))
        heads = {node: item for node, item in zip(self.nodes, latest, strict=True) if isinstance(item, Header)}
        self.numbers = {node.url: item.number for node, item in heads.items()}
        left_out = {
            node.url: str(item) for node, item in zip(self.nodes, latest, strict=True) if not isinstance(item, Header)
        }
        if len(heads) < self.quorum:
            self.left_out = left_out
            why = "; ".join(left_out.values())
            raise HeadError("endpoints", f"{len(heads)} of {len(self.nodes)} answer, {self.quorum} must: {why}")
        number = sorted((item.number for item in heads.values()), reverse=True)[self.quorum - 1]
        ahead = [node for node, item in heads.items() if item.number >= number]
        same = await asyncio.gather(*(self._header_at(node, heads[node], number) for node in ahead))
        votes: dict[str, list[tuple[Node, Header]]] = {}
        for node, item in zip(ahead, same, strict=True):
            if isinstance(item, Header):
                votes.setdefault(item.hash, []).append((node, item))
            else:
                left_out[node.url] = str(item)
        for node, item in heads.items():
            if item.number < number - self._lag_blocks:
                left_out[node.url] = f"{node.url}: lags, at block {item.number} where others are at {number}"
        return self._count(number, votes, left_out)

    def _count(self, number: int, votes: dict[str, list[tuple[Node, Header]]], left_out: dict[str, str]) -> Head:
        """Return the block with a quorum of votes."""
        best = max(votes.values(), key=len, default=[])
        self._note_disputes(number, votes, best)
        for others in votes.values():
            if others is not best:
                left_out |= {node.url: f"{node.url}: has another block {number}" for node, _ in others}
        self.left_out = left_out
        if len(best) < self.quorum:
            shown = "; ".join(f"{digest} of {len(nodes)}" for digest, nodes in sorted(votes.items()))
            raise HeadError("endpoints", f"they disagree on block {number}: {shown or 'none has it'}")
        head = best[0][1].head
        self._shown.pop(head.hash, None)
        self._shown[head.hash] = [node for node, _ in best]
        for oldest in list(self._shown)[:-KEPT_HEADS]:
            del self._shown[oldest]
        if head.hash != self.agreed_hash:
            self.agreed_hash, self.agreed_at_sec = head.hash, time.monotonic()
        return head

    def _note_disputes(
        self, number: int, votes: dict[str, list[tuple[Node, Header]]], best: list[tuple[Node, Header]]
    ) -> None:
        """Remember who has another block than most, and count it when that is new."""
        self.disputes = {
            node.url: f"{node.url} has block {number} as {digest}, {len(best)} of {len(self.nodes)} have another"
            for digest, some in votes.items()
            for node, _ in some
            if some is not best
        }
        disputed = (number, frozenset(votes)) if self.disputes else None
        self.disagreements += disputed is not None and disputed != self._disputed
        self._disputed = disputed

    async def _header_at(self, node: Node, known: Header, number: int) -> Header | NodeProblem:
        """Return the header of a number, without asking where it is the node's own head."""
        return known if known.number == number else await self._header(node, number)

    async def _header(self, node: Node, number: int | None) -> Header | NodeProblem:
        """Ask one node for a header; what fails is returned."""
        try:
            answer = await node.rpc("eth_getBlockByNumber", "latest" if number is None else hex(number), False)
            return read_header(node.url, answer, number)
        except NodeProblem as problem:
            return problem
        except RevertError:
            return NodeProblem(node.url, "reverted a question for a block", "malformed")
