"""Who trades in the soak: books of chosen leverage, more of them as time passes."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from helpers.local_chain import LocalChain
from soak.clock import Ticker
from soak.market import MovingMarket

from plimsoll.demo.plan import PlannedTrade, marks
from plimsoll.demo.world import Holder
from plimsoll.errors import PlimsollError
from plimsoll.mirror.margin_engine import evaluate_many
from plimsoll.model import Kind, Mode, Portfolio, Position
from plimsoll.params import Params

#: Cash of a new account over its initial requirement: from nearly none, which a storm takes away, to plenty.
LEAST, MOST = 1.01, 1.3
#: Notional of a book, cash.
SMALLEST, LARGEST = 20_000.0, 120_000.0
OPTION_SHARE = 0.25


class Traders:
    """Opens one account after the other.

    Parameters
    ----------
    chain : LocalChain
        Used by nobody else while this runs.
    market : MovingMarket
    maker : Holder
        The other side of every trade.
    rng : random.Random
    """

    def __init__(self, chain: LocalChain, market: MovingMarket, maker: Holder, rng: random.Random) -> None:
        self._chain, self._market, self._maker, self._rng = chain, market, maker, rng
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._busy = threading.Lock()
        self.opened = self.refused = 0

    def open_one(self, ts: int) -> None:
        """Open an account and let it trade at the market of a second."""
        now, position = self._market.market(ts), self._position(ts)
        price = marks(now, [position], Params())[0]
        if position.kind.is_linear:
            position = Position(position.underlying, position.kind, 0, price, position.quantity)
        alone = evaluate_many(now, [Portfolio(Mode.SINGLE, 0.0, {}, (position,))], Params())[0]
        # Options are sold, so that their premium comes on top.
        cash = alone.initial_margin * self._rng.uniform(LEAST, MOST)
        holder = self._chain.world.open(f"trader {self.opened + self.refused}", 0, cash, by_permit=False)
        try:
            self._chain.world.trade(holder, self._maker, PlannedTrade(position, price))
            self.opened += 1
        except PlimsollError:
            # Prices moved on between its deposit and its trade; an account without positions is what many are.
            self.refused += 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let nobody trade while the chain goes back; afterwards all nonces are asked for again."""
        with self._busy:
            yield
            self._chain.client.forget_nonces()

    def start(self, clock: Ticker, every_sec: float) -> None:
        """Open accounts until told to stop."""

        def work() -> None:
            while not self._ending.wait(every_sec):
                with self._busy:
                    self.open_one(clock.ts)

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Open no more."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(60)

    def _position(self, ts: int) -> Position:
        symbol = self._rng.choice(self._market.replay.underlyings)
        found = self._market.round(symbol, ts)
        quantity = self._rng.uniform(SMALLEST, LARGEST) / found.spot
        alive = [s for s in found.surfaces if s.expiry_ts > ts + 3_600]
        if self._rng.random() < OPTION_SHARE and alive:
            kind = self._rng.choice((Kind.CALL, Kind.PUT))
            strike = round(found.spot * self._rng.uniform(0.95, 1.05), -1)
            return Position(symbol, kind, self._rng.choice(alive).expiry_ts, strike, -round(quantity, 3))
        return Position(symbol, Kind.PERP, 0, found.spot, round(quantity, 3) * self._rng.choice((1.0, 1.0, -1.0)))
