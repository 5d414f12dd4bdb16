"""Position words: one uint256 per position, the layout of ``PositionWord.sol``.

Most significant first: underlying id 8 bits, kind 8, expiry 40, price 72 (two's complement, 1e-8 of
cash), quantity 128 (two's complement, wad).
"""

from __future__ import annotations

from dataclasses import dataclass

from plimsoll.errors import DomainError
from plimsoll.model import Kind, Position
from plimsoll.units import e8_to_float, float_to_e8, float_to_wad, wad_to_float

PRICE_BITS, QUANTITY_BITS = 72, 128


@dataclass(frozen=True, slots=True)
class Word:
    """Fields of one word, as integers."""

    underlying_id: int
    kind: Kind
    expiry_ts: int
    price_e8: int
    quantity_wad: int


def _twos(value: int, bits: int, name: str) -> int:
    """Encode a signed integer; outside the width is an error, never a wrap."""
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise DomainError("position", f"{name} {value} does not fit {bits} bits")
    return value & ((1 << bits) - 1)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def pack(word: Word) -> int:
    """Pack fields into one word.

    Parameters
    ----------
    word : Word
        Fields.

    Returns
    -------
    int
        Below ``2**256``.

    Raises
    ------
    DomainError
        When price or quantity does not fit.
    """
    price = _twos(word.price_e8, PRICE_BITS, "price")
    quantity = _twos(word.quantity_wad, QUANTITY_BITS, "quantity")
    head = (word.underlying_id << 48) | (word.kind << 40) | word.expiry_ts
    return (((head << PRICE_BITS) | price) << QUANTITY_BITS) | quantity


def unpack(packed: int) -> Word:
    """Take a word apart.

    Parameters
    ----------
    packed : int
        A stored word.

    Returns
    -------
    Word
        Its fields.
    """
    head = packed >> (PRICE_BITS + QUANTITY_BITS)
    return Word(
        underlying_id=head >> 48,
        kind=Kind((head >> 40) & 0xFF),
        expiry_ts=head & ((1 << 40) - 1),
        price_e8=_signed((packed >> QUANTITY_BITS) & ((1 << PRICE_BITS) - 1), PRICE_BITS),
        quantity_wad=_signed(packed & ((1 << QUANTITY_BITS) - 1), QUANTITY_BITS),
    )


def to_word(position: Position, underlying_id: int) -> int:
    """Pack a position.

    Parameters
    ----------
    position : Position
        In cash units.
    underlying_id : int
        Id of its underlying on chain.

    Returns
    -------
    int
        The word as stored.
    """
    return pack(
        Word(
            underlying_id,
            position.kind,
            position.expiry_ts,
            float_to_e8(position.price),
            float_to_wad(position.quantity),
        )
    )


def to_instrument(position: Position, underlying_id: int) -> int:
    """Pack what a trade names: the word with quantity 0, and price 0 for linear instruments.

    Parameters
    ----------
    position : Position
        Quantity is ignored.
    underlying_id : int
        Id of its underlying on chain.

    Returns
    -------
    int
        The instrument word.
    """
    price_e8 = float_to_e8(position.price) if position.kind.is_option else 0
    return pack(Word(underlying_id, position.kind, position.expiry_ts, price_e8, 0))


def from_word(packed: int, symbols: dict[int, str]) -> Position:
    """Turn a stored word into a position.

    Parameters
    ----------
    packed : int
        A stored word.
    symbols : dict[int, str]
        Underlying symbols by id.

    Returns
    -------
    Position
        In cash units.
    """
    word = unpack(packed)
    return Position(
        symbols[word.underlying_id],
        word.kind,
        word.expiry_ts,
        e8_to_float(word.price_e8),
        wad_to_float(word.quantity_wad),
    )
