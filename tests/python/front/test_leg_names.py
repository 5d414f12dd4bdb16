"""An instrument's name, read and written: every kind has one, and every reader of names takes it."""

import pytest

import plimsoll as pm
from plimsoll.chain.words import Word, pack
from plimsoll.errors import InputError
from plimsoll.files.trade_text import read_trade
from plimsoll.instrument_names import EXAMPLES, InstrumentName, parse_name
from plimsoll.model import Instrument, Kind
from plimsoll.venue.chain.names import instrument_of, name_of

EXPIRY_TS = 1_774_598_400


@pytest.mark.parametrize(
    ("text", "kind", "expiry_ts", "price"),
    [
        ("ETH-PERP", Kind.PERP, 0, 1_900.0),
        ("ETH-perpetual", Kind.PERP, 0, 1_900.0),
        ("ETH-27MAR26", Kind.FUTURE, EXPIRY_TS, 1_900.0),
        ("ETH-27MAR26-1800-C", Kind.CALL, EXPIRY_TS, 1_800.0),
        ("ETH-27MAR26-1800.5-p", Kind.PUT, EXPIRY_TS, 1_800.5),
    ],
)
def test_leg__by_name__is_what_the_name_says(text, kind, expiry_ts, price):
    found = pm.leg(text, -2.0, 1_900.0)
    assert (found.underlying, found.kind, found.expiry_ts, found.price) == ("ETH", kind, expiry_ts, price)
    assert found.quantity == -2.0


@pytest.mark.parametrize(
    "text", ["", "ETH", "ETH-", "ETH-PERP-1", "ETH-27MAR26-1800", "ETH-27MAR26-1800-X", "ETH-1-2-3-4"]
)
def test_leg__any_other_form__is_refused(text):
    with pytest.raises(InputError):
        pm.leg(text, 1.0, 1_900.0)


@pytest.mark.parametrize("strike", ["x", "nan", "inf", "0"])
def test_leg__strike_that_is_no_price__is_refused(strike):
    with pytest.raises(InputError, match="strike: "):
        pm.leg(f"ETH-27MAR26-{strike}-C", 1.0, 1_900.0)


@pytest.mark.parametrize(("kind", "example"), [*zip(Kind, EXAMPLES, strict=True)])
def test_name__of_every_kind__comes_back_from_every_reader(kind, example):
    assert parse_name(example) == InstrumentName(
        "ETH", kind, "27MAR26" if kind.has_expiry else "", "1800" if kind.is_option else ""
    )
    leg = pm.leg(example, 3.0, 1_900.0)
    assert leg.instrument == Instrument(kind, EXPIRY_TS * kind.has_expiry, 1_800.0 * kind.is_option)
    word = Word(7, kind, leg.expiry_ts, 1_800 * 10**8 * kind.is_option, 0)
    assert instrument_of(word) == leg.instrument
    assert name_of(pack(word), {"ETH": 7}) == example
    market = pm.load_market("examples/market.json")
    listed = market.rounds["ETH"].surfaces[0].expiry_ts
    text = name_of(pack(Word(7, kind, listed * kind.has_expiry, word.price_e8, 0)), {"ETH": 7})
    order = read_trade(f"sell 3 {text.lower()}", market)
    assert order.position.instrument == leg.instrument._replace(expiry_ts=listed * kind.has_expiry)
    assert order.position.quantity == -3.0


def test_names__of_two_kinds__differ():
    assert len({*EXAMPLES}) == len(Kind)
    assert [Kind.of(kind.word) for kind in Kind] == list(Kind)
