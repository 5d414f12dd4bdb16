"""Blocks as a node describes them: the head that one acts on, and headers with what proves logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from plimsoll.chain.problem import NodeProblem

_HASH_LENGTH: Final = 66
_BLOOM_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class Head:
    """One block: number, hash with ``0x``, and time (unix seconds)."""

    number: int
    hash: str
    ts: int


@dataclass(frozen=True, slots=True)
class Header:
    """What the index needs of a block; ``transactions`` are the hashes of its transactions."""

    number: int
    hash: str
    parent_hash: str
    ts: int
    bloom: bytes
    transactions: tuple[str, ...]

    @property
    def head(self) -> Head:
        """The block as something to act on."""
        return Head(self.number, self.hash, self.ts)


def whole_of(value: Any) -> int:
    """Read a quantity of JSON-RPC.

    Parameters
    ----------
    value : Any
        Whatever the node sent.

    Returns
    -------
    int
        Not negative.

    Raises
    ------
    ValueError
        When it is not hexadecimal text.
    """
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError(f"{value!r} is no quantity")
    return int(value, 16)


def hash_of(value: Any) -> str:
    """Read a hash of 32 bytes.

    Parameters
    ----------
    value : Any
        Whatever the node sent.

    Returns
    -------
    str
        In small letters, with ``0x``.

    Raises
    ------
    ValueError
        When it is anything else.
    """
    if not isinstance(value, str) or len(value) != _HASH_LENGTH or not value.startswith("0x"):
        raise ValueError(f"{str(value)[:80]!r} is no hash")
    int(value, 16)
    return value.lower()


def data_of(value: Any) -> bytes:
    """Read data of any length, such as the answer to ``eth_call``.

    Parameters
    ----------
    value : Any
        Whatever the node sent.

    Returns
    -------
    bytes
        Empty for ``0x``.

    Raises
    ------
    ValueError
        When it is not hexadecimal text.
    """
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError(f"{str(value)[:80]!r} is no data")
    return bytes.fromhex(value[2:])


def read_header(source: str, answer: Any, number: int | None = None) -> Header:
    """Read the answer to ``eth_getBlockByNumber`` or ``eth_getBlockByHash`` without full transactions.

    Parameters
    ----------
    source : str
        Which node, for the message.
    answer : Any
        Result, or the problem that stands for it.
    number : int, optional
        The block that was asked for, where it was asked by number.

    Returns
    -------
    Header
        Checked for shape.

    Raises
    ------
    NodeProblem
        When it is a problem, no block at all, another block, or of another shape.
    """
    if isinstance(answer, NodeProblem):
        raise answer
    where = "the latest block" if number is None else f"block {number}"
    if answer is None:
        raise NodeProblem(source, f"does not have {where}", "malformed")
    try:
        bloom = bytes.fromhex(answer["logsBloom"][2:])
        if len(bloom) != _BLOOM_BYTES:
            raise ValueError(f"a bloom of {len(bloom)} bytes")
        header = Header(
            whole_of(answer["number"]),
            hash_of(answer["hash"]),
            hash_of(answer["parentHash"]),
            whole_of(answer["timestamp"]),
            bloom,
            tuple(hash_of(item["hash"] if isinstance(item, dict) else item) for item in answer["transactions"]),
        )
    except (TypeError, KeyError, ValueError, AttributeError) as reason:
        raise NodeProblem(source, f"the header of {where} is malformed ({reason!r})", "malformed") from reason
    if number is not None and header.number != number:
        raise NodeProblem(source, f"answered block {header.number} for {where}", "malformed")
    return header
