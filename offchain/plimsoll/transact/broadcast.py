"""Sends signed transactions to every endpoint at once, and sums up what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import Head
from plimsoll.chain.node import Node
from plimsoll.chain.problem import NodeProblem
from plimsoll.transact.answers import Answer, meaning, strongest
from plimsoll.transact.entry import Entry
from plimsoll.transact.policy import Policy

log = structlog.get_logger()

TAKEN = (Answer.ACCEPTED, Answer.KNOWN)


def answer_of(result: Any) -> Answer:
    """Sort what a node said to one transaction.

    Parameters
    ----------
    result : Any
        Its hash, or what stands where there is none.

    Returns
    -------
    Answer
        A text that is no hash counts as no answer.
    """
    if isinstance(result, NodeProblem):
        if result.kind in ("down", "malformed"):
            return Answer.NONE
        said = meaning(result.message)
        return Answer.NONE if said is Answer.REFUSED and result.kind == "limit" else said
    if isinstance(result, Exception):
        return Answer.REFUSED
    return Answer.ACCEPTED if isinstance(result, str) and result.startswith("0x") else Answer.NONE


class Broadcaster:
    """The ways out of the process.

    Parameters
    ----------
    endpoints : Endpoints
        Public nodes; all of them get everything that is not private.
    relay : Node or None
        Private relay.
    policy : Policy
        When private transactions become public, and how long to wait.
    """

    def __init__(self, endpoints: Endpoints, relay: Node | None, policy: Policy) -> None:
        self._endpoints = endpoints
        self._relay = relay
        self._policy = policy
        self._late: set[asyncio.Task[None]] = set()

    async def send(self, entries: Sequence[Entry], head: Head) -> dict[int, Answer]:
        """Send the newest transaction of each entry, in the order of the nonces.

        Parameters
        ----------
        entries : Sequence[Entry]
            Journalled entries.
        head : Head
            Agreed head; says how long a private one has been waiting.

        Returns
        -------
        dict[int, Answer]
            By row of the journal. It is there as soon as every entry was taken by somebody; slower endpoints are
            waited for no longer.
        """
        ordered = sorted(entries, key=lambda entry: entry.nonce)
        answers: dict[int, list[Answer]] = {entry.row_id: [] for entry in ordered}
        routes = self._routes(ordered, head)
        waiting = {asyncio.create_task(self._post(node, part, answers)) for node, part in routes}
        deadline = asyncio.get_running_loop().time() + self._policy.send_timeout_sec
        while waiting and not all(any(said in TAKEN for said in given) for given in answers.values()):
            left_sec = deadline - asyncio.get_running_loop().time()
            if left_sec <= 0:
                break
            _, waiting = await asyncio.wait(waiting, timeout=left_sec, return_when=asyncio.FIRST_COMPLETED)
        if waiting:
            for given in answers.values():
                given.append(Answer.NONE)
        for task in waiting:
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        return {row_id: strongest(given) for row_id, given in answers.items()}

    async def close(self) -> None:
        """Stop waiting for slow endpoints."""
        for task in list(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    def _routes(self, entries: Sequence[Entry], head: Head) -> list[tuple[Node, list[Entry]]]:
        """Say which node gets which entries."""
        hidden = [entry for entry in entries if self._is_hidden(entry, head)]
        shown = [entry for entry in entries if entry not in hidden]
        routes = [(node, shown) for node in self._endpoints.nodes] if shown else []
        private = [entry for entry in entries if entry.transaction.is_private]
        if self._relay is not None and private:
            routes.append((self._relay, private))
        return routes

    def _is_hidden(self, entry: Entry, head: Head) -> bool:
        """Whether an entry is for the relay alone as yet."""
        if self._relay is None or not entry.transaction.is_private:
            return False
        after = self._policy.relay_blocks
        return after is None or head.number - entry.planned_block < after

    async def _post(self, node: Node, entries: list[Entry], answers: dict[int, list[Answer]]) -> None:
        """Send to one node; whatever it does is an answer."""
        requests = [("eth_sendRawTransaction", ["0x" + entry.raw.hex()]) for entry in entries]
        try:
            results = await node.batch(requests) if len(requests) > 1 else [await node.rpc(*_single(requests[0]))]
        except Exception as problem:
            results = [problem] * len(entries)
        for entry, result in zip(entries, results, strict=True):
            said = answer_of(result)
            answers[entry.row_id].append(said)
            if said not in TAKEN:
                log.info("send refused", key=entry.key, nonce=entry.nonce, node=node.url, reason=str(result)[:300])


def _single(request: tuple[str, list[str]]) -> tuple[str, str]:
    """Spread one request over the arguments of ``rpc``."""
    return request[0], request[1][0]
