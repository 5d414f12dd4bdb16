"""Proofs of single words of another chain's storage (EIP-1186), and where the two contracts keep what is proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from plimsoll.chain.client import Client
from plimsoll.errors import UnavailableError

#: Slots of the mappings, as in contracts/libraries/RemoteSlots.sol.
LOCKED_SLOT: Final = 0
REDEEMED_SLOT: Final = 1


@dataclass(frozen=True, slots=True)
class StorageProof:
    """Nodes from the state root of block ``number`` to a contract, and from its storage root to a word."""

    number: int
    account: tuple[bytes, ...]
    storage: tuple[bytes, ...]
    word: int


def locked_slot(token: str, to: str) -> bytes:
    """Place of ``RemoteEscrow.lockedRaw[token][to]``."""
    return _place(LOCKED_SLOT, token, to)


def redeemed_slot(token: str, to: str) -> bytes:
    """Place of ``RemoteClaims.redeemedRaw[token][to]``."""
    return _place(REDEEMED_SLOT, token, to)


def _place(slot: int, token: str, to: str) -> bytes:
    """Place of an entry of a mapping of mappings."""
    inner = keccak(encode(["address", "uint256"], [token, slot]))
    return keccak(encode(["address", "bytes32"], [to, inner]))


def prove(client: Client, contract: str, slot: bytes, number: int) -> StorageProof:
    """Ask a node for the proof of one word.

    Parameters
    ----------
    client : Client
    contract : str
        Address.
    slot : bytes
        32 bytes.
    number : int
        Block.

    Returns
    -------
    StorageProof
        Whatever the node says: the contract checks it, and nobody has to believe it.
    """
    method, parameters = proof_request(contract, slot, number)
    return proof_of(client.url, client.rpc(method, *parameters), number)


def proof_request(contract: str, slot: bytes, number: int) -> tuple[str, tuple[Any, ...]]:
    """Return method and parameters of the question for the proof of one word."""
    return "eth_getProof", (contract, ["0x" + slot.hex()], hex(number))


def proof_of(source: str, answer: Any, number: int) -> StorageProof:
    """Read the answer to ``eth_getProof``, whoever gave it.

    Parameters
    ----------
    source : str
        Node that answered, for an error message.
    answer : Any
        What it said.
    number : int
        Block that it was asked at.

    Returns
    -------
    StorageProof

    Raises
    ------
    UnavailableError
        When it is no proof at all; whether it proves anything, the contract says.
    """
    try:
        entry = answer["storageProof"][0]
        account, storage = (
            tuple(bytes.fromhex(node[2:]) for node in nodes) for nodes in (answer["accountProof"], entry["proof"])
        )
        return StorageProof(number, account, storage, int(entry["value"], 16))
    except (TypeError, KeyError, IndexError, ValueError, AttributeError) as reason:
        raise UnavailableError(source, f"eth_getProof: the answer is no proof ({reason!r})") from None
