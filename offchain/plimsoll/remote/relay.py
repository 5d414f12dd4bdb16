"""The relayer: carries final headers and proofs both ways; it has no power, and whoever else does it is as good.

Everything it sends is checked by the contract that takes it, and repeats nothing: sums since the beginning are proven,
so that a proof which was overtaken or sent twice shows nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eth_account.signers.local import LocalAccount

from plimsoll.chain.abi import decode_event
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.remote.headers import Header, header_at
from plimsoll.remote.proofs import StorageProof, locked_slot, prove, redeemed_slot

#: Asks the signers for their signatures of a header, by rising address; fewer than the quorum where some refuse.
Signing = Callable[[Header], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Way:
    """From one chain to the other.

    Attributes
    ----------
    source : Client
        Node of the chain that is proven.
    kept : Contract
        Contract there whose sums are proven.
    feed : Contract
        Headers of the source, on the other chain.
    taker : Contract
        Contract there that takes the proofs.
    sign : callable
    """

    source: Client
    kept: Contract
    feed: Contract
    taker: Contract
    sign: Signing


@dataclass(frozen=True, slots=True)
class Sum:
    """What the source says of a token and a receiver on the other chain since the beginning, raw units."""

    token: str
    to: str
    total_raw: int


def carry_header(way: Way, sender: LocalAccount) -> int:
    """Post the newest final header, when it is newer than what the feed knows.

    Parameters
    ----------
    way : Way
    sender : LocalAccount

    Returns
    -------
    int
        Height of the newest header that the feed knows now.
    """
    header = header_at(way.source, "finalized")
    known: int = way.feed.call("newest")
    if header.number <= known:
        return known
    way.feed.send(sender, "postHeader", header.encoded, header.block_hash, list(way.sign(header)))
    return header.number


def sums_at(way: Way, event: str, number: int) -> list[Sum]:
    """Read what the source has counted up to a block, newest total of each.

    Parameters
    ----------
    way : Way
    event : str
        ``Locked`` or ``Redeemed``.
    number : int
        Last block.

    Returns
    -------
    list of Sum
    """
    topic, entry = next((t, e) for t, e in way.kept.artifact.events.items() if e.name == event)
    token, to = (field["name"] for field in entry.inputs if field["indexed"])
    query = {"address": way.kept.address, "topics": [topic], "fromBlock": "0x0", "toBlock": hex(number)}
    newest: dict[tuple[str, str], int] = {}
    for log in way.source.rpc("eth_getLogs", query):
        values = vars(decode_event(entry, log)[1])
        newest[values[token], values[to]] = values["totalRaw"]
    return [Sum(*place, total) for place, total in newest.items()]


def claim(way: Way, sender: LocalAccount) -> list[Sum]:
    """Make the claims of everything that is locked, final and not claimed yet.

    Parameters
    ----------
    way : Way
        From the escrow's chain to the home chain.
    sender : LocalAccount

    Returns
    -------
    list of Sum
        What was claimed for.
    """
    number = carry_header(way, sender)
    done = []
    for entry in sums_at(way, "Locked", number):
        if way.taker.call("claimedRaw", entry.token, entry.to) >= entry.total_raw:
            continue
        proof = prove(way.source, way.kept.address, locked_slot(entry.token, entry.to), number)
        way.taker.send(sender, "claim", entry.token, entry.to, as_tuple(proof))
        done.append(entry)
    return done


def release(way: Way, sender: LocalAccount) -> list[Sum]:
    """Send out everything that was redeemed, is final and has not left yet.

    Parameters
    ----------
    way : Way
        From the home chain to the escrow's.
    sender : LocalAccount

    Returns
    -------
    list of Sum
        What was released.
    """
    number = carry_header(way, sender)
    done = []
    for entry in sums_at(way, "Redeemed", number):
        if way.taker.call("releasedRaw", entry.token, entry.to) >= entry.total_raw:
            continue
        proof = prove(way.source, way.kept.address, redeemed_slot(entry.token, entry.to), number)
        way.taker.send(sender, "release", entry.token, entry.to, proof.number, list(proof.account), list(proof.storage))
        done.append(entry)
    return done


def as_tuple(proof: StorageProof) -> tuple[int, list[bytes], list[bytes]]:
    """Return a proof as ``IRemoteClaims.Proof``."""
    return proof.number, list(proof.account), list(proof.storage)
