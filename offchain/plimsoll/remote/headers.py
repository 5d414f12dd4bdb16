"""Headers of another chain: their encoding, which is what their hash is taken of, and signatures of final ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import rlp
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.errors import UnavailableError

#: Fields in the order in which they are encoded, and whether they are numbers; those at the end came with later forks.
FIELDS: Final = (
    *(("parentHash", False), ("sha3Uncles", False), ("miner", False), ("stateRoot", False)),
    *(("transactionsRoot", False), ("receiptsRoot", False), ("logsBloom", False), ("difficulty", True)),
    *(("number", True), ("gasLimit", True), ("gasUsed", True), ("timestamp", True), ("extraData", False)),
    *(("mixHash", False), ("nonce", False), ("baseFeePerGas", True), ("withdrawalsRoot", False)),
    *(("blobGasUsed", True), ("excessBlobGas", True), ("parentBeaconBlockRoot", False), ("requestsHash", False)),
)
#: What the feed's constructor names itself, beside its chain and its address.
FEED_DOMAIN: Final = {"name": "Plimsoll HeaderFeed", "version": "1"}
FINAL_BLOCK: Final[dict[str, Any]] = {
    "FinalBlock": [
        {"name": "remoteChainId", "type": "uint256"},
        {"name": "number", "type": "uint256"},
        {"name": "blockHash", "type": "bytes32"},
    ]
}


@dataclass(frozen=True, slots=True)
class Header:
    """A block of a chain: its height, the hash that names it, the encoding that hashes to it, and its time."""

    number: int
    block_hash: bytes
    encoded: bytes
    ts: int


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


def header_of(source: str, answer: Any) -> Header:
    """Read the answer to ``eth_getBlockByNumber``, whoever gave it.

    Parameters
    ----------
    source : str
        Node that answered, for an error message.
    answer : Any
        What it said.

    Returns
    -------
    Header

    Raises
    ------
    UnavailableError
        When it is no block, or its header does not hash to its hash.
    """
    if answer is None:
        raise UnavailableError(source, "does not have the block")
    try:
        number, ts = int(answer["number"], 16), int(answer["timestamp"], 16)
        return Header(number, bytes.fromhex(answer["hash"][2:]), encoded_header(answer), ts)
    except (TypeError, KeyError, ValueError, AttributeError) as reason:
        raise UnavailableError(source, f"eth_getBlockByNumber: the answer is no block ({reason!r})") from None


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
    return header_of(client.url, client.rpc("eth_getBlockByNumber", block, False))


def sign_header(signer: LocalAccount, feed_address: str, feed_chain_id: int, chain_id: int, header: Header) -> bytes:
    """Sign that a block of a chain is final; whether it is, the caller has asked nodes of its own.

    Parameters
    ----------
    signer : LocalAccount
    feed_address : str
        HeaderFeed that is to accept it.
    feed_chain_id : int
        Chain that the feed is on.
    chain_id : int
        Chain of the block.
    header : Header

    Returns
    -------
    bytes
        Signature.
    """
    typed = _typed(feed_address, feed_chain_id, chain_id, header)
    return bytes(signer.sign_typed_data(*typed).signature)


def signer_of(feed_address: str, feed_chain_id: int, chain_id: int, header: Header, signature: bytes) -> str:
    """Return who signed a header.

    Parameters
    ----------
    feed_address, feed_chain_id, chain_id, header
        As in :func:`sign_header`.
    signature : bytes

    Returns
    -------
    str
        Address; empty where it is no signature at all.
    """
    message = encode_typed_data(*_typed(feed_address, feed_chain_id, chain_id, header))
    try:
        return str(Account.recover_message(message, signature=signature))
    except Exception:
        # Whatever somebody sent in place of a signature, each library refuses it in its own way.
        return ""


def _typed(
    feed_address: str, feed_chain_id: int, chain_id: int, header: Header
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return domain, types and message of what is signed."""
    domain = {**FEED_DOMAIN, "chainId": feed_chain_id, "verifyingContract": feed_address}
    message = {"remoteChainId": chain_id, "number": header.number, "blockHash": header.block_hash}
    return domain, FINAL_BLOCK, message


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
    wanted = feed.call("remoteChainId")
    if wanted != client.chain_id:
        raise UnavailableError("header", f"the feed wants chain {wanted}, this is {client.chain_id}")
    return sign_header(signer, feed.address, feed.client.chain_id, client.chain_id, header)
