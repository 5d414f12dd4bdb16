"""What must be known of chain and signer before anything is signed: nonces, balance, fees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from plimsoll.chain.endpoints import Endpoints, HeadError
from plimsoll.chain.head import Head, whole_of
from plimsoll.chain.node import Node, Request
from plimsoll.chain.problem import NodeProblem
from plimsoll.chain.revert import RevertError
from plimsoll.transact.fees import Market

#: How many answers a :class:`Ground` takes.
GROUND_SIZE: Final = 6


@dataclass(frozen=True, slots=True)
class Ground:
    """Chain and signer as of a head.

    Parameters
    ----------
    used : int
        Nonces that the chain has used, so the next one that it takes.
    queued : int
        The same with what the node's pool holds without a gap.
    balance_wei : int
        What the signer has.
    market : Market
        What the chain asks for.
    """

    used: int
    queued: int
    balance_wei: int
    market: Market


async def survey(
    endpoints: Endpoints, signer: str, head: Head, requests: Sequence[Request]
) -> tuple[Node, Ground, list[Any]]:
    """Ask a node that has shown a head about the signer, and more in the same batch; the next one where it fails.

    Parameters
    ----------
    endpoints : Endpoints
        Several nodes.
    signer : str
        Address.
    head : Head
        Agreed head.
    requests : Sequence[Request]
        Reads besides.

    Returns
    -------
    tuple[Node, Ground, list]
        Which node answered; nonces, balance and fees; and its answers to ``requests``, problems among them as
        :meth:`plimsoll.chain.node.Node.batch` gives them.

    Raises
    ------
    UnavailableError
        When none does.
    """
    last: NodeProblem | None = None
    for node in endpoints.nodes_at(head):
        try:
            answers = await node.batch([*_ground_requests(signer, head), *requests])
            return node, _read_ground(node.url, answers, head), answers[GROUND_SIZE:]
        except NodeProblem as problem:
            endpoints.demote(node, problem.message)
            last = problem
    raise last if last is not None else HeadError("endpoints", f"no node has shown block {head.number} {head.hash}")


def _ground_requests(signer: str, head: Head) -> list[Request]:
    """Return the questions that :func:`_read_ground` reads the answers to."""
    block = hex(head.number)
    return [
        ("eth_getBlockByNumber", [block, False]),
        ("eth_getTransactionCount", [signer, block]),
        ("eth_getTransactionCount", [signer, "pending"]),
        ("eth_getBalance", [signer, block]),
        ("eth_maxPriorityFeePerGas", []),
        ("eth_gasPrice", []),
    ]


def quantity(source: str, answer: Any, what: str) -> int:
    """Read a quantity out of one answer of a batch.

    Parameters
    ----------
    source : str
        Which node.
    answer : Any
        Its answer.
    what : str
        What was asked, for the message.

    Returns
    -------
    int
        Not negative.

    Raises
    ------
    NodeProblem
        When the answer is none.
    """
    if isinstance(answer, NodeProblem):
        raise answer
    try:
        return whole_of(answer)
    except ValueError as reason:
        raise NodeProblem(source, f"{what}: {reason}", "malformed") from reason


def _read_ground(source: str, answers: Sequence[Any], head: Head) -> Ground:
    """Read the answers; a node that has left the chain of the head has none."""
    header, used, queued, balance, tip, price = answers[:GROUND_SIZE]
    if isinstance(header, NodeProblem):
        raise header
    if not isinstance(header, dict) or str(header.get("hash")).lower() != head.hash:
        raise NodeProblem(source, f"no longer has block {head.number} {head.hash}", "malformed")
    base = header.get("baseFeePerGas")
    base_wei = None if base is None else quantity(source, base, "baseFeePerGas")
    price_wei = _optional(source, price, "eth_gasPrice", required=base_wei is None)
    counted = quantity(source, used, "eth_getTransactionCount")
    return Ground(
        used=counted,
        # A node without a pool of its own does not answer this; the journal knows what is pending of ours.
        queued=max(counted, _optional(source, queued, "eth_getTransactionCount", required=False)),
        balance_wei=quantity(source, balance, "eth_getBalance"),
        market=Market(base_wei, _optional(source, tip, "eth_maxPriorityFeePerGas", required=False), price_wei),
    )


def _optional(source: str, answer: Any, what: str, *, required: bool) -> int:
    """Read a quantity that some nodes do not give."""
    if isinstance(answer, NodeProblem | RevertError) and not required:
        return 0
    return quantity(source, answer, what)
