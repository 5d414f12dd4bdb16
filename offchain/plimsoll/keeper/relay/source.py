"""A chain whose sums are proven on another one, read from several nodes of which none has to be believed.

A block counts as final when a quorum of nodes says so and has the same hash at that height, and the header must hash to
it. Logs are asked of every one of these nodes and taken together: one that keeps some back hides nothing while another
does not, and what one invents is found out by its proof.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from plimsoll.chain.abi import decode_event, load_artifact
from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.node import Node
from plimsoll.chain.problem import NodeProblem
from plimsoll.chain.revert import RevertError
from plimsoll.errors import PlimsollError, UnavailableError
from plimsoll.remote.headers import Header, header_of
from plimsoll.remote.proofs import StorageProof, proof_of, proof_request


class ForgottenError(UnavailableError):
    """No node proves on a block any more; it is not that none answers."""


#: Token and receiver.
Place = tuple[str, str]
#: Place, block, and the sum since the beginning.
Entry = tuple[Place, int, int]
#: Questions for logs of one look.
MOST_RANGES: Final = 100
#: Bodies of the final block and of the chain's id, asked together.
FINAL: Final = (("eth_chainId", ()), ("eth_getBlockByNumber", ("finalized", False)))


class Source:
    """Final blocks, sums and proofs of one contract on one chain.

    Parameters
    ----------
    endpoints : Endpoints
        Nodes of the chain, and how many of them must agree.
    chain_id : int
    contract : str
        Name of the contract that counts.
    address : str
        Where it is.
    event : str
        What it says when it counts: token and receiver, and the sum since the beginning as ``totalRaw``.
    first_block : int
        First block that can hold one.
    log_blocks : int
        Most blocks of one question for logs.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        chain_id: int,
        contract: str,
        address: str,
        event: str,
        first_block: int,
        log_blocks: int,
    ) -> None:
        self.endpoints, self.chain_id, self.address = endpoints, chain_id, address
        self._first_block, self._log_blocks = first_block, log_blocks
        self._topic, self._event = next((t, e) for t, e in load_artifact(contract).events.items() if e.name == event)
        self._fields = [str(field["name"]) for field in self._event.inputs if field["indexed"]]
        #: Last block that was read; -1 before the first time.
        self._last = -1
        self._agreed: tuple[Node, ...] = ()
        self._turn = 0
        #: Sums that are not known to be carried for good, by place: block and sum since the beginning.
        self._seen: dict[Place, dict[int, int]] = {}
        #: What is known to be carried for good, by place.
        self._done: dict[Place, int] = {}
        #: What nodes were left out for, by address, in the last question for the final block and since.
        self.problems: dict[str, str] = {}

    async def final(self) -> Header:
        """Return the highest block that a quorum of nodes calls final, with the same hash.

        Returns
        -------
        Header

        Raises
        ------
        UnavailableError
            When too few nodes say what is final, or they disagree.
        """
        self.problems, nodes = {}, self.endpoints.nodes
        found = await self._headers(nodes, "finalized")
        quorum = self.endpoints.quorum
        if len(found) < quorum:
            why = "; ".join(self.problems.values())
            text = f"{len(found)} of {len(nodes)} say what is final, {quorum} must: {why}"
            raise UnavailableError(f"chain {self.chain_id}", text)
        number = sorted((header.number for header in found.values()), reverse=True)[quorum - 1]
        ahead = [node for node, header in found.items() if header.number > number]
        same = {node: header for node, header in found.items() if header.number == number}
        same |= await self._headers(ahead, hex(number))
        votes: dict[bytes, list[Node]] = {}
        for node, header in same.items():
            votes.setdefault(header.block_hash, []).append(node)
        best = max(votes.values(), key=len)
        others = [node for some in votes.values() if some is not best for node in some]
        self.problems |= {node.url: f"{node.url}: has another final block {number}" for node in others}
        if len(best) < quorum:
            shown = "; ".join(f"0x{digest.hex()} of {len(some)}" for digest, some in sorted(votes.items()))
            raise UnavailableError(f"chain {self.chain_id}", f"nodes disagree on the final block {number}: {shown}")
        self._agreed = tuple(node for node in nodes if node in best)
        return same[best[0]]

    async def at(self, number: int) -> Header:
        """Return a header below the final block that a quorum of the nodes which showed it has.

        Parameters
        ----------
        number : int

        Returns
        -------
        Header

        Raises
        ------
        UnavailableError
            When too few nodes have it, or they disagree.
        """
        found = await self._headers(self._agreed, hex(number))
        hashes = Counter(header.block_hash for header in found.values())
        best, count = max(hashes.items(), key=lambda item: item[1], default=(b"", 0))
        if count < self.endpoints.quorum:
            text = f"{count} nodes agree on block {number}, {self.endpoints.quorum} must"
            raise UnavailableError(f"chain {self.chain_id}", text)
        return next(header for header in found.values() if header.block_hash == best)

    async def read(self, final: Header) -> None:
        """Read what was counted up to a final block, the last stretch of blocks once more.

        A node that has not seen all logs of a block yet leaves some out without a word; the next look finds them. A
        long way is gone in several looks, and each goes on where the last one ended.

        Parameters
        ----------
        final : Header

        Raises
        ------
        UnavailableError
            When no node that showed the block sends logs; what was read before stays.
        """
        if final.number == self._last:
            return
        # Final blocks do not go back: somebody lied, now or before, and may have hidden what lies between.
        is_anew = final.number < self._last
        first = self._first_block if is_anew else max(self._first_block, self._last + 1 - self._log_blocks)
        for _ in range(MOST_RANGES):
            if first > final.number:
                return
            last = min(first + self._log_blocks - 1, final.number)
            await self._read(first, last)
            self._last, first = last, last + 1

    def waiting(self) -> dict[Place, tuple[int, int]]:
        """Return the newest sum of every place and the block in which it was counted."""
        newest = {place: max(sums.items(), key=lambda item: item[1]) for place, sums in self._seen.items() if sums}
        return {place: (total_raw, block) for place, (block, total_raw) in newest.items()}

    def carried(self, place: Place, done_raw: int) -> None:
        """Forget the sums of a place that were carried for good.

        Parameters
        ----------
        place : tuple of str
        done_raw : int
            What the taking chain has, in a block that is final.
        """
        self._done[place] = max(done_raw, self._done.get(place, 0))
        self._keep(place, {block: total for block, total in self._seen.get(place, {}).items() if total > done_raw})

    def proven(self, place: Place, number: int, word: int) -> None:
        """Forget the sums of a place that a proof contradicts: no log of the chain said them.

        Parameters
        ----------
        place : tuple of str
        number : int
            Block of the proof.
        word : int
            What it says.
        """
        sums = self._seen.get(place, {})
        self._keep(place, {block: total for block, total in sums.items() if block > number or total <= word})

    async def prove(self, slot: bytes, number: int) -> StorageProof:
        """Return the proof of one word, of the first node that gives one; each call begins with another node.

        Parameters
        ----------
        slot : bytes
        number : int
            Block, at most the last one of :meth:`final`.

        Returns
        -------
        StorageProof

        Raises
        ------
        ForgottenError
            When nodes answer, and none has the state of the block.
        UnavailableError
            When no node answers.
        """
        self._turn += 1
        first = self._turn % max(len(self._agreed), 1)
        method, parameters = proof_request(self.address, slot, number)
        why: list[str] = []
        is_down = True
        for node in (*self._agreed[first:], *self._agreed[:first]):
            try:
                return proof_of(node.url, await node.rpc(method, *parameters), number)
            except PlimsollError as problem:
                why.append(str(problem))
                is_down = is_down and isinstance(problem, NodeProblem) and problem.kind == "down"
        text = f"no node proves on block {number}: {'; '.join(why)}"
        raise (UnavailableError if is_down else ForgottenError)(f"chain {self.chain_id}", text)

    async def _headers(self, nodes: Sequence[Node], block: str) -> dict[Node, Header]:
        """Ask nodes for one block each; what is wrong with an answer is noted."""
        found = await asyncio.gather(*(self._header(node, block) for node in nodes))
        return {node: header for node, header in zip(nodes, found, strict=True) if header is not None}

    async def _header(self, node: Node, block: str) -> Header | None:
        """Ask one node, which must be of the chain, for a block; ``None`` where the answer is no good."""
        try:
            asked = [(method, (block, *parameters[1:]) if parameters else ()) for method, parameters in FINAL]
            chain_id, answer = await node.batch(asked)
            for one in (chain_id, answer):
                if isinstance(one, PlimsollError):
                    raise one
            if chain_id != hex(self.chain_id):
                raise UnavailableError(node.url, f"is of chain {chain_id}, not of {self.chain_id}")
            header = header_of(node.url, answer)
            if block != "finalized" and header.number != int(block, 16):
                raise UnavailableError(node.url, f"was asked for block {int(block, 16)}, answered {header.number}")
            return header
        except (NodeProblem, RevertError, UnavailableError) as problem:
            self.problems[node.url] = str(problem)
            return None

    async def _read(self, first: int, last: int) -> None:
        """Read the logs of a range from every node that showed the final block; one has to answer."""
        answers = await asyncio.gather(*(self._logs(node, first, last) for node in self._agreed))
        if all(logs is None for logs in answers):
            why = "; ".join(self.problems.values())
            raise UnavailableError(f"chain {self.chain_id}", f"no node sends logs of blocks {first} to {last}: {why}")
        for place, block, total_raw in (entry for logs in answers for entry in logs or ()):
            if total_raw > self._done.get(place, 0):
                sums = self._seen.setdefault(place, {})
                sums[block] = max(total_raw, sums.get(block, 0))

    async def _logs(self, node: Node, first: int, last: int) -> list[Entry] | None:
        """Ask one node for logs, in halves where it wants less; ``None`` where any of the answer is no good."""
        query = {"address": self.address, "topics": [self._topic], "fromBlock": hex(first), "toBlock": hex(last)}
        try:
            found = await node.rpc("eth_getLogs", query)
        except PlimsollError as problem:
            if isinstance(problem, NodeProblem) and problem.kind == "limit" and first < last:
                middle = (first + last) // 2
                halves = [await self._logs(node, first, middle), await self._logs(node, middle + 1, last)]
                return None if None in halves else [log for half in halves for log in half or ()]
            self.problems[node.url] = str(problem)
            return None
        if not isinstance(found, list):
            self.problems[node.url] = f"{node.url}: eth_getLogs: the answer is no list"
            return None
        try:
            return [self._entry(log, first, last) for log in found]
        except Exception as reason:
            # Whatever a node sends is said, and asked again.
            self.problems[node.url] = f"{node.url}: eth_getLogs: a log is no {self._event.name} ({reason!r})"
            return None

    def _entry(self, log: Any, first: int, last: int) -> Entry:
        """Read one log, which must have been asked for."""
        block, address = int(log["blockNumber"], 16), str(log["address"]).lower()
        if address != self.address.lower() or log["topics"][0] != self._topic or not first <= block <= last:
            raise ValueError("was not asked for")
        values = vars(decode_event(self._event, log)[1])
        place = str(values[self._fields[0]]), str(values[self._fields[1]])
        return place, block, int(values["totalRaw"])

    def _keep(self, place: Place, sums: dict[int, int]) -> None:
        if sums:
            self._seen[place] = sums
        else:
            self._seen.pop(place, None)
