"""Rounds of Deribit's public option chains, fitted here; what it saw of spot goes into the running mean."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import structlog

from plimsoll.constants import DAY_SEC
from plimsoll.errors import PlimsollError, UnavailableError
from plimsoll.feeds.reading import Problem, Reading, Sample, SourceError
from plimsoll.feeds.surface_fit import SurfaceFitter, bands_by_expiry
from plimsoll.feeds.web import Web
from plimsoll.market.chain_file import ChainSnapshot, split_table
from plimsoll.market.fit.bands import Bands
from plimsoll.market.replay.window import WINDOW_SEC
from plimsoll.market.venues.deribit import BASE_URL, LiveChain, live_chain, reads_of, unwrap
from plimsoll.model import Round

log = structlog.get_logger()

REFRESH_SEC: Final = 60.0
"""A chain is four reads of some hundred kilobytes; the public limit is shared by everybody behind one address."""
DELIVERY_SAMPLES: Final = 10
HOUR_SEC: Final = 3_600
NAMED: Final = 20
"""Dropped instruments named one by one; the rest is a count."""

Quoted = tuple[Round | None, dict[int, Bands], tuple[Problem, ...]]


class DeribitSource:
    """Fetches each chain at most once in ``REFRESH_SEC``; an underlying that fails stops no other.

    Parameters
    ----------
    underlyings : Collection[str]
        Symbols to fetch.
    web : Web, optional
        How the venue is asked.
    refresh_sec : float
        Least time between two fetches.
    clock : Callable[[], float]
        Seconds that only grow.
    """

    def __init__(
        self,
        underlyings: Collection[str],
        web: Web | None = None,
        *,
        refresh_sec: float = REFRESH_SEC,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._underlyings = tuple(sorted(underlyings))
        self._web = web or Web(BASE_URL)
        self.name = "deribit"
        self._refresh_sec, self._clock = refresh_sec, clock
        self._fitters = {symbol: SurfaceFitter(self.name) for symbol in self._underlyings}
        self._spots: dict[str, list[Sample]] = {symbol: [] for symbol in self._underlyings}
        self._bands: dict[str, dict[int, Bands]] = {}
        self._fetched: float | None = None
        self._problems: tuple[Problem, ...] = ()

    async def read(self, required: Mapping[str, Collection[int]]) -> Reading:
        """Return the newest rounds; of an underlying whose fetch failed, the last one it gave."""
        if self._fetched is None or self._clock() - self._fetched >= self._refresh_sec:
            found = await asyncio.gather(*(self._quoted(s, required.get(s, ())) for s in self._underlyings))
            self._problems = tuple(problem for _, _, problems in found for problem in problems)
            self._bands = {s: bands for s, (_, bands, _) in zip(self._underlyings, found, strict=True) if bands}
            self._fetched = self._clock()
        rounds = {s: f.offered for s, f in self._fitters.items() if f.offered is not None}
        if not rounds:
            raise SourceError(self.name, "; ".join(map(str, self._problems)) or "no underlying is asked for")
        return Reading(rounds, bands=self._bands, problems=self._problems)

    async def samples(self, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
        """Return the venue's index history of a window, else its delivery price of that day.

        The delivery price is the venue's own mean of its index over the same half hour; samples that all equal it say
        that mean and nothing of the path.
        """
        try:
            found = await self._history(underlying, expiry_ts)
        except UnavailableError as error:
            found = ()
            log.warning("no index history", source=self.name, underlying=underlying, reason=error.message)
        if found:
            return found
        price = await self._delivery(underlying, expiry_ts)
        if price is None:
            return ()
        step = WINDOW_SEC // DELIVERY_SAMPLES
        return tuple((expiry_ts - WINDOW_SEC + (i + 1) * step, price) for i in range(DELIVERY_SAMPLES))

    def covers(self, symbol: str) -> bool:
        """Return whether an underlying is fetched."""
        return symbol in self._underlyings

    async def close(self) -> None:
        """Close connections."""
        await self._web.close()

    async def _quoted(self, symbol: str, required: Collection[int]) -> Quoted:
        """Fetch and fit one underlying; whatever fails concerns it alone."""
        try:
            return await self._fetched_and_fitted(symbol, required)
        except PlimsollError as error:
            return None, {}, (Problem(self.name, symbol, error.message),)
        except Exception as error:
            # A fault of ours in reading one board must not cost the others.
            log.exception("fetch failed", source=self.name, symbol=symbol)
            return None, {}, (Problem(self.name, symbol, f"failed: {type(error).__name__} {error}"),)

    async def _fetched_and_fitted(self, symbol: str, required: Collection[int]) -> Quoted:
        live = await self._fetch(symbol)
        snapshot = split_table(live.table, self.name)[0]
        seen = [s for s in self._spots[symbol] if s[0] > snapshot.ts - 2 * WINDOW_SEC and s[0] != snapshot.ts]
        self._spots[symbol] = [*seen, (snapshot.ts, snapshot.spot)]
        # The fit takes some hundred milliseconds, in which the loop has other duties.
        fitted, bands, problems = await asyncio.to_thread(self._fit, symbol, live, snapshot, required)
        return fitted, bands, (*_named(self.name, symbol, live), *problems)

    def _fit(self, symbol: str, live: LiveChain, snapshot: ChainSnapshot, required: Collection[int]) -> Quoted:
        premium = live.perp / snapshot.spot - 1.0
        fitted, problems = self._fitters[symbol].take(snapshot, premium, required, self._spots[symbol])
        return fitted, bands_by_expiry(snapshot), problems

    async def _fetch(self, symbol: str) -> LiveChain:
        # One after the other: the venue counts requests, and the last one dates the rows.
        answers = {method: await self._ask(method, params) for method, params in reads_of(symbol)}
        return live_chain(symbol, answers, self.name)

    async def _ask(self, method: str, params: Mapping[str, str]) -> tuple[Any, int]:
        return await self._web.get(f"/public/{method}", params, partial(unwrap, self.name, method), method)

    async def _history(self, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
        """Read the chart of the index, which reaches back an hour or a day."""
        age = time.time() - (expiry_ts - WINDOW_SEC)
        reach = "1h" if age < HOUR_SEC else "1d"
        params = {"index_name": f"{underlying.lower()}_usd", "range": reach}
        points, _ = await self._ask("get_index_chart_data", params)
        return _inside(points, expiry_ts)

    async def _delivery(self, underlying: str, expiry_ts: int) -> float | None:
        """Read the delivery price of the day of an expiry; the venue delivers once a day, at 08:00 UTC."""
        if expiry_ts % DAY_SEC != 8 * HOUR_SEC:
            return None
        day = datetime.fromtimestamp(expiry_ts, UTC).strftime("%Y-%m-%d")
        answer, _ = await self._ask("get_delivery_prices", {"index_name": f"{underlying.lower()}_usd", "count": "30"})
        try:
            prices = {row["date"]: float(row["delivery_price"]) for row in answer["data"]}
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(self.name, f"get_delivery_prices answer lacks or spoils {error}") from error
        return prices.get(day)


def _inside(points: Any, expiry_ts: int) -> tuple[Sample, ...]:
    """Return the points of an index chart, ``[[milliseconds, price], ...]``, inside a settlement window."""
    found: dict[int, float] = {}
    for point in points if isinstance(points, list) else ():
        try:
            ts, price = int(point[0]) // 1_000, float(point[1])
        except (IndexError, TypeError, ValueError, KeyError, OverflowError):
            continue
        if expiry_ts - WINDOW_SEC < ts <= expiry_ts and 0.0 < price < float("inf"):
            found[ts] = price
    return tuple(sorted(found.items()))


def _named(source: str, symbol: str, live: LiveChain) -> tuple[Problem, ...]:
    """Return the rows that were dropped, the first of them by name."""
    named = [Problem(source, f"{symbol} {name}", reason) for name, reason in live.dropped[:NAMED]]
    if len(live.dropped) > NAMED:
        named.append(Problem(source, symbol, f"{len(live.dropped) - NAMED} further rows dropped"))
    return tuple(named)
