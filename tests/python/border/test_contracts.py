"""Addresses of what is created."""

import pytest
import rlp
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from plimsoll.chain.contracts import creation_address

CREATOR = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"


def test_creation_address__published_example():
    assert creation_address(CREATOR, 0).lower() == "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"


@pytest.mark.parametrize("nonce", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_creation_address__every_length_of_nonce__as_rlp_says(nonce):
    wanted = keccak(rlp.encode([bytes.fromhex(CREATOR[2:]), nonce]))[-20:]
    assert creation_address(CREATOR, nonce) == to_checksum_address(wanted)
