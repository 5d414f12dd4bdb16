"""Instruments by name, as people say them: ``ETH-PERP``, ``ETH-27MAR26``, ``ETH-27MAR26-1800-C``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from plimsoll.chain.words import Word, pack, unpack
from plimsoll.constants import E8
from plimsoll.instrument_names import InstrumentName
from plimsoll.keeper.names import name_of as symbol_of
from plimsoll.model import Instrument, Kind

#: Hour at which the expiries of venues end; others are named with their time.
_HOUR: Final = 8


def name_of(instrument: int, underlyings: Mapping[str, int]) -> str:
    """Return the name of an instrument word.

    Parameters
    ----------
    instrument : int
        Position word; its quantity does not count.
    underlyings : Mapping[str, int]
        Ids by symbol.

    Returns
    -------
    str
    """
    word = unpack(instrument)
    symbol = symbol_of(underlyings, word.underlying_id)
    moment = datetime.fromtimestamp(word.expiry_ts, UTC)
    day = f"{moment.day}{moment:%b%y}".upper()
    if (moment.hour, moment.minute, moment.second) != (_HOUR, 0, 0):
        day += f"{moment:%H%M%S}"
    whole, part = divmod(word.price_e8, E8)
    strike = str(whole) if part == 0 else f"{whole}.{part:08d}".rstrip("0")
    return str(InstrumentName(symbol, word.kind, day, strike))


def instrument_of(word: Word) -> Instrument:
    """Return an instrument as the mirror knows it."""
    return Instrument(word.kind, word.expiry_ts, word.price_e8 / E8 if word.kind.is_option else 0.0)


def instrument_word(underlying_id: int, kind: Kind, expiry_ts: int = 0, strike_e8: int = 0) -> int:
    """Return the instrument word of a kind; without expiry or strike where it has none."""
    return pack(Word(underlying_id, kind, expiry_ts, strike_e8, 0))


def identity_of(word: int) -> int:
    """Return the instrument of a stored position: without quantity, and without entry where it is linear."""
    found = unpack(word)
    return pack(
        Word(found.underlying_id, found.kind, found.expiry_ts, found.price_e8 if found.kind.is_option else 0, 0)
    )
