"""Reads logs in raw JSON-RPC batches and decodes them by the built ABIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from plimsoll.chain.abi import Event, decode_event, load_artifact
from plimsoll.chain.client import Client
from plimsoll.errors import UnavailableError

BLOCKS_PER_REQUEST = 2_000
REQUESTS_PER_BATCH = 20


class ChainEvent(NamedTuple):
    """One decoded log; ``values`` holds the arguments by name, structs as nested namespaces."""

    block_number: int
    log_index: int
    block_ts: int
    block_hash: str
    tx_hash: str
    contract: str
    name: str
    values: Mapping[str, Any]


def _headers(numbers: Sequence[str]) -> list[tuple[str, Sequence[Any]]]:
    """Return the requests for some block headers."""
    return [("eth_getBlockByNumber", [number, False]) for number in numbers]


class LogReader:
    """Logs of a set of contracts.

    Parameters
    ----------
    client : Client
        Endpoint.
    addresses : Mapping[str, str]
        Address by contract name.
    """

    def __init__(self, client: Client, addresses: Mapping[str, str]) -> None:
        self._client = client
        #: Time of the block that ``head`` named last.
        self.head_ts = 0
        self._names = {address.lower(): name for name, address in addresses.items()}
        self._events: dict[str, dict[str, Event]] = {name: load_artifact(name).events for name in addresses}

    def head(self) -> tuple[int, str]:
        """Return number and hash of the latest block."""
        block = self._client.rpc("eth_getBlockByNumber", "latest", False)
        self.head_ts = int(block["timestamp"], 16)
        return int(block["number"], 16), block["hash"]

    def block_hashes(self, numbers: Sequence[int]) -> list[str | None]:
        """Return the hashes that the node has now; ``None`` where it has no such block.

        Parameters
        ----------
        numbers : Sequence[int]
            Block numbers.

        Returns
        -------
        list
            In the order of ``numbers``.
        """
        answers = self._client.batch(_headers([hex(n) for n in numbers]))
        return [answer["hash"] if isinstance(answer, dict) else None for answer in answers]

    def read(self, first: int, last: int) -> list[ChainEvent]:
        """Read and decode every event between two blocks, both included.

        Parameters
        ----------
        first : int
            First block.
        last : int
            Last block.

        Returns
        -------
        list[ChainEvent]
            In chain order.

        Raises
        ------
        UnavailableError
            When the node refuses a range.
        """
        addresses = sorted(self._names)
        starts = range(first, last + 1, BLOCKS_PER_REQUEST)
        requests: list[tuple[str, Sequence[Any]]] = []
        for start in starts:
            end = min(start + BLOCKS_PER_REQUEST - 1, last)
            requests.append(("eth_getLogs", [{"fromBlock": hex(start), "toBlock": hex(end), "address": addresses}]))
        events: list[ChainEvent] = []
        for offset in range(0, len(requests), REQUESTS_PER_BATCH):
            for answer in self._client.batch(requests[offset : offset + REQUESTS_PER_BATCH]):
                if not isinstance(answer, list):
                    raise UnavailableError(self._client.url, f"eth_getLogs failed: {answer}")
                events.extend(self._decode_all([log for log in answer if log["topics"]]))
        return sorted(events, key=lambda event: (event.block_number, event.log_index))

    def _decode_all(self, logs: Sequence[Mapping[str, Any]]) -> list[ChainEvent]:
        """Decode logs; nodes that leave the block's time out of a log are asked for the headers."""
        known = {log["blockNumber"]: log["blockTimestamp"] for log in logs if log.get("blockTimestamp")}
        missing = sorted({log["blockNumber"] for log in logs} - set(known))
        for number, block in zip(missing, self._client.batch(_headers(missing)), strict=True):
            if not isinstance(block, dict):
                raise UnavailableError(self._client.url, f"no header of block {number}")
            known[number] = block["timestamp"]
        return [self._decode(log, int(known[log["blockNumber"]], 16)) for log in logs]

    def _decode(self, log: Mapping[str, Any], block_ts: int) -> ChainEvent:
        """Decode one log."""
        contract = self._names[log["address"].lower()]
        name, values = decode_event(self._events[contract][log["topics"][0]], log)
        return ChainEvent(
            block_number=int(log["blockNumber"], 16),
            log_index=int(log["logIndex"], 16),
            block_ts=block_ts,
            block_hash=log["blockHash"],
            tx_hash=log["transactionHash"],
            contract=contract,
            name=name,
            values=vars(values),
        )
