"""Whether there is a new head: one small request at a time, and all nodes only when there is doubt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import read_header
from plimsoll.errors import PlimsollError

#: Shortest pause between two questions for the head: a node of one's own bears it, and a block is seen at once.
SHORTEST_SEC: Final = 0.05
#: The head is asked for this often in the longest pause between two passes, so that a slow loop asks seldom.
QUESTIONS: Final = 20


def pause_of(interval_sec: float) -> float:
    """Return how long to wait between two questions for the head.

    Parameters
    ----------
    interval_sec : float
        Longest pause between two passes.

    Returns
    -------
    float
        Seconds.
    """
    return max(SHORTEST_SEC, interval_sec / QUESTIONS)


class HeadWatch:
    """Looks for a head other than the one that was worked on.

    Parameters
    ----------
    endpoints : Endpoints
        Nodes; the first of them is asked as long as it agrees with what the quorum said.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._shown = ""

    async def is_new(self, known_hash: str) -> bool:
        """Return whether the nodes may have another head.

        Parameters
        ----------
        known_hash : str
            Head that was worked on.

        Returns
        -------
        bool
            A node that runs ahead of the quorum, or lags behind it, is believed once: from then on, until it is where
            the others are, all are asked as for any pass. False where nobody answers; the pass says what is wrong.
        """
        if self._shown not in ("", known_hash):
            self._shown = await self._quietly(self._first)
            return await self._quietly(self._agreed) not in ("", known_hash)
        self._shown = await self._quietly(self._first)
        if not self._shown:
            return await self._quietly(self._agreed) not in ("", known_hash)
        return self._shown != known_hash

    async def _first(self) -> str:
        """Ask the first node that the last agreement did not leave out."""
        nodes = self._endpoints.nodes
        node = next((node for node in nodes if node.url not in self._endpoints.left_out), nodes[0])
        return read_header(node.url, await node.rpc("eth_getBlockByNumber", "latest", False)).hash

    async def _agreed(self) -> str:
        return (await self._endpoints.head()).hash

    async def _quietly(self, ask: Callable[[], Awaitable[str]]) -> str:
        """Return a hash, or nothing where there is no answer."""
        try:
            return await ask()
        except PlimsollError:
            return ""
