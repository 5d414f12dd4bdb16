"""Spot of underlyings and of cash tokens from ordinary exchanges, one ticker for each symbol.

Each exchange is a path, a query and where time and price stand in the answer. A ticker that fails concerns its symbol
alone. Bid and ask are believed more than the last trade: a trade may be hours old in a thin market.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from plimsoll.errors import InputError, PlimsollError
from plimsoll.feeds.reading import Price, Problem, Reading, Sample
from plimsoll.feeds.web import Web, json_of
from plimsoll.market.venues.patience import BusyError

MAX_SPREAD: Final = 0.02
"""A book this wide, as a share of its middle, prices nothing."""
REFRESH_SEC: Final = 15.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """How one exchange is asked.

    Attributes
    ----------
    name : str
        Name of the source.
    base_url : str
        Root of its public interface.
    question : Callable[[str], tuple[str, Mapping[str, str]]]
        Path and query of a market.
    answer : Callable[[Any], tuple[float or None, float]]
        Time (unix seconds, ``None`` where the exchange tells none) and price.
    markets : Mapping[str, str]
        Its name of a symbol's market against dollars.
    """

    name: str
    base_url: str
    question: Callable[[str], tuple[str, Mapping[str, str]]]
    answer: Callable[[Any], tuple[float | None, float]]
    markets: Mapping[str, str]


def _middle(bid: Any, ask: Any) -> float:
    """Return the middle of a book; refuse a crossed or a very wide one."""
    low, high = float(bid), float(ask)
    if not 0.0 < low <= high or high - low > MAX_SPREAD * 0.5 * (high + low):
        raise ValueError(f"bid {low:g} and ask {high:g} price nothing")
    return 0.5 * (low + high)


def _kraken(document: Any) -> tuple[float | None, float]:
    if document["error"]:
        text = ", ".join(map(str, document["error"]))
        raise BusyError(text) if "EService" in text or "Rate limit" in text else ValueError(text)
    (ticker,) = document["result"].values()
    return None, _middle(ticker["b"][0], ticker["a"][0])


def _bitstamp(document: Any) -> tuple[float | None, float]:
    return float(document["timestamp"]), _middle(document["bid"], document["ask"])


def _coinbase(document: Any) -> tuple[float | None, float]:
    at = datetime.fromisoformat(str(document["time"]).replace("Z", "+00:00"))
    return at.timestamp(), _middle(document["bid"], document["ask"])


def _okx(document: Any) -> tuple[float | None, float]:
    if document["code"] != "0":
        text = f"code {document['code']}, {document.get('msg', 'no message')}"
        # 50001: unavailable, 50004: time-out, 50011: too many requests, 50013: busy, 50026: system error.
        is_busy = document["code"] in ("50001", "50004", "50011", "50013", "50026")
        raise BusyError(text) if is_busy else ValueError(text)
    (ticker,) = document["data"]
    return float(ticker["ts"]) / 1_000.0, float(ticker["idxPx"])


EXCHANGES: Final[Mapping[str, Exchange]] = {
    exchange.name: exchange
    for exchange in (
        Exchange(
            "kraken",
            "https://api.kraken.com",
            lambda market: ("/0/public/Ticker", {"pair": market}),
            _kraken,
            {"ETH": "ETHUSD", "BTC": "XBTUSD", "USDC": "USDCUSD"},
        ),
        Exchange(
            "bitstamp",
            "https://www.bitstamp.net",
            lambda market: (f"/api/v2/ticker/{market}/", {}),
            _bitstamp,
            {"ETH": "ethusd", "BTC": "btcusd", "USDC": "usdcusd"},
        ),
        Exchange(
            "coinbase",
            "https://api.exchange.coinbase.com",
            lambda market: (f"/products/{market}/ticker", {}),
            _coinbase,
            {"ETH": "ETH-USD", "BTC": "BTC-USD"},
        ),
        Exchange(
            "okx",
            "https://www.okx.com",
            lambda market: ("/api/v5/market/index-tickers", {"instId": market}),
            _okx,
            {"ETH": "ETH-USD", "BTC": "BTC-USD", "USDC": "USDC-USD"},
        ),
    )
}


class TickerSource:
    """Spot prices of one exchange.

    Parameters
    ----------
    exchange : Exchange
        How it is asked.
    underlyings, tokens : Collection[str]
        Symbols wanted; those without a market there are left to other sources.
    web : Web, optional
        How the host is asked.
    now : Callable[[], float]
        Time of an answer that tells none, unix seconds.
    refresh_sec : float
        Least time between two fetches.
    """

    def __init__(
        self,
        exchange: Exchange,
        underlyings: Collection[str],
        tokens: Collection[str],
        web: Web | None = None,
        *,
        now: Callable[[], float] = time.time,
        refresh_sec: float = REFRESH_SEC,
    ) -> None:
        self.name = exchange.name
        self._exchange, self._now, self._refresh_sec = exchange, now, refresh_sec
        self._web = web or Web(exchange.base_url)
        self._underlyings = [symbol for symbol in sorted(underlyings) if symbol in exchange.markets]
        self._tokens = [symbol for symbol in sorted(tokens) if symbol in exchange.markets]
        self._last: tuple[float, Reading] | None = None

    async def read(self, required: Mapping[str, Collection[int]]) -> Reading:
        """Return a spot of every symbol whose ticker answers."""
        if self._last is not None and time.monotonic() - self._last[0] < self._refresh_sec:
            return self._last[1]
        symbols = sorted({*self._underlyings, *self._tokens})
        answers = dict(zip(symbols, await asyncio.gather(*map(self._price, symbols)), strict=True))
        prices = {symbol: found for symbol, found in answers.items() if isinstance(found, Price)}
        reading = Reading(
            spots={symbol: prices[symbol] for symbol in self._underlyings if symbol in prices},
            tokens={symbol: prices[symbol] for symbol in self._tokens if symbol in prices},
            problems=tuple(found for found in answers.values() if isinstance(found, Problem)),
        )
        self._last = (time.monotonic(), reading)
        return reading

    async def samples(self, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
        """Return nothing: a ticker keeps no history."""
        return ()

    def covers(self, symbol: str) -> bool:
        """Return whether a ticker of the symbol is asked for."""
        return symbol in self._underlyings or symbol in self._tokens

    async def close(self) -> None:
        """Close connections."""
        await self._web.close()

    async def _price(self, symbol: str) -> Price | Problem:
        path, params = self._exchange.question(self._exchange.markets[symbol])
        try:
            return await self._web.get(path, params, self._read, symbol)
        except PlimsollError as error:
            return Problem(self.name, symbol, error.message)

    def _read(self, status: int, body: bytes) -> Price:
        document = json_of(self.name, status, body)
        try:
            ts, price = self._exchange.answer(document)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(self.name, f"ticker lacks or spoils {error}") from error
        return Price(int(self._now() if ts is None else ts), price)
