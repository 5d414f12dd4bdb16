"""Live option chains from Deribit's public REST API, in the format of a chain file.

Four reads make a snapshot: the listed instruments, the book summary of all options, the index and the
perpetual. The venue's clock (``usOut``) dates the rows, so no local clock is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from plimsoll.constants import YEAR_SEC
from plimsoll.errors import InputError, UnavailableError
from plimsoll.market.chain_file import INDEX_NAME, SCHEMA, split_table
from plimsoll.mirror.black76 import greeks, price_and_delta

Vector = npt.NDArray[np.float64]

BASE_URL: Final = "https://www.deribit.com/api/v2"
ATTEMPTS: Final = 4
PAUSE_SEC: Final = 0.25
"""Least time between two requests; the public limit is 20 a second."""
TIMEOUT_SEC: Final = 10.0
TOO_MANY_REQUESTS: Final = 10_028
_BUSY_STATUS: Final = (429, 500, 502, 503, 504)


class BusyError(Exception):
    """The venue asked for patience, or the connection broke; the read is repeated."""


@dataclass(frozen=True, slots=True)
class LiveChain:
    """A snapshot as fetched.

    Attributes
    ----------
    table : pyarrow.Table
        Rows with the columns of a chain file, checked.
    ts : int
        The venue's time, unix seconds.
    perp : float
        Mark of the perpetual in USD; a chain file has no column for it.
    """

    table: pa.Table
    ts: int
    perp: float


@dataclass(slots=True)
class Deribit:
    """Reader of the public API.

    Parameters
    ----------
    client : httpx.Client
        Carries the transport, so that tests need no network.
    base_url : str
        Root of the API.
    sleep : callable
        Waits so many seconds; replaced in tests.
    """

    client: httpx.Client
    base_url: str = BASE_URL
    sleep: Callable[[float], None] = time.sleep
    _requests: int = field(default=0, init=False)

    def fetch(self, currency: str) -> LiveChain:
        """Fetch the whole option chain of a currency.

        Parameters
        ----------
        currency : str
            ``BTC`` or ``ETH``.

        Returns
        -------
        LiveChain
            Every listed option that has not expired and has a mark.

        Raises
        ------
        UnavailableError
            When the API cannot be reached or answers with something else than an option chain.
        """
        instruments, _ = self.read("get_instruments", currency=currency, kind="option", expired="false")
        index, _ = self.read("get_index_price", index_name=f"{currency.lower()}_usd")
        ticker, _ = self.read("ticker", instrument_name=f"{currency}-PERPETUAL")
        summaries, ts = self.read("get_book_summary_by_currency", currency=currency, kind="option")
        try:
            perp = float(ticker["mark_price"])
            table = chain_table(currency, ts, float(index["index_price"]), instruments, summaries)
            split_table(table, self.base_url)
        except (KeyError, TypeError, ValueError) as error:
            raise self._unavailable(f"answer lacks or spoils {error}") from error
        except InputError as error:
            raise self._unavailable(error.message) from error
        return LiveChain(table, ts, perp)

    def read(self, method: str, **params: str) -> tuple[Any, int]:
        """Call one public method, with retries.

        Parameters
        ----------
        method : str
            Name below ``public/``.
        **params : str
            Query.

        Returns
        -------
        result : object
            The answer's ``result``.
        ts : int
            The venue's time, unix seconds.

        Raises
        ------
        UnavailableError
            When every attempt failed or the answer is an error.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(BusyError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=0.5, max=4.0),
            sleep=self.sleep,
            reraise=True,
        )
        try:
            answer: tuple[Any, int] = retrying(self._read_once, method, params)
        except BusyError as error:
            raise self._unavailable(f"{method} failed {ATTEMPTS} times: {error}") from error
        return answer

    def _read_once(self, method: str, params: dict[str, str]) -> tuple[Any, int]:
        if self._requests:
            self.sleep(PAUSE_SEC)
        self._requests += 1
        try:
            response = self.client.get(f"{self.base_url}/public/{method}", params=params, timeout=TIMEOUT_SEC)
        except httpx.TransportError as error:
            raise BusyError(str(error) or type(error).__name__) from error
        if response.status_code in _BUSY_STATUS:
            raise BusyError(f"HTTP status {response.status_code}")
        try:
            document = response.json()
        except ValueError as error:
            raise self._unavailable(f"{method} answered no JSON (HTTP status {response.status_code})") from error
        return self._unwrap(method, document)

    def _unwrap(self, method: str, document: Any) -> tuple[Any, int]:
        failure = document.get("error") if isinstance(document, dict) else "no object"
        if isinstance(failure, dict) and failure.get("code") == TOO_MANY_REQUESTS:
            raise BusyError("too many requests")
        if failure is not None:
            raise self._unavailable(f"{method} answered an error: {failure}")
        try:
            return document["result"], int(document["usOut"]) // 1_000_000
        except (KeyError, TypeError, ValueError) as error:
            raise self._unavailable(f"{method} answer lacks or spoils {error}") from error

    def _unavailable(self, message: str) -> UnavailableError:
        return UnavailableError(self.base_url, message)


