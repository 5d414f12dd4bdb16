"""Position words: the layout of PositionWord.sol, bit by bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.chain.words import Word, from_word, pack, to_instrument, to_word, unpack
from plimsoll.errors import DomainError
from plimsoll.model import Kind, Position

WORDS = st.builds(
    Word,
    underlying_id=st.integers(1, 255),
    kind=st.sampled_from(Kind),
    expiry_ts=st.integers(0, 2**40 - 1),
    price_e8=st.integers(-(2**71), 2**71 - 1),
    quantity_wad=st.integers(-(2**127), 2**127 - 1),
)


@given(WORDS)
def test_unpack__packed__is_the_same(word):
    assert unpack(pack(word)) == word


def test_pack__each_field__sits_where_the_layout_says():
    packed = pack(Word(2, Kind.PUT, 3, 5, 7))
    assert packed == (2 << 248) | (1 << 240) | (3 << 200) | (5 << 128) | 7


@pytest.mark.parametrize("word", [Word(1, Kind.CALL, 1, 2**71, 1), Word(1, Kind.CALL, 1, 1, -(2**127) - 1)])
def test_pack__too_wide__is_rejected(word):
    with pytest.raises(DomainError, match="does not fit"):
        pack(word)


def test_to_instrument__linear__ignores_the_entry():
    perp = Position("ETH", Kind.PERP, 0, 1900.5, -3.0)
    assert to_instrument(perp, 1) == 1 << 248 | 3 << 240
    assert from_word(to_word(perp, 1), {1: "ETH"}) == perp


def test_to_instrument__option__keeps_the_strike_and_drops_the_quantity():
    put = Position("BTC", Kind.PUT, 1_770_364_800, 75_000.0, 0.5)
    assert unpack(to_instrument(put, 2)).price_e8 == 75_000 * 10**8
    assert unpack(to_instrument(put, 2)).quantity_wad == 0
