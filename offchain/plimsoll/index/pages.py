"""Whole pages of accounts from ``Lens.accountsOf``, decoded as columns instead of object by object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.chain.abi import encode_values, load_artifact
from plimsoll.index.columns import Columns
from plimsoll.index.words import WORD, Bytes, Longs, positions, small, wads

#: Words of a summary before the snapshot: id, owner, where the snapshot is, seven of the auction.
_SUMMARY_WORDS: Final = 10
_AUCTION_WORDS: Final = 7


@dataclass(frozen=True, slots=True)
class Page:
    """Open accounts with consecutive ids, closed ones left out; every value as the word that the chain sent.

    Parameters
    ----------
    first, count : int
        Ids that the page covers, closed ones included.
    ids : ndarray
        int64[n].
    owners, modes, cash : ndarray
        uint8[n, 32].
    auctions : ndarray
        uint8[n, 7, 32], as ``IAuction.State``.
    token_counts, position_counts : ndarray
        int64[n].
    tokens, amounts : ndarray
        uint8[k, 32].
    words : ndarray
        uint8[m, 32].
    """

    first: int
    count: int
    ids: Longs
    owners: Bytes
    modes: Bytes
    cash: Bytes
    auctions: Bytes
    token_counts: Longs
    position_counts: Longs
    tokens: Bytes
    amounts: Bytes
    words: Bytes


def page_call(first: int, count: int) -> str:
    """Return the call data for a page.

    Parameters
    ----------
    first : int
        First id.
    count : int
        Most accounts.

    Returns
    -------
    str
        Hexadecimal with ``0x``.
    """
    function = load_artifact("Lens").functions["accountsOf"]
    return "0x" + (function.selector + encode_values(function.inputs, (first, count))).hex()


def _ragged(words: Bytes, starts: Longs, counts: Longs) -> Bytes:
    """Return the elements of lists that begin at ``starts``, one list behind the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    offsets = np.repeat(starts - (ends - counts), counts)
    return words[offsets + np.arange(total)]


def decode_page(data: bytes, first: int) -> Page:
    """Decode what ``accountsOf`` returned.

    Parameters
    ----------
    data : bytes
        Return data.
    first : int
        First id that was asked for.

    Returns
    -------
    Page
        Accounts that are open.

    Raises
    ------
    ValueError
        When the data are not of this shape.
    """
    if len(data) % WORD or len(data) < 2 * WORD:
        raise ValueError(f"{len(data)} bytes are no page of accounts")
    words = np.frombuffer(data, dtype=np.uint8).reshape(-1, WORD)
    try:
        return _decode(words, first)
    except IndexError as reason:
        raise ValueError("an offset leads out of the page of accounts") from reason


def _decode(words: Bytes, first: int) -> Page:
    low = small(words)
    # Offsets are in bytes, lengths in elements; closed accounts have no owner.
    count = int(low[1])
    summaries = 2 + low[2 : 2 + count] // WORD
    if len(summaries) != count:
        raise IndexError
    summaries = summaries[words[summaries + 1].any(axis=1)]
    snapshots = summaries + low[summaries + 2] // WORD
    token_lists = snapshots + low[snapshots + 2] // WORD
    amount_lists = snapshots + low[snapshots + 3] // WORD
    position_lists = snapshots + low[snapshots + 4] // WORD
    token_counts, position_counts = low[token_lists], low[position_lists]
    auction_words = summaries[:, None] + np.arange(_SUMMARY_WORDS - _AUCTION_WORDS, _SUMMARY_WORDS)
    return Page(
        first,
        count,
        low[summaries],
        words[summaries + 1],
        words[snapshots],
        words[snapshots + 1],
        words[auction_words],
        token_counts,
        position_counts,
        _ragged(words, token_lists + 1, token_counts),
        _ragged(words, amount_lists + 1, token_counts),
        _ragged(words, position_lists + 1, position_counts),
    )


def columns_of_pages(pages: list[Page]) -> Columns:
    """Return pages as the columns of all their accounts.

    Parameters
    ----------
    pages : list[Page]
        In the order of their ids.

    Returns
    -------
    Columns
        As ``columns_of`` makes them from the folded state.
    """

    def joined(name: str) -> npt.NDArray[np.uint8]:
        return np.concatenate([getattr(page, name) for page in pages])

    ids = np.concatenate([page.ids for page in pages])
    words = joined("words")
    underlying, kind, expiry_ts, price, quantity = positions(words)
    return Columns(
        ids,
        small(joined("modes")).astype(np.int8),
        wads(joined("cash")),
        np.repeat(ids, np.concatenate([page.position_counts for page in pages])),
        underlying,
        kind,
        expiry_ts,
        price,
        quantity,
        np.repeat(ids, np.concatenate([page.token_counts for page in pages])),
        small(joined("tokens")).astype(np.int16),
        wads(joined("amounts")),
    )
