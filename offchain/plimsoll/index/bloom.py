"""What the bloom of a block's header says about logs: which of ours it may hold, and which it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from eth_utils.crypto import keccak


@lru_cache(maxsize=4096)
def mask_of(item: bytes) -> int:
    """Return the bits that an address or a topic sets in a bloom.

    Parameters
    ----------
    item : bytes
        20 or 32 bytes.

    Returns
    -------
    int
        At most three of 2048 bits.
    """
    digest = keccak(item)
    mask = 0
    for place in (0, 2, 4):
        mask |= 1 << (int.from_bytes(digest[place : place + 2], "big") & 2047)
    return mask


class Watch:
    """The pairs of address and event that the index is for.

    Parameters
    ----------
    topics : Mapping[bytes, list[bytes]]
        Topics of the events of each address.
    """

    def __init__(self, topics: Mapping[bytes, list[bytes]]) -> None:
        self._addresses = {address: mask_of(address) for address in topics}
        self._pairs = {
            address: {topic: self._addresses[address] | mask_of(topic) for topic in known}
            for address, known in topics.items()
        }

    def possible(self, bloom: bytes) -> set[tuple[bytes, bytes]]:
        """Return the pairs that a block may hold a log of: false alarms are possible, omissions are not.

        Parameters
        ----------
        bloom : bytes
            Of the header, 256 bytes.

        Returns
        -------
        set[tuple[bytes, bytes]]
            Address and first topic.
        """
        bits = int.from_bytes(bloom, "big")
        if bits == 0:
            return set()
        return {
            (address, topic)
            for address, mask in self._addresses.items()
            if bits & mask == mask
            for topic, pair in self._pairs[address].items()
            if bits & pair == pair
        }

    def excludes(self, bloom: bytes, address: bytes, topic: bytes) -> bool:
        """Return whether a block cannot hold a log, of an event that may be unknown here.

        Parameters
        ----------
        bloom : bytes
            Of the header, 256 bytes.
        address : bytes
            Of the contract.
        topic : bytes
            The first topic.

        Returns
        -------
        bool
            True for a log that somebody invented.
        """
        pair = mask_of(address) | mask_of(topic)
        return int.from_bytes(bloom, "big") & pair != pair
