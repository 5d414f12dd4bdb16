"""What headers prove about logs: which do not belong to them, and where one may be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plimsoll.chain.head import Header
from plimsoll.chain.problem import NodeProblem
from plimsoll.index.bloom import Watch
from plimsoll.index.wire import Log

_WORD = 32


class Proof:
    """Blooms and hashes against logs.

    Parameters
    ----------
    topics : Mapping[bytes, list[bytes]]
        Topics of the known events of each address.
    """

    def __init__(self, topics: Mapping[bytes, list[bytes]]) -> None:
        self._watch = Watch(topics)

    def check(self, source: str, logs: Sequence[Log], headers: Mapping[int, Header]) -> None:
        """Refuse logs of another chain, and those that the bloom of their block excludes.

        Parameters
        ----------
        source : str
            Which node, for the message.
        logs : Sequence[Log]
            What it sent.
        headers : Mapping[int, Header]
            Header of every block with a log.

        Raises
        ------
        NodeProblem
            When a log cannot be in its block.
        """
        pairs: set[tuple[int, bytes, bytes]] = set()
        for log in logs:
            if log.block_hash != headers[log.block_number].hash:
                raise NodeProblem(source, f"a log of block {log.block_number} is of another chain", "malformed")
            pairs.add((log.block_number, log.address, log.topics[:_WORD]))
        for number, address, topic in pairs:
            if self._watch.excludes(headers[number].bloom, address, topic):
                raise NodeProblem(source, f"the bloom of block {number} excludes a log in it", "malformed")

    def suspects(self, headers: Sequence[Header], logs: Sequence[Log]) -> tuple[list[Header], list[Header]]:
        """Return blocks whose receipts should be looked at.

        Parameters
        ----------
        headers : Sequence[Header]
            Every block of a range.
        logs : Sequence[Log]
            What was sent for the range.

        Returns
        -------
        tuple[list[Header], list[Header]]
            Those whose bloom says that a pair of address and event may be missing, which may be a false alarm; and
            those where every pair was seen, though not perhaps every log of it.
        """
        seen: dict[int, set[tuple[bytes, bytes]]] = {}
        for log in logs:
            seen.setdefault(log.block_number, set()).add((log.address, log.topics[:_WORD]))
        missing, whole = [], []
        for header in headers:
            if header.transactions:
                found = seen.get(header.number, set())
                if self._watch.possible(header.bloom) - found:
                    missing.append(header)
                elif found:
                    whole.append(header)
        return missing, whole
