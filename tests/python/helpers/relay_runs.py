"""What tests of the relayer read of its runs, and do by hand as anybody may."""

from __future__ import annotations

import rlp
from eth_utils.crypto import keccak
from helpers.rpc_proxy import Fault
from helpers.two_chains import (
    HOSTILE,
    SIGNERS,
    THRESHOLD,
)

from plimsoll.remote.headers import FIELDS, header_at, sign_final


def keys_of(found):
    return [deed.key.split(":")[0] for deed in found.deeds]


def results_of(found):
    return {deed.key.split(":")[0]: deed.result for deed in found.deeds}


def as_tuple(proof):
    return proof.number, list(proof.account), list(proof.storage)


def post_header(pair, source, feed, by=HOSTILE, at="finalized"):
    """Post a header as anybody may who has the signatures."""
    header = header_at(source, at)
    signatures = [sign_final(source, feed, signer, header) for signer in SIGNERS[:THRESHOLD]]
    feed.send(by, "postHeader", header.encoded, header.block_hash, signatures)
    return header.number


def other_header(**fields):
    """A node with a whole other header, which hashes to its hash."""

    def changed(_request, answer):
        block = answer.get("result")
        if not isinstance(block, dict) or "stateRoot" not in block:
            return None
        forged = {**block, **fields}
        values = [_field(forged, name, is_number) for name, is_number in FIELDS if forged.get(name) is not None]
        return [{**answer, "result": {**forged, "hash": "0x" + keccak(rlp.encode(values)).hex()}}]

    return Fault("other header", frozenset({"eth_getBlockByNumber"}), on_answer=changed)


def _field(block, name, is_number):
    if not is_number:
        return bytes.fromhex(block[name][2:])
    value = int(block[name], 16)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
