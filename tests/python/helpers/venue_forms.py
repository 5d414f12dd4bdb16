"""Option chains of a made-up market in the forms of Deribit, OKX, Bybit, Derive and tardis.dev; no price is real."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from plimsoll.market.fit.bands import coin_price

TS = 1_770_326_977  # 2026-02-05 21:29:37 UTC
YEAR_SEC = 365 * 86_400
EXPIRIES = (1_772_179_200, 1_774_598_400)  # 2026-02-27 and 2026-03-27, 08:00 UTC
SPOTS = {"BTC": 60_000.0, "ETH": 2_000.0, "SOL": 120.0, "XRP": 0.62}
STRIKES = {
    "BTC": ("46000", "50000", "54000", "56000", "58000", "60000", "62000", "64000", "66000", "70000", "75000"),
    "ETH": ("1500", "1600", "1700", "1800", "1900", "1950", "2000", "2050", "2100", "2200", "2400", "2600"),
    "SOL": ("90", "100", "105", "110", "115", "120", "125", "130", "135", "140", "150"),
    "XRP": ("0.475", "0.5", "0.525", "0.55", "0.575", "0.6", "0.625", "0.65", "0.7", "0.75", "0.8"),
}
COIN_PAID = ("BTC", "ETH")


class Listed(NamedTuple):
    coin: str
    expiry_ts: int
    strike: str
    right: str
    forward: float
    vol: float
    mark: float  # coin

    def day(self, form: str) -> str:
        moment = datetime.fromtimestamp(self.expiry_ts, UTC)
        return moment.strftime(form).upper().lstrip("0" if form.startswith("%d%b") else "")


def forward_of(coin: str, expiry_ts: int) -> float:
    return SPOTS[coin] * math.exp(0.03 * (expiry_ts - TS) / YEAR_SEC)


def listed(coin: str, strike: str, right: str, expiry_ts: int) -> Listed:
    forward, years = forward_of(coin, expiry_ts), (expiry_ts - TS) / YEAR_SEC
    log_moneyness = math.log(float(strike) / forward)
    vol = 0.7 - 0.1 * log_moneyness + 0.3 * log_moneyness**2
    sides = (np.array([right == "C"]), np.array([log_moneyness]), np.array([vol * years**0.5]))
    return Listed(coin, expiry_ts, strike, right, forward, vol, float(coin_price(*sides)[0]))


def board(coin: str) -> Iterator[Listed]:
    for expiry_ts in EXPIRIES:
        for strike in STRIKES[coin]:
            for right in "CP":
                yield listed(coin, strike, right, expiry_ts)


def quotes(mark: float, tick: float = 0.0002) -> tuple[float, float]:
    return max(mark - 0.002, tick), mark + 0.002


# Deribit


def deribit_name(one: Listed) -> str:
    base = one.coin if one.coin in COIN_PAID else f"{one.coin}_USDC"
    return f"{base}-{one.day('%d%b%y')}-{one.strike.replace('.', 'd')}-{one.right}"


def deribit_summary(one: Listed) -> dict:
    scale = 1.0 if one.coin in COIN_PAID else one.forward
    bid, ask = quotes(one.mark)
    name = deribit_name(one)
    return {
        "volume": 12.0,
        "underlying_price": one.forward,
        "underlying_index": name.rsplit("-", 2)[0],
        "open_interest": 100.5,
        "mark_price": one.mark * scale,
        "mark_iv": 100.0 * one.vol,
        "mid_price": None,
        "last": None,
        "interest_rate": 0.0,
        "instrument_name": name,
        "estimated_delivery_price": SPOTS[one.coin],
        "creation_timestamp": TS * 1_000,
        "bid_price": bid * scale,
        "ask_price": ask * scale,
        "base_currency": one.coin,
        "quote_currency": one.coin if one.coin in COIN_PAID else "USDC",
    }


def deribit_perpetual(coin: str) -> dict:
    name = f"{coin}-PERPETUAL" if coin in COIN_PAID else f"{coin}_USDC-PERPETUAL"
    return {
        "instrument_name": name,
        "mark_price": SPOTS[coin] * 1.0005,
        "estimated_delivery_price": SPOTS[coin],
        "bid_price": SPOTS[coin],
        "ask_price": SPOTS[coin] * 1.001,
        "open_interest": 1e7,
        "volume": 1e5,
    }


def deribit_envelope(result: object) -> dict:
    return {"jsonrpc": "2.0", "result": result, "usIn": TS * 10**6 + 1, "usOut": TS * 10**6 + 123, "usDiff": 122}


def deribit_books(coins: tuple[str, ...], kind: str) -> dict:
    if kind == "option":
        return deribit_envelope([deribit_summary(one) for coin in coins for one in board(coin)])
    return deribit_envelope([deribit_perpetual(coin) for coin in coins])


# OKX


def okx_name(one: Listed) -> str:
    return f"{one.coin}-USD-{one.day('%y%m%d')}-{one.strike}-{one.right}"


def okx_envelope(data: list) -> dict:
    return {"code": "0", "msg": "", "data": data}


def okx_instruments(coins: tuple[str, ...]) -> dict:
    rows = []
    for coin, face in zip(coins, ("100", "10"), strict=False):
        rows.append(
            {"instId": f"{coin}-USD-SWAP", "instType": "SWAP", "ctVal": face, "ctMult": "1", "ctValCcy": "USD"}
            | {"ctType": "inverse", "settleCcy": coin, "uly": f"{coin}-USD"}
        )
        size = {"BTC": "0.01", "ETH": "0.1"}[coin]
        linear = {"ctVal": size, "ctMult": "1", "ctValCcy": coin, "ctType": "linear", "settleCcy": "USDT"}
        rows.append({"instId": f"{coin}-USDT-SWAP", "instType": "SWAP", "uly": f"{coin}-USDT"} | linear)
        rows += [
            {"instId": okx_name(one), "instType": "OPTION", "ctVal": "1", "ctMult": size, "ctValCcy": coin}
            | {"settleCcy": coin, "uly": f"{coin}-USD", "stk": one.strike, "expTime": str(one.expiry_ts * 1_000)}
            for one in board(coin)
        ]
    return okx_envelope(rows)


def okx_summary(coin: str) -> dict:
    return okx_envelope(
        [
            {"instId": okx_name(one), "instType": "OPTION", "uly": f"{coin}-USD", "ts": str(TS * 1_000)}
            | {"markVol": str(one.vol), "bidVol": "0", "askVol": "0", "fwdPx": str(one.forward), "delta": "0.5"}
            for one in board(coin)
        ]
    )


def okx_marks(coin: str, kind: str = "OPTION") -> dict:
    if kind == "SWAP":
        mark = {"instType": "SWAP", "markPx": str(SPOTS[coin] * 1.0005), "ts": str(TS * 1_000)}
        return okx_envelope([{"instId": f"{coin}-USD-SWAP", **mark}])
    return okx_envelope(
        [
            {"instId": okx_name(one), "instType": "OPTION", "markPx": str(one.mark), "ts": str(TS * 1_000)}
            for one in board(coin)
        ]
    )


def okx_tickers(coin: str) -> dict:
    rows = []
    for one in board(coin):
        bid, ask = quotes(one.mark)
        row = {"instId": okx_name(one), "instType": "OPTION", "last": "", "bidPx": str(bid), "askPx": str(ask)}
        rows.append(row | {"bidSz": "5", "askSz": "", "volCcy24h": "1.5", "ts": str(TS * 1_000)})
    return okx_envelope(rows)


def okx_indices(coins: tuple[str, ...]) -> dict:
    return okx_envelope(
        [{"instId": f"{c}-USD", "idxPx": str(SPOTS[c]), "high24h": "1", "ts": str(TS * 1_000)} for c in coins]
    )


# Bybit


def bybit_name(one: Listed) -> str:
    return f"{one.coin}-{one.day('%d%b%y')}-{one.strike}-{one.right}-USDT"


def bybit_envelope(category: str, rows: list) -> dict:
    result = {"category": category, "nextPageCursor": "", "list": rows}
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": TS * 1_000 + 12}


def bybit_tickers(coin: str, category: str = "option") -> dict:
    if category == "linear":
        row = {"symbol": f"{coin}USDT", "markPrice": str(SPOTS[coin] * 1.0005), "indexPrice": str(SPOTS[coin])}
        return bybit_envelope("linear", [row | {"bid1Price": "", "ask1Price": "", "volume24h": "10"}])
    rows = []
    for one in board(coin):
        bid, ask = (price * one.forward for price in quotes(one.mark))
        prices = {"bid1Price": str(bid), "ask1Price": str(ask), "markPrice": str(one.mark * one.forward)}
        numbers = {"markIv": str(one.vol), "underlyingPrice": str(one.forward), "indexPrice": str(SPOTS[coin])}
        more = {"bid1Iv": "0", "ask1Iv": "0", "openInterest": "4", "volume24h": "1", "delta": "0.1", "vega": "1"}
        rows.append({"symbol": bybit_name(one), **prices, **numbers, **more})
    return bybit_envelope("option", rows)


# Derive


def derive_name(one: Listed) -> str:
    return f"{one.coin}-{one.day('%Y%m%d')}-{one.strike.replace('.', '_')}-{one.right}"


def derive_tickers(coin: str, day: str | None = None) -> dict:
    if day is None:
        perp = {
            "t": TS * 1_000,
            "A": "1",
            "a": str(SPOTS[coin] * 1.001),
            "B": "1",
            "b": str(SPOTS[coin]),
            "f": "0.00001",
        }
        tickers = {
            f"{coin}-PERP": perp | {"I": str(SPOTS[coin]), "M": str(SPOTS[coin] * 1.0005), "option_pricing": None}
        }
        return {"jsonrpc": "2.0", "id": 1, "result": {"tickers": tickers}}
    tickers = {}
    for one in board(coin):
        if one.day("%Y%m%d") != day:
            continue
        bid, ask = (price * one.forward for price in quotes(one.mark))
        mark = str(one.mark * one.forward)
        pricing = {"d": "0.5", "t": "0", "g": "0", "v": "1", "i": str(one.vol), "r": "0", "f": str(one.forward)}
        pricing |= {"m": mark, "df": "1", "bi": "0", "ai": "0"}
        head = {"t": TS * 1_000, "A": "1", "a": str(ask), "B": "1", "b": str(bid), "f": None}
        tail = {"I": str(SPOTS[coin]), "M": mark, "stats": {"c": "1", "v": "2", "oi": "3"}, "minp": "0", "maxp": "9"}
        tickers[derive_name(one)] = head | {"option_pricing": pricing} | tail
    return {"jsonrpc": "2.0", "id": 1, "result": {"tickers": tickers}}


# tardis.dev

TARDIS_COLUMNS = (
    "exchange,symbol,timestamp,local_timestamp,type,strike_price,expiration,open_interest,last_price,bid_price,bid_amount,"
    "bid_iv,ask_price,ask_amount,ask_iv,mark_price,mark_iv,underlying_index,underlying_price,delta,gamma,vega,theta,rho"
)


def tardis_csv(coins: tuple[str, ...], ticks: int = 2) -> str:
    """Several ticks of each instrument, a second apart; the last one is at ``TS``."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(TARDIS_COLUMNS.split(","))
    for age in reversed(range(ticks)):
        for one in (one for coin in coins for one in board(coin)):
            scale = 1.0 if one.coin in COIN_PAID else one.forward
            bid, ask = (price * scale for price in quotes(one.mark))
            us = (TS - age) * 10**6 + 413_000
            right = {"C": "call", "P": "put"}[one.right]
            head = ["deribit", deribit_name(one), us, us + 9_000, right, one.strike, one.expiry_ts * 10**6, 1.5, ""]
            prices = [bid, 10, 60.1, ask, 10, 61.2, one.mark * scale + 0.0001 * age, 100.0 * one.vol]
            writer.writerow([*head, *prices, "SYN." + one.coin, one.forward, 0.5, 0.001, 2.2, -5, 0.1])
    return text.getvalue()
