"""Names of venues: each instrument read back from its name, and nothing else read at all."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.intake.contract import bybit_contract, deribit_contract, derive_contract, okx_contract
from plimsoll.model import Kind

MARCH = 1_774_598_400  # 2026-03-27 08:00 UTC
CALL, PUT, FUTURE, PERP = Kind.CALL, Kind.PUT, Kind.FUTURE, Kind.PERP


def bybit(category):
    return lambda name: bybit_contract(name, category)


@pytest.mark.parametrize(
    ("read", "name", "underlying", "kind", "expiry_ts", "strike", "settles", "is_inverse"),
    [
        (deribit_contract, "BTC-PERPETUAL", "BTC", PERP, 0, 0, "BTC", True),
        (deribit_contract, "ETH-27MAR26", "ETH", FUTURE, MARCH, 0, "ETH", True),
        (deribit_contract, "ETH-27MAR26-1800-P", "ETH", PUT, MARCH, 1_800, "ETH", True),
        (deribit_contract, "SOL_USDC-27MAR26-150-C", "SOL", CALL, MARCH, 150, "USDC", False),
        (deribit_contract, "XRP_USDC-27MAR26-0d65-C", "XRP", CALL, MARCH, Fraction(13, 20), "USDC", False),
        (deribit_contract, "AVAX_USDC-27MAR26-8D6-P", "AVAX", PUT, MARCH, Fraction(43, 5), "USDC", False),
        (deribit_contract, "BTC_USDT-PERPETUAL", "BTC", PERP, 0, 0, "USDT", False),
        (okx_contract, "BTC-USD-SWAP", "BTC", PERP, 0, 0, "BTC", True),
        (okx_contract, "ETH-USDT-SWAP", "ETH", PERP, 0, 0, "USDT", False),
        (okx_contract, "ETH-USDC-260327", "ETH", FUTURE, MARCH, 0, "USDC", False),
        (okx_contract, "BTC-USD-260327-100000-C", "BTC", CALL, MARCH, 100_000, "BTC", True),
        (derive_contract, "ETH-PERP", "ETH", PERP, 0, 0, "USDC", False),
        (derive_contract, "XRP-20260327-0_65-C", "XRP", CALL, MARCH, Fraction(13, 20), "USDC", False),
        (bybit("linear"), "BTCUSDT", "BTC", PERP, 0, 0, "USDT", False),
        (bybit("linear"), "1000PEPEUSDT", "1000PEPE", PERP, 0, 0, "USDT", False),
        (bybit("linear"), "BTCPERP", "BTC", PERP, 0, 0, "USDC", False),
        (bybit("linear"), "BTC-27MAR26", "BTC", FUTURE, MARCH, 0, "USDC", False),
        (bybit("linear"), "BTCUSDT-27MAR26", "BTC", FUTURE, MARCH, 0, "USDT", False),
        (bybit("inverse"), "BTCUSD", "BTC", PERP, 0, 0, "BTC", True),
        (bybit("inverse"), "BTCUSDH26", "BTC", FUTURE, MARCH, 0, "BTC", True),
        (bybit("option"), "BTC-27MAR26-100000-C", "BTC", CALL, MARCH, 100_000, "USDC", False),
        (bybit("option"), "BTC-27MAR26-100000-C-USDT", "BTC", CALL, MARCH, 100_000, "USDT", False),
    ],
)
def test_names__of_all_kinds__are_read(read, name, underlying, kind, expiry_ts, strike, settles, is_inverse):
    found = read(name)
    assert found.name == name
    assert (found.underlying, found.kind, found.expiry_ts) == (underlying, kind, expiry_ts)
    assert (found.strike, found.settles, found.is_inverse) == (strike, settles, is_inverse)


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (deribit_contract, "BTC_USDC"),
        (deribit_contract, "BTC-FS-27MAR26_PERP"),
        (deribit_contract, "BTC-30FEB26"),
        (deribit_contract, "BTC-27XXX26"),
        (deribit_contract, "BTC_EURR-PERPETUAL"),
        (deribit_contract, "BTC-27MAR26-0-C"),
        (deribit_contract, "btc-perpetual"),
        (okx_contract, "BTC-USDT"),
        (okx_contract, "BTC-USD_UM-SWAP"),
        (okx_contract, "BTC-USD-261327"),
        (derive_contract, "ETH-USDC"),
        (derive_contract, "ETH-20260230-1800-C"),
        (bybit("linear"), "USDT"),
        (bybit("linear"), "BTC-27MAR26-100000-C"),
        (bybit("inverse"), "BTCUSDT"),
        (bybit("inverse"), "BTCUSDX26"),
        (bybit("option"), "BTC-27MAR26"),
        (bybit("spot"), "BTCUSDT"),
        (bybit(""), "BTCUSDT"),
    ],
)
def test_names__that_are_none_of_them__are_not_read(read, name):
    assert read(name) is None


@given(
    st.from_regex(r"[A-Z][A-Z0-9]{1,5}", fullmatch=True),
    st.dates(datetime(2020, 1, 1).date(), datetime(2060, 1, 1).date()),
    st.decimals("0.0001", 200_000, places=4),
    st.sampled_from("CP"),
)
def test_options__of_any_coin_day_and_strike__are_the_same_at_every_venue(coin, day, strike, right):
    text = format(strike.normalize(), "f")
    plain, d_text, low = text.split(".")[0], text.replace(".", "d"), text.replace(".", "_")
    named = f"{day.day}{day:%b%y}".upper()
    expiry_ts = int(datetime(day.year, day.month, day.day, 8, tzinfo=UTC).timestamp())
    found = [
        deribit_contract(f"{coin}_USDC-{named}-{d_text}-{right}"),
        okx_contract(f"{coin}-USD-{day:%y%m%d}-{text}-{right}"),
        derive_contract(f"{coin}-{day:%Y%m%d}-{low}-{right}"),
    ]
    assert {(f.underlying, f.kind.word[0].upper(), f.expiry_ts, f.strike) for f in found} == {
        (coin, right, expiry_ts, Fraction(strike))
    }
    if plain != "0":
        assert bybit_contract(f"{coin}-{named}-{plain}-{right}", "option").strike == int(plain)
