"""Decodes logs by readers that are built once for each event: a slice and a conversion for each word.

Events of words alone, which are nearly all that a market emits, never see the general decoder; the others do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

from eth_utils.address import to_checksum_address

from plimsoll.chain.abi import Event, decode_values, load_artifact
from plimsoll.deployment.record import artifact_name
from plimsoll.errors import PlimsollError
from plimsoll.index.reader import ChainEvent
from plimsoll.index.wire import Log

_WORD: Final = 32
_SIGN: Final = 1 << 255
_FULL: Final = 1 << 256

Reader = Callable[[bytes], Any]


class LogError(PlimsollError):
    """A log of one of our contracts does not fit the event that its topic names."""


@lru_cache(maxsize=1 << 18)
def _address(word: bytes) -> str:
    """Return the address in a word; the same few owners and keepers come again and again."""
    return str(to_checksum_address(word[12:]))


def _unsigned(word: bytes) -> int:
    return int.from_bytes(word, "big")


def _signed(word: bytes) -> int:
    value = int.from_bytes(word, "big")
    return value - _FULL if value & _SIGN else value


def _boolean(word: bytes) -> bool:
    return word[31] == 1


def _reader_of(kind: str) -> Reader | None:
    """Return how a type of one word is read; ``None`` for types that take more."""
    if kind.startswith("uint") and not kind.endswith("]"):
        return _unsigned
    if kind.startswith("int") and not kind.endswith("]"):
        return _signed
    if kind == "bytes32":
        return bytes
    if kind == "bool":
        return _boolean
    return _address if kind == "address" else None


class _EventDecoder:
    """One event of one contract."""

    __slots__ = ("_event", "_indexed", "_plain", "_size", "name")

    def __init__(self, event: Event) -> None:
        self.name, self._event = event.name, event
        readers = [(entry["name"], _reader_of(entry["type"]), entry["indexed"]) for entry in event.inputs]
        self._indexed = [(name, reader) for name, reader, indexed in readers if indexed and reader is not None]
        plain = [(name, reader) for name, reader, indexed in readers if not indexed]
        self._plain: list[tuple[str, Reader, int]] | None = [
            (name, reader, _WORD * place) for place, (name, reader) in enumerate(plain) if reader is not None
        ]
        self._size = _WORD * len(plain)
        if len(self._plain) != len(plain):
            self._plain = None

    def values(self, topics: bytes, data: bytes) -> dict[str, Any]:
        """Return the arguments by name."""
        if len(topics) != _WORD * (len(self._indexed) + 1):
            raise ValueError(f"{len(topics) // _WORD} topics")
        values = {}
        start = _WORD
        for name, reader in self._indexed:
            values[name] = reader(topics[start : start + _WORD])
            start += _WORD
        if self._plain is None:
            return values | self._general(data)
        if len(data) != self._size:
            raise ValueError(f"{len(data)} bytes of data")
        for name, reader, place in self._plain:
            values[name] = reader(data[place : place + _WORD])
        return values

    def _general(self, data: bytes) -> dict[str, Any]:
        """Decode what has structs or lists."""
        plain = [entry for entry in self._event.inputs if not entry["indexed"]]
        decoded = decode_values(plain, data)
        together = (decoded,) if len(plain) == 1 else decoded
        return dict(zip((entry["name"] for entry in plain), together, strict=True))


class Decoder:
    """Every event of a set of contracts.

    Parameters
    ----------
    addresses : Mapping[str, str]
        Address by name in the deployment.
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self.names = {bytes.fromhex(address[2:]): name for name, address in addresses.items()}
        self._events: dict[tuple[bytes, bytes], _EventDecoder] = {}
        #: Topics of every address, for its bloom.
        self.topics: dict[bytes, list[bytes]] = {}
        for address, name in self.names.items():
            events = load_artifact(artifact_name(name)).events
            self.topics[address] = [bytes.fromhex(topic[2:]) for topic in events]
            for topic, event in events.items():
                self._events[address, bytes.fromhex(topic[2:])] = _EventDecoder(event)

    def knows(self, log: Log) -> bool:
        """Return whether a log is of an event of the artefact of its contract.

        Parameters
        ----------
        log : Log
            From a node.

        Returns
        -------
        bool
            False for an event of a later edition of the contract.
        """
        return (log.address, log.topics[:_WORD]) in self._events

    def decode(self, log: Log, block_ts: int) -> ChainEvent:
        """Decode one log that :meth:`knows` accepts.

        Parameters
        ----------
        log : Log
            From a node or from the database.
        block_ts : int
            Time of its block, unix seconds.

        Returns
        -------
        ChainEvent
            Arguments by name, structs as namespaces.

        Raises
        ------
        LogError
            When its topics or data do not fit the event.
        """
        decoder = self._events[log.address, log.topics[:_WORD]]
        contract = self.names[log.address]
        try:
            values = decoder.values(log.topics, log.data)
        # Each kind of value fails in its own way on bytes that are none; whichever it was, this is not the event.
        except Exception as reason:
            where = f"log {log.log_index} of block {log.block_number}"
            raise LogError(where, f"is no {contract}.{decoder.name} ({reason})") from reason
        return ChainEvent(
            log.block_number, log.log_index, block_ts, log.block_hash, log.tx_hash, contract, decoder.name, values
        )


def plain_of(value: Any) -> Any:
    """Turn decoded arguments into JSON values.

    Parameters
    ----------
    value : Any
        Arguments, structs as namespaces.

    Returns
    -------
    Any
        Structs as objects, bytes as hexadecimal.
    """
    if isinstance(value, SimpleNamespace):
        return {key: plain_of(item) for key, item in vars(value).items()}
    if isinstance(value, list | tuple):
        return [plain_of(item) for item in value]
    return "0x" + value.hex() if isinstance(value, bytes) else value


def named_of(value: Any) -> Any:
    """Undo :func:`plain_of`; bytes stay hexadecimal.

    Parameters
    ----------
    value : Any
        JSON values.

    Returns
    -------
    Any
        Objects as namespaces.
    """
    if isinstance(value, dict):
        return SimpleNamespace(**{key: named_of(item) for key, item in value.items()})
    return [named_of(item) for item in value] if isinstance(value, list) else value
