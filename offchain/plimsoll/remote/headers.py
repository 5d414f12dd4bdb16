"""Headers of another chain: their encoding, which is what their hash is taken of, and signatures of final ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import rlp
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.chain.signing import domain_of
from plimsoll.errors import UnavailableError

#: Fields in the order in which they are encoded, and whether they are numbers; those at the end came with later forks.
FIELDS: Final = (
    *(("parentHash", False), ("sha3Uncles", False), ("miner", False), ("stateRoot", False)),
    *(("transactionsRoot", False), ("receiptsRoot", False), ("logsBloom", False), ("difficulty", True)),
    *(("number", True), ("gasLimit", True), ("gasUsed", True), ("timestamp", True), ("extraData", False)),
    *(("mixHash", False), ("nonce", False), ("baseFeePerGas", True), ("withdrawalsRoot", False)),
    *(("blobGasUsed", True), ("excessBlobGas", True), ("parentBeaconBlockRoot", False), ("requestsHash", False)),
)
FINAL_BLOCK: Final = {
    "FinalBlock": [
        {"name": "remoteChainId", "type": "uint256"},
        {"name": "number", "type": "uint256"},
        {"name": "blockHash", "type": "bytes32"},
    ]
}


@dataclass(frozen=True, slots=True)
class Header:
    """A block of a chain: its height, the hash that names it, and the encoding that hashes to it."""

    number: int
    block_hash: bytes
    encoded: bytes


def encoded_header(block: Mapping[str, Any]) -> bytes:
    """Encode a block as its hash is taken of it.

    Parameters
    ----------
    block : mapping
        Answer of ``eth_getBlockByNumber``; fields of forks that a chain does not have are missing.

    Returns
    -------
    bytes

    Raises
    ------
    UnavailableError
        When the encoding does not hash to what the node says: it left a field out, or it lies.
    """
    present = [(name, is_number) for name, is_number in FIELDS if block.get(name) is not None]
    values = [_bytes(str(block[name]), is_number=is_number) for name, is_number in present]
    encoded: bytes = rlp.encode(values)
    if keccak(encoded) != bytes.fromhex(str(block["hash"])[2:]):
        raise UnavailableError("node", f"the header of block {int(str(block['number']), 16)} does not hash to its hash")
    return encoded


def _bytes(text: str, *, is_number: bool) -> bytes:
    """Return a field as RLP has it: numbers without zeros in front."""
    if not is_number:
        return bytes.fromhex(text[2:])
    value = int(text, 16)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def header_at(client: Client, block: str) -> Header:
    """Read one header.

    Parameters
    ----------
    client : Client
    block : str
        ``finalized``, or a height in hexadecimal.

    Returns
    -------
    Header

    Raises
    ------
    UnavailableError
        When the node does not have it, or its header does not hash to its hash.
    """
    found = client.rpc("eth_getBlockByNumber", block, False)
    if found is None:
        raise UnavailableError("node", f"has no block {block}")
    return Header(int(found["number"], 16), bytes.fromhex(found["hash"][2:]), encoded_header(found))


def sign_final(client: Client, feed: Contract, signer: LocalAccount, header: Header) -> bytes:
    """Sign a header, if it is final on the signer's own node.

    Parameters
    ----------
    client : Client
        The signer's own node of the other chain: what others say about it does not count.
    feed : Contract
        HeaderFeed that is to accept it.
    signer : LocalAccount
    header : Header

    Returns
    -------
    bytes
        Signature.

    Raises
    ------
    UnavailableError
        When the block is not final there, or is another one.
    """
    final = header_at(client, "finalized")
    if header.number > final.number:
        raise UnavailableError("header", f"block {header.number} is not final; the newest that is is {final.number}")
    own = header_at(client, hex(header.number))
    if own.block_hash != header.block_hash:
        raise UnavailableError("header", f"block {header.number} has another hash on this signer's node")
    message = {
        "remoteChainId": feed.call("remoteChainId"),
        "number": header.number,
        "blockHash": header.block_hash,
    }
    if message["remoteChainId"] != client.chain_id:
        raise UnavailableError("header", f"the feed wants chain {message['remoteChainId']}, this is {client.chain_id}")
    return bytes(signer.sign_typed_data(domain_of(feed), FINAL_BLOCK, message).signature)
