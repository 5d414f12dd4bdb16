"""Live option chains from Deribit's public REST API, in the format of a chain file.

Four reads make a snapshot: the listed instruments, the book summary of all options, the index and the
perpetual. The venue's clock (``usOut``) dates the rows, so no local clock is needed. A row that is wrong is dropped
with its reason and the others stand; only answers of another kind refuse the whole.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pyarrow as pa

from plimsoll.errors import InputError, UnavailableError
from plimsoll.market.chain_file import INDEX_NAME, split_table
from plimsoll.market.chain_rows import ChainRows, Row
from plimsoll.market.venues.patience import ATTEMPTS, BusyError, check_status, patiently

COIN_PAID: Final = ("BTC", "ETH")
"""Underlyings whose options are paid in coin; those of every other one are linear, paid in :data:`CASH`."""
CASH: Final = "USDC"
BASE_URL: Final = "https://www.deribit.com/api/v2"
PAUSE_SEC: Final = 0.25
"""Least time between two requests; the public limit is 20 a second."""
TIMEOUT_SEC: Final = 10.0
BUSY_CODES: Final = frozenset({10_028, 10_040, 10_041, 10_047, 10_066, 11_051, 11_094, 13_028, 13_888})
"""Too many requests, "retry", settlement in progress, full queues, maintenance, time-outs: what passes by itself."""


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
    dropped : tuple of (str, str)
        Instruments left out, each with the reason.
    """

    table: pa.Table
    ts: int
    perp: float
    dropped: tuple[tuple[str, str], ...] = ()


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
            Underlying: ``BTC``, ``ETH``, or one of linear options, such as ``SOL``.

        Returns
        -------
        LiveChain
            Every listed option that has not expired and has a mark.

        Raises
        ------
        UnavailableError
            When the API cannot be reached or answers with something else than an option chain.
        """
        answers = {method: self.read(method, **params) for method, params in reads_of(currency)}
        return live_chain(currency, answers, self.base_url)

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
        try:
            return patiently(lambda: self._read_once(method, params), self.sleep)
        except BusyError as error:
            raise self._unavailable(f"{method} failed {ATTEMPTS} times: {error}") from error

    def _read_once(self, method: str, params: dict[str, str]) -> tuple[Any, int]:
        if self._requests:
            self.sleep(PAUSE_SEC)
        self._requests += 1
        try:
            response = self.client.get(f"{self.base_url}/public/{method}", params=params, timeout=TIMEOUT_SEC)
        except httpx.TransportError as error:
            raise BusyError(str(error) or type(error).__name__) from error
        return unwrap(self.base_url, method, response.status_code, response.content)

    def _unavailable(self, message: str) -> UnavailableError:
        return UnavailableError(self.base_url, message)


def reads_of(currency: str) -> tuple[tuple[str, dict[str, str]], ...]:
    """Return method and query of the reads that make a snapshot, in order; the last one dates the rows."""
    if currency not in COIN_PAID:
        return (
            ("get_instruments", {"currency": CASH, "kind": "option", "expired": "false"}),
            ("get_index_price", {"index_name": f"{currency.lower()}_{CASH.lower()}"}),
            ("ticker", {"instrument_name": f"{currency}_{CASH}-PERPETUAL"}),
            ("get_book_summary_by_currency", {"currency": CASH, "kind": "option"}),
        )
    return (
        ("get_instruments", {"currency": currency, "kind": "option", "expired": "false"}),
        ("get_index_price", {"index_name": f"{currency.lower()}_usd"}),
        ("ticker", {"instrument_name": f"{currency}-PERPETUAL"}),
        ("get_book_summary_by_currency", {"currency": currency, "kind": "option"}),
    )


def unwrap(source: str, method: str, status: int, body: bytes) -> tuple[Any, int]:
    """Take the result out of an HTTP answer.

    Parameters
    ----------
    source : str
        Named in errors.
    method : str
        What was asked.
    status : int
        HTTP status.
    body : bytes
        HTTP body.

    Returns
    -------
    result : object
        The answer's ``result``.
    ts : int
        The venue's time, unix seconds.

    Raises
    ------
    BusyError
        When the same question may be answered later.
    UnavailableError
        When the answer is another error, or none.
    """
    check_status(status)
    try:
        document = json.loads(body)
    except ValueError as error:
        raise UnavailableError(source, f"{method} answered no JSON (HTTP status {status})") from error
    failure = document.get("error") if isinstance(document, dict) else "no object"
    if isinstance(failure, dict) and failure.get("code") in BUSY_CODES:
        raise BusyError(f"code {failure['code']}, {failure.get('message', 'no message')}")
    if failure is not None:
        raise UnavailableError(source, f"{method} answered an error: {failure}")
    try:
        return document["result"], int(document["usOut"]) // 1_000_000
    except (KeyError, TypeError, ValueError) as error:
        raise UnavailableError(source, f"{method} answer lacks or spoils {error}") from error


def live_chain(currency: str, answers: Mapping[str, tuple[Any, int]], source: str) -> LiveChain:
    """Make a snapshot of the answers to ``reads_of``.

    Parameters
    ----------
    currency : str
        Underlying symbol.
    answers : mapping of str to (object, int)
        Result and time by method.
    source : str
        Named in errors.

    Returns
    -------
    LiveChain
        Every listed option that has not expired, has a mark and is right; the others are named in ``dropped``.

    Raises
    ------
    UnavailableError
        When index, perpetual or the lists themselves are missing, more than half of the rows is wrong, or none is left.
    """
    (instruments, _), (index, _), (ticker, _), (summaries, ts) = (answers[name] for name, _ in reads_of(currency))
    try:
        perp, price = float(ticker["mark_price"]), float(index["index_price"])
        table, dropped = chain_table(currency, ts, price, instruments, summaries)
        split_table(table, source)
    except (KeyError, TypeError, ValueError) as error:
        raise UnavailableError(source, f"answer lacks or spoils {error}") from error
    except InputError as error:
        raise UnavailableError(source, error.message) from error
    return LiveChain(table, ts, perp, dropped)


def chain_table(
    currency: str, ts: int, index_price: float, instruments: Any, summaries: Any
) -> tuple[pa.Table, tuple[tuple[str, str], ...]]:
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
    table : pyarrow.Table
        Columns of a chain file. Delta and vega, which a summary lacks, are Black-76 at the venue's mark volatility.
    dropped : tuple of (str, str)
        Instruments whose row is wrong or of another kind, each with the reason. What is not listed, has expired or has
        no mark yet is no fault and not named.

    Raises
    ------
    KeyError, TypeError, ValueError
        When the answers are no lists of the documented shape.
    InputError
        When more than half of the rows is wrong.
    """
    listed = {
        i["instrument_name"]: i
        for i in instruments
        if isinstance(i, dict) and "instrument_name" in i and i.get("base_currency", currency) == currency
    }
    rows = ChainRows(currency)
    for summary in summaries:
        if not isinstance(summary, dict):
            rows.drop("row", f"is {summary!r:.40}, no object")
            continue
        name = str(summary.get("instrument_name"))
        try:
            row = _row_of(currency, ts, index_price, listed.get(name), summary)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            rows.drop(name, f"lacks or spoils {error}")
            continue
        if row is not None:
            rows.add(name, row)
    return rows.table(), tuple(rows.dropped)


def _row_of(currency: str, ts: int, index_price: float, listed: Any, summary: Any) -> Row | None:
    """Return the row of a summary; ``None`` for one that is not listed, has expired or has no mark yet."""
    if listed is None or summary["mark_price"] is None:
        return None
    is_linear = currency not in COIN_PAID
    paid = CASH if is_linear else currency
    settles = listed.get("settlement_currency", paid)
    if (
        listed.get("instrument_type", "linear" if is_linear else "reversed") == "linear"
    ) != is_linear or settles != paid:
        raise ValueError(f"is a {listed.get('instrument_type')} contract, settled in {settles}, not in {paid}")
    row = _row(currency, ts, index_price, listed, summary)
    if is_linear:
        # A premium in USD over the forward is the premium in coin, which chain files hold.
        row |= {side: None if row[side] is None else row[side] / row["underlying"] for side in ("bid", "ask", "mark")}
    return row if row["expiry"] > ts else None


def _row(currency: str, ts: int, index_price: float, listed: dict[str, Any], summary: dict[str, Any]) -> Row:
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
