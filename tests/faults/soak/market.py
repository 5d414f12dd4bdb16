"""The market of the soak: the demo's replay at any second, with the same noise for the same seed."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from plimsoll.constants import DAY_SEC
from plimsoll.market.replay.replay import Replay, load_replay
from plimsoll.market.replay.window import WINDOW_SEC
from plimsoll.mirror.speed_limit import MEAN_SEC
from plimsoll.model import Market, Round, Surface, Token

#: Hour of the day at which options expire, UTC.
EXPIRY_SEC = 8 * 3_600
#: Share of the run before that hour, so that a series is sampled, settled and paid out within it.
BEFORE_EXPIRY = 0.6
#: Noise of spot between two hours of the replay, as a logarithm, and the seconds between its knots.
NOISE, KNOT_SEC = 0.004, 240
#: Falls and recoveries on top of it, so that accounts are liquidated all the time: how deep, how long, how often.
STORM, STORM_SEC, STORM_EVERY_SEC = 0.15, 1_500, 2_400
#: Expiries of each round: those that positions are opened in, and no more than make the case.
LISTED = 3


class MovingMarket:
    """Rounds of the replay between its snapshots.

    Parameters
    ----------
    seed : int
        Same seed, same prices.
    length_sec : int
        How much of the market the run sees, seconds of its time.
    """

    def __init__(self, seed: int, length_sec: int) -> None:
        self.replay: Replay = load_replay()
        self._seed = seed
        self.start_ts = self._stormiest(length_sec)
        self.end_ts = self.start_ts + length_sec
        self._shapes: dict[tuple[str, int], Round] = {}
        self._expiries = self._listed()

    @property
    def source(self) -> str:
        """``real`` or ``synthetic``."""
        return self.replay.data_source

    def spot(self, symbol: str, ts: int) -> float:
        """Spot at a second: the replay's path, storms, and noise that is linear between seeded knots."""
        knot, rest = divmod(ts - self.start_ts, KNOT_SEC)
        noise = [random.Random(f"{self._seed} {symbol} {knot + more}").gauss(0.0, NOISE) for more in (0, 1)]
        log = noise[0] + (noise[1] - noise[0]) * rest / KNOT_SEC + self._storm(ts)
        return self.replay.spot_between(symbol, ts) * math.exp(log)

    def round(self, symbol: str, ts: int) -> Round:
        """Round at a second: shapes of the last snapshot, moved to spot, their variance as far spent as time is."""
        shape = self._shape(symbol, ts)
        spot = self.spot(symbol, ts)
        scale = spot / shape.spot
        surfaces = tuple(
            _aged(surface, shape.ts, ts, scale)
            for surface in shape.surfaces
            if surface.expiry_ts in self._expiries[symbol] and surface.expiry_ts > ts
        )
        return replace(shape, ts=ts, spot=spot, perp=shape.perp * scale, surfaces=surfaces, mean=None)

    def market(self, ts: int) -> Market:
        """The whole market at a second."""
        rounds = {symbol: self.round(symbol, ts) for symbol in self.replay.underlyings}
        return Market(ts, {"USDC": Token("USDC", 1.0, 0.0)}, rounds)

    def samples(self, symbol: str, expiry_ts: int, until_ts: int) -> list[tuple[int, float]]:
        """What was seen of the window that ends at an expiry."""
        first = expiry_ts - WINDOW_SEC + 60
        return [(ts, self.spot(symbol, ts)) for ts in range(first, min(expiry_ts, until_ts) + 1, 60)]

    def _storm(self, ts: int) -> float:
        """Return how far a storm takes every price down, or up, as a logarithm."""
        number, at = divmod(ts - self.start_ts, STORM_EVERY_SEC)
        if at > STORM_SEC:
            return 0.0
        way = random.Random(f"{self._seed} storm {number}")
        return way.choice((-1.0, -1.0, 1.0)) * way.uniform(0.5, 1.0) * STORM * math.sin(math.pi * at / STORM_SEC) ** 2

    def _shape(self, symbol: str, ts: int) -> Round:
        number = max((n for n, found in enumerate(self.replay.timestamps) if found <= ts), default=0)
        if (symbol, number) not in self._shapes:
            self._shapes[symbol, number] = self.replay.round_at(number, symbol)
        return self._shapes[symbol, number]

    def _listed(self) -> dict[str, frozenset[int]]:
        """Return the nearest expiries that are there from the first second on."""
        found = {}
        for symbol in self.replay.underlyings:
            expiries = [s.expiry_ts for s in self._shape(symbol, self.start_ts).surfaces]
            found[symbol] = frozenset(sorted(e for e in expiries if e > self.start_ts)[:LISTED])
        return found

    def _stormiest(self, length_sec: int) -> int:
        """Return the start of the stretch, with an expiry in it, over which ETH falls furthest."""
        first, last = self.replay.timestamps[0], self.replay.timestamps[-1] - length_sec
        before_sec = int(BEFORE_EXPIRY * length_sec)
        days = range(first // DAY_SEC, last // DAY_SEC + 1)
        starts = [day * DAY_SEC + EXPIRY_SEC - before_sec for day in days]
        starts = [ts for ts in starts if first <= ts <= last and self._expires(ts + before_sec)]

        def fall(ts: int) -> float:
            prices = [self.replay.spot_between("ETH", ts + step) for step in range(0, length_sec, 600)]
            return min(prices) / prices[0]

        return min(starts, key=fall)

    def _expires(self, ts: int) -> bool:
        return all(self.replay.expiries_between(symbol, ts - 1, ts) for symbol in self.replay.underlyings)


def _aged(surface: Surface, then_ts: int, ts: int, scale: float) -> Surface:
    """Return an expiry later on: less time left, so less variance of the same shape."""
    left = max(surface.expiry_ts - ts - MEAN_SEC, 60) / max(surface.expiry_ts - then_ts - MEAN_SEC, 60)
    svi = replace(surface.svi, a=surface.svi.a * left, b=surface.svi.b * left)
    return replace(surface, forward=surface.forward * scale, svi=svi)
