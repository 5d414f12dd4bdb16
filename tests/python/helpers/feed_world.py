"""What the tests of the feeds share: a deployment whose clock they move, sound rounds, a market they set."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace

from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import LOCAL_GAS
from plimsoll.chain.node import Node
from plimsoll.deployment.record import Deployment
from plimsoll.feeds.messages import Messages
from plimsoll.feeds.oracle_view import OracleView
from plimsoll.feeds.reading import Price, Reading
from plimsoll.market.replay.synthetic import START_TS
from plimsoll.model import Round, Surface, Svi

SIGNERS = tuple(wallet(f"feed signer {number}") for number in range(3))
RELAYER = wallet("feed relayer")
NOW = START_TS + 3_600
DAY = 86_400


@dataclass
class World:
    """A deployment on a chain of its own, whose clock the tests move."""

    client: Client
    deployment: Deployment
    url: str

    def at(self, ts: int) -> None:
        """Mine a block at a time."""
        self.client.rpc("evm_setNextBlockTimestamp", ts)
        self.client.rpc("evm_mine")

    @property
    def now(self) -> int:
        return self.client.block_ts()

    def send(self, data: bytes):
        """Relay a call; the receipt of the successful transaction."""
        return self.client.send(RELAYER, self.deployment.contracts["Oracle"], data, LOCAL_GAS, "Oracle")

    def oracle(self, function: str, *values):
        return self.deployment.contract(self.client, "Oracle").call(function, *values)

    def view(self, wraps=None) -> OracleView:
        """A view that belongs to the event loop it is used in; its clock is the chain's."""
        return OracleView(Node(self.url), self.deployment, wraps, clock=lambda: 0.0)

    def messages(self) -> Messages:
        async def domain():
            view = self.view()
            try:
                return await view.domain()
            finally:
                await view.close()

        return Messages(self.deployment, run(domain()))


def run(awaitable):
    """Run one coroutine to its end."""
    return asyncio.run(awaitable)


def flat(years: float, vol: float) -> Svi:
    """A slice of nearly one volatility."""
    return Svi(0.98 * vol * vol * years, 0.02 * vol * vol * years, 0.0, 0.0, 1.0)


def surface(expiry_ts: int, ts: int, spot: float, *, vol: float = 0.6, rate: float = 0.04) -> Surface:
    years = (expiry_ts - ts) / (365 * DAY)
    return Surface(expiry_ts, spot * math.exp(rate * years), rate, flat(years, vol))


def a_round(symbol: str = "ETH", ts: int = NOW, spot: float = 2_000.0, days=(7, 30), **changes) -> Round:
    """A sound round."""
    surfaces = tuple(surface(START_TS + day * DAY, ts, spot) for day in days)
    return replace(Round(symbol, ts, spot, spot, 0.9, surfaces), **changes)


class Market:
    """A source whose reading the test sets."""

    def __init__(self, name: str = "market", reading: Reading | None = None) -> None:
        self.name, self.reading, self.history, self.error = name, reading or Reading(), {}, None
        self.asked = 0

    async def read(self, required):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.reading

    async def samples(self, underlying, expiry_ts):
        if self.error is not None:
            raise self.error
        return self.history.get((underlying, expiry_ts), ())

    def covers(self, symbol):
        return symbol in self.reading.tokens or symbol in self.reading.underlyings()

    async def close(self):
        pass


def reading(ts: int = NOW, eth: float = 2_000.0, btc: float = 60_000.0, usdc: float = 1.0) -> Reading:
    """Both underlyings and cash."""
    rounds = {"ETH": a_round("ETH", ts, eth), "BTC": a_round("BTC", ts, btc)}
    return Reading(rounds, tokens={"USDC": Price(ts, usdc)})
