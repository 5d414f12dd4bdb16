"""Logs as a node sends them, checked for shape: what is malformed never reaches a decoder."""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from plimsoll.chain.head import Header, hash_of
from plimsoll.chain.problem import NodeProblem


class Log(NamedTuple):
    """One log; hashes as text with ``0x``, topics one behind the other."""

    block_number: int
    log_index: int
    block_hash: str
    tx_hash: str
    address: bytes
    topics: bytes
    data: bytes


@lru_cache(maxsize=1024)
def _address(text: str) -> bytes:
    """Return an address as bytes: those of ours come again with every log."""
    return bytes.fromhex(text[2:])


def read_log(source: str, raw: Any) -> Log:
    """Read one log.

    Parameters
    ----------
    source : str
        Which node, for the message.
    raw : Any
        Whatever it sent.

    Returns
    -------
    Log
        Of a mined block.

    Raises
    ------
    NodeProblem
        When it is no log, or one of a block that a reorganisation removed.
    """
    try:
        log = Log(
            int(raw["blockNumber"], 16),
            int(raw["logIndex"], 16),
            raw["blockHash"].lower(),
            raw["transactionHash"].lower(),
            _address(raw["address"]),
            bytes.fromhex("".join([topic[2:] for topic in raw["topics"]])),
            bytes.fromhex(raw["data"][2:]),
        )
        if raw.get("removed"):
            raise ValueError("it was removed")
    except (TypeError, KeyError, ValueError, AttributeError) as reason:
        raise NodeProblem(source, f"sent a malformed log ({reason!r})", "malformed") from reason
    return log


def read_logs(source: str, answer: Any, first: int, last: int, addresses: Container[bytes]) -> list[Log]:
    """Read the answer to ``eth_getLogs``.

    Parameters
    ----------
    source : str
        Which node.
    answer : Any
        Result, or the problem that stands for it.
    first : int
        First block that was asked for.
    last : int
        Last block.
    addresses : Container[bytes]
        What was asked for.

    Returns
    -------
    list[Log]
        In chain order; logs without topics left out.

    Raises
    ------
    NodeProblem
        When it is a problem or no list, or holds what was not asked for, or one log twice.
    """
    if isinstance(answer, NodeProblem):
        raise answer
    if not isinstance(answer, list):
        raise NodeProblem(source, f"eth_getLogs gave no list but {str(answer)[:80]!r}", "malformed")
    logs = sorted(read_log(source, raw) for raw in answer)
    for log in logs:
        if not first <= log.block_number <= last or log.address not in addresses:
            raise NodeProblem(source, f"sent a log of block {log.block_number} that nobody asked for", "malformed")
    if any(one[:2] == other[:2] for one, other in pairwise(logs)):
        raise NodeProblem(source, "sent one log twice, or two logs in one place", "malformed")
    return [log for log in logs if log.topics]


def read_receipts(source: str, answers: Any, header: Header, addresses: Container[bytes]) -> list[Log]:
    """Read our logs from all receipts of a block.

    Parameters
    ----------
    source : str
        Which node.
    answers : Any
        Receipts, one for each transaction.
    header : Header
        The block.
    addresses : Container[bytes]
        Ours.

    Returns
    -------
    list[Log]
        In chain order.

    Raises
    ------
    NodeProblem
        When a receipt is missing, malformed, or of another block.
    """
    if isinstance(answers, NodeProblem):
        raise answers
    if not isinstance(answers, list):
        raise NodeProblem(source, f"gave no receipts of block {header.number}", "malformed")
    problem = next((receipt for receipt in answers if isinstance(receipt, NodeProblem)), None)
    if problem is not None:
        raise problem
    try:
        hashes = [hash_of(receipt["transactionHash"]) for receipt in answers]
        blocks = {hash_of(receipt["blockHash"]) for receipt in answers}
        raws = [raw for receipt in answers for raw in receipt["logs"]]
    except (TypeError, KeyError, ValueError) as reason:
        text = f"gave a malformed receipt in block {header.number} ({reason!r})"
        raise NodeProblem(source, text, "malformed") from reason
    if sorted(hashes) != sorted(header.transactions) or blocks - {header.hash}:
        raise NodeProblem(source, f"gave receipts of another block than {header.number} {header.hash}", "malformed")
    logs = [log for log in sorted(read_log(source, raw) for raw in raws) if log.address in addresses and log.topics]
    if any(log.block_hash != header.hash for log in logs):
        raise NodeProblem(source, f"a receipt of block {header.number} holds a log of another block", "malformed")
    return logs