def chain_table(currency: str, ts: int, index_price: float, instruments: Any, summaries: Any) -> pa.Table:
    """Join instruments and book summaries into the rows of a chain file.

    Parameters
    ----------
    currency : str
        Underlying symbol.
    ts : int
        Time of the summaries, unix seconds.
    index_price : float
        USD.
    instruments, summaries : list of dict
        ``result`` of ``get_instruments`` and ``get_book_summary_by_currency``.

    Returns
    -------
    pyarrow.Table
        Columns of a chain file. Delta and vega, which a summary lacks, are Black-76 at the venue's mark volatility.

    Raises
    ------
    KeyError, TypeError, ValueError
        When the answers do not have the documented shape.
    """
    listed = {i["instrument_name"]: i for i in instruments}
    rows = [
        _row(currency, ts, index_price, listed[s["instrument_name"]], s)
        for s in summaries
        if s["instrument_name"] in listed and s["mark_price"] is not None
    ]
    alive = sorted((r for r in rows if r["expiry"] > ts), key=lambda r: (r["expiry"], r["strike"], r["type"]))
    _add_greeks(alive)
    return pa.table([pa.array([r[f.name] for r in alive]).cast(f.type) for f in SCHEMA], schema=SCHEMA)


def _row(currency: str, ts: int, index_price: float, listed: dict[str, Any], summary: dict[str, Any]) -> dict[str, Any]:
    iv = summary["mark_iv"]
    return {
        "ts": ts,
        "currency": currency,
        "expiry": int(listed["expiration_timestamp"]) // 1_000,
        "strike": float(listed["strike"]),
        "type": {"call": "C", "put": "P"}[listed["option_type"]],
        "bid": _quote(summary["bid_price"]),
        "ask": _quote(summary["ask_price"]),
        "mark": float(summary["mark_price"]),
        "mark_iv": float(iv) / 100.0 if iv else float("nan"),
        "underlying": float(summary["underlying_price"]),
        "underlying_name": str(summary.get("underlying_index") or INDEX_NAME),
        "index_price": index_price,
        "open_interest": float(summary["open_interest"]),
        "volume_24h": float(summary["volume"] or 0.0),
    }


def _quote(price: Any) -> float | None:
    """Return the price of a quote; the venue writes null or 0 for none."""
    return float(price) if price else None


def _add_greeks(rows: list[dict[str, Any]]) -> None:
    forward, strike, sigma = (np.array([r[n] for r in rows]) for n in ("underlying", "strike", "mark_iv"))
    is_call = np.array([r["type"] == "C" for r in rows])
    years = np.array([(r["expiry"] - r["ts"]) / YEAR_SEC for r in rows])
    known = np.nan_to_num(sigma)
    delta = price_and_delta(is_call, forward, strike, known * np.sqrt(years), np.ones_like(years))[1]
    vega = greeks(is_call, forward, strike, known, years, np.zeros_like(years)).vega / 100.0
    for row, d, v in zip(rows, delta, vega, strict=True):
        row["delta"], row["vega"] = round(float(d), 5), round(float(v), 5)
        row["mark_iv"] = None if np.isnan(row["mark_iv"]) else round(row["mark_iv"], 6)
