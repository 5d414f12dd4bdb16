"""What the chain shows of the journal's entries: receipts that count, blocks that went, nonces that are used."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import Head, hash_of, whole_of
from plimsoll.chain.node import Node, Request
from plimsoll.chain.problem import NodeProblem
from plimsoll.transact.entry import PENDING, Entry, State
from plimsoll.transact.ground import Ground, quantity, survey

#: Newest blocks that are looked at in every advance; only when one of them went are all of them.
NEWEST_BLOCKS: Final = 16
#: Number and hash of a block.
BlockId = tuple[int, str]
_SEEKING: Final = (*PENDING, State.DROPPED, State.ORPHANED)


@dataclass(frozen=True, slots=True)
class Mined:
    """Receipt of a transaction.

    Parameters
    ----------
    tx_hash : str
        Transaction.
    block_number : int
        Block that holds it.
    block_hash : str
        Its hash.
    succeeded : bool
        Whether it had its effect.
    gas_used : int
        Gas that was paid for.
    price_wei : int or None
        What was paid per gas; ``None`` where the node does not say.
    published_wei : int
        What a rollup charged besides, for the publication.
    """

    tx_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    price_wei: int | None
    published_wei: int

    def cost_wei(self, bid_wei: int) -> int:
        """Return what it cost, wei, at the price that was bid where the node does not say the price paid."""
        return self.gas_used * (bid_wei if self.price_wei is None else self.price_wei) + self.published_wei


@dataclass(frozen=True, slots=True)
class Sighting:
    """The chain as seen from a head.

    Parameters
    ----------
    ground : Ground
        Nonces, balance, fees.
    known : frozenset[str]
        Pending transactions that the node holds.
    mined : dict[str, Mined]
        Receipts, by transaction, whose block the chain of the head contains.
    gone : frozenset[BlockId]
        Recorded blocks that that chain no longer contains.
    unseen : frozenset[int]
        Used nonces for which no endpoint shows a receipt of ours.
    used_deep : int
        Nonces used at the depth at which one may count as lost; 0 when that is not known.
    """

    ground: Ground
    known: frozenset[str]
    mined: dict[str, Mined]
    gone: frozenset[BlockId]
    unseen: frozenset[int]
    used_deep: int


async def look(
    endpoints: Endpoints,
    signer: str,
    head: Head,
    entries: Sequence[Entry],
    recorded: frozenset[BlockId],
    lost_blocks: int,
) -> Sighting:
    """Look at the chain from an agreed head.

    Parameters
    ----------
    endpoints : Endpoints
        Nodes.
    signer : str
        Address.
    head : Head
        Agreed head.
    entries : Sequence[Entry]
        Unfinished entries.
    recorded : frozenset[BlockId]
        Blocks that the journal believes in.
    lost_blocks : int
        Depth of :attr:`Sighting.used_deep`.

    Returns
    -------
    Sighting
        Receipts count only in blocks of the chain of ``head``.

    Raises
    ------
    UnavailableError
        When no node that showed the head answers.
    """
    waiting = [entry for entry in entries if entry.state in PENDING]
    numbers = {number for number, _ in recorded}
    newest = sorted(numbers, reverse=True)[:NEWEST_BLOCKS]
    requests: list[Request] = [("eth_getTransactionByHash", [entry.hashes[-1]]) for entry in waiting]
    requests += [_block(number) for number in newest]
    node, ground, answers = await survey(endpoints, signer, head, requests)
    shown = answers[: len(waiting)]
    known = frozenset(e.hashes[-1] for e, answer in zip(waiting, shown, strict=True) if isinstance(answer, dict))
    blocks = _hashes(newest, answers[len(waiting) :]) | {head.number: head.hash}
    if _gone(recorded, blocks, head):
        # A reorganisation reaches as far down as it reaches: every recorded block is in question.
        blocks |= await _blocks(node, numbers)
    settled = {entry.nonce for entry in entries if entry.state is State.INCLUDED}
    seeking = [e for e in entries if e.state in _SEEKING and e.nonce < ground.used and e.nonce not in settled]
    found, unseen = await _receipts(endpoints, node, seeking)
    missing = {receipt.block_number for receipt in found.values()} - set(blocks)
    blocks |= await _blocks(node, missing)
    mined = {key: r for key, r in found.items() if blocks.get(r.block_number) == r.block_hash}
    deep = await _used_at(node, signer, head.number - lost_blocks) if unseen else 0
    return Sighting(ground, known, mined, _gone(recorded, blocks, head), unseen, deep)


def _gone(recorded: frozenset[BlockId], blocks: dict[int, str], head: Head) -> frozenset[BlockId]:
    """Return the blocks of which it is known that they are others now, and those above the head."""
    return frozenset(
        (number, block_hash)
        for number, block_hash in recorded
        if number > head.number or blocks.get(number, block_hash) != block_hash
    )


def _block(number: int) -> Request:
    """Ask for a block without its transactions."""
    return "eth_getBlockByNumber", [hex(number), False]


def _hashes(numbers: Iterable[int], answers: Sequence[Any]) -> dict[int, str]:
    """Read hashes of blocks; what is no answer says nothing."""
    found: dict[int, str] = {}
    for number, answer in zip(numbers, answers, strict=True):
        if isinstance(answer, dict):
            try:
                found[number] = hash_of(answer.get("hash"))
            except ValueError:
                continue
    return found


async def _blocks(node: Node, numbers: Iterable[int]) -> dict[int, str]:
    """Ask a node for hashes of blocks."""
    ordered = sorted(numbers)
    return _hashes(ordered, await node.batch([_block(number) for number in ordered])) if ordered else {}


async def _receipts(
    endpoints: Endpoints, node: Node, seeking: Sequence[Entry]
) -> tuple[dict[str, Mined], frozenset[int]]:
    """Look for receipts on one node, and on the others for nonces that it shows none for."""
    found = await _receipts_of(node, seeking)
    missing = _without(seeking, found)
    others = [other for other in endpoints.nodes if other is not node]
    if missing and others:
        for more in await asyncio.gather(*(_receipts_of(other, missing) for other in others)):
            found = more | found
    return found, frozenset(entry.nonce for entry in _without(seeking, found))


def _without(entries: Sequence[Entry], found: dict[str, Mined]) -> list[Entry]:
    """Return the entries of nonces for which there is no receipt."""
    seen = {entry.nonce for entry in entries if any(tx_hash in found for tx_hash in entry.hashes)}
    return [entry for entry in entries if entry.nonce not in seen]


async def _receipts_of(node: Node, entries: Sequence[Entry]) -> dict[str, Mined]:
    """Ask one node for the receipts of every transaction of the entries; what it does not answer it does not show."""
    asked = [tx_hash for entry in entries for tx_hash in entry.hashes]
    if not asked:
        return {}
    try:
        answers = await node.batch([("eth_getTransactionReceipt", [tx_hash]) for tx_hash in asked])
    except NodeProblem:
        return {}
    read = {tx_hash: _read_receipt(tx_hash, answer) for tx_hash, answer in zip(asked, answers, strict=True)}
    return {tx_hash: receipt for tx_hash, receipt in read.items() if receipt is not None}


def _read_receipt(tx_hash: str, answer: Any) -> Mined | None:
    """Read a receipt; a malformed one counts as none."""
    try:
        if hash_of(answer["transactionHash"]) != tx_hash:
            return None
        price = answer.get("effectiveGasPrice")
        return Mined(
            tx_hash,
            whole_of(answer["blockNumber"]),
            hash_of(answer["blockHash"]),
            whole_of(answer["status"]) == 1,
            whole_of(answer["gasUsed"]),
            None if price is None else whole_of(price),
            whole_of(answer.get("l1Fee") or "0x0"),
        )
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


async def _used_at(node: Node, signer: str, number: int) -> int:
    """Return the nonces used at an earlier block; 0 where the node cannot say."""
    if number < 0:
        return 0
    try:
        answer = await node.rpc("eth_getTransactionCount", signer, hex(number))
        return quantity(node.url, answer, "eth_getTransactionCount")
    except NodeProblem:
        return 0
