"""Many 32-byte words at once: integers and fixed-point numbers as numpy columns."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.constants import WAD

WORD: Final = 32
_E8: Final = 1e8
_TWO_64: Final = 2.0**64

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


def small(words: Bytes) -> Longs:
    """Return the lowest 63 bits of words as integers.

    Parameters
    ----------
    words : ndarray
        uint8[n, 32], each below 2**63.

    Returns
    -------
    ndarray
        int64[n].
    """
    return np.ascontiguousarray(words[:, 24:32]).view(">u8")[:, 0].astype(np.int64)


def _signed(high: Longs, low: npt.NDArray[np.uint64]) -> Floats:
    """Return high * 2**64 + low, both halves of two's complement, within one unit in the last place."""
    near = low.view(np.int64)
    is_small = (high == 0) & (near >= 0) | (high == -1) & (near < 0)
    # Added as floats, a small negative number would lose itself in 2**64.
    return np.where(is_small, near.astype(np.float64), high.astype(np.float64) * _TWO_64 + low.astype(np.float64))


def _half(part: Bytes) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(part).view(">u8")[:, 0].astype(np.uint64)


def wads(words: Bytes) -> Floats:
    """Return signed wad amounts as floats.

    Parameters
    ----------
    words : ndarray
        uint8[n, 32], two's complement, within 128 bits.

    Returns
    -------
    ndarray
        float64[n], in units; within two units in the last place of the exact quotient.
    """
    high, low = _half(words[:, 16:24]).view(np.int64), _half(words[:, 24:32])
    return _signed(high, low) / WAD


def positions(words: Bytes) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int8], Longs, Floats, Floats]:
    """Take position words apart; the layout is that of ``PositionWord.sol``.

    Parameters
    ----------
    words : ndarray
        uint8[n, 32].

    Returns
    -------
    tuple of ndarray
        Underlying id int16[n], kind int8[n], expiry int64[n] (unix seconds), price float64[n] (cash), quantity
        float64[n].
    """
    expiry = np.zeros((len(words), 8), dtype=np.uint8)
    expiry[:, 3:] = words[:, 2:7]
    price_high = words[:, 7].view(np.int8).astype(np.int64)
    price = _signed(price_high, _half(words[:, 8:16])) / _E8
    return (
        words[:, 0].astype(np.int16),
        words[:, 1].astype(np.int8),
        _half(expiry).astype(np.int64),
        price,
        wads(words),
    )


def stack(values: list[int]) -> Bytes:
    """Return integers as words.

    Parameters
    ----------
    values : list[int]
        Each from 0 to 2**256 - 1.

    Returns
    -------
    ndarray
        uint8[n, 32].
    """
    joined = b"".join([value.to_bytes(WORD, "big") for value in values])
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, WORD)
