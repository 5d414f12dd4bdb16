"""A venue over real HTTP: a server in a thread that answers what the test says, in the venues' recorded forms."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import Callable
from contextlib import contextmanager

import numpy as np
from aiohttp import web

from plimsoll.market.fit.bands import coin_price

DAY_SEC = 86_400


@contextmanager
def serving(handler: Callable[[web.Request], web.StreamResponse]):
    """Serve every path by one function; yields the address of the root."""
    loop, ready, address = asyncio.new_event_loop(), threading.Event(), []

    async def answer(request):
        found = handler(request)
        return await found if asyncio.iscoroutine(found) else found

    async def start():
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address.append(f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}")
        ready.set()
        return runner

    def work():
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


class DeribitDouble:
    """Answers as the venue's public interface does; a test spoils what it wants spoilt.

    Two expiries of each currency: one with a board of strikes, one (``thin``) with four quotes.
    """

    def __init__(self, ts: int, spots: dict[str, float] | None = None) -> None:
        self.ts = ts
        self.spots = spots or {"ETH": 2_000.0, "BTC": 60_000.0}
        self.good = ts + 7 * DAY_SEC
        self.thin = ts + 21 * DAY_SEC
        #: Answers that come before the real ones, each (status, body) or None for a broken connection.
        self.failures: list[tuple[int, object] | None] = []
        self.spoil: Callable[[str, list[dict]], None] = lambda currency, rows: None
        self.listed: Callable[[str, list[dict]], None] = lambda currency, rows: None
        self.down: set[str] = set()
        self.charts: dict[str, list] = {}
        self.deliveries: list[dict] = []
        self.asked: list[str] = []

    def __call__(self, request: web.Request) -> web.Response:
        method, query = request.path.rsplit("/", 1)[1], request.query
        self.asked.append(method)
        if self.failures:
            failure = self.failures.pop(0)
            if failure is None:
                request.transport.close()
                return web.Response()
            return web.Response(status=failure[0], text=json.dumps(failure[1]))
        subject = query.get("currency") or query.get("index_name", query.get("instrument_name", ""))[:3].upper()
        if subject in self.down:
            return web.Response(status=520, text="unknown error")
        result = getattr(self, method)(subject)
        return web.json_response({"jsonrpc": "2.0", "result": result, "usOut": self.ts * 1_000_000 + 123})

    def get_index_price(self, currency: str):
        return {"index_price": self.spots[currency], "estimated_delivery_price": self.spots[currency]}

    def ticker(self, currency: str):
        return {"mark_price": self.spots[currency] * 1.0005, "instrument_name": f"{currency}-PERPETUAL"}

    def get_index_chart_data(self, currency: str):
        return self.charts.get(currency, [])

    def get_delivery_prices(self, currency: str):
        return {"data": self.deliveries, "records_total": len(self.deliveries)}

    def board(self, currency: str):
        spot = self.spots[currency]
        for expiry, ratios in ((self.good, np.linspace(0.7, 1.3, 25)), (self.thin, (0.97, 1.03))):
            for ratio in ratios:
                for right in ("call", "put"):
                    yield expiry, round(spot * ratio), right

    def get_instruments(self, currency: str):
        rows = [
            {
                "instrument_name": self.name(currency, expiry, strike, right),
                "expiration_timestamp": expiry * 1_000,
                "strike": float(strike),
                "option_type": right,
                "instrument_type": "reversed",
                "settlement_currency": currency,
            }
            for expiry, strike, right in self.board(currency)
        ]
        self.listed(currency, rows)
        return rows

    def get_book_summary_by_currency(self, currency: str):
        rows = [self.summary(currency, *row) for row in self.board(currency)]
        self.spoil(currency, rows)
        return rows

    @staticmethod
    def name(currency, expiry, strike, right):
        return f"{currency}-{expiry}-{strike}-{right[0].upper()}"

    def summary(self, currency, expiry, strike, right):
        spot, years = self.spots[currency], (expiry - self.ts) / (365 * DAY_SEC)
        forward = spot * math.exp(0.03 * years)
        vol = 0.6 + 0.3 * math.log(strike / forward) ** 2
        mark = float(
            coin_price(np.array([right == "call"]), np.log(np.array([strike / forward])), np.array([vol * years**0.5]))[
                0
            ]
        )
        return {
            "instrument_name": self.name(currency, expiry, strike, right),
            "mark_price": round(mark, 6),
            "mark_iv": 100.0 * vol,
            "bid_price": round(max(mark - 0.002, 0.0001), 4),
            "ask_price": round(mark + 0.002, 4),
            "underlying_price": forward,
            "underlying_index": f"{currency}-{expiry}",
            "open_interest": 10.0,
            "volume": 1.0,
        }
