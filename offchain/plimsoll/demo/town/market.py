"""The market of the demo as a moving picture: spot between its snapshots, surfaces carried along, at a chosen speed."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Final

import structlog

from plimsoll.chain.client import RpcError
from plimsoll.chain.revert import RevertError
from plimsoll.constants import DAY_SEC
from plimsoll.demo.world import World
from plimsoll.market.fit.rounds import SnapshotFit
from plimsoll.market.replay.replay import Replay
from plimsoll.model import Round
from plimsoll.protocol.rounds import RoundPoster

log = structlog.get_logger()

#: No round is posted twice in one second of the chain.
LEAST_GAP_SEC: Final = 2


class MovingMarket:
    """Posts rounds of a replay on a local chain.

    Parameters
    ----------
    world : World
        Chain, deployment and oracle keys.
    replay : Replay
        Snapshots; when they end, time goes back and forth between the last two.
    speed : float
        Seconds of the market in one second of the clock on the wall.
    """

    def __init__(self, world: World, replay: Replay, speed: float) -> None:
        self._world, self._replay, self._speed = world, replay, speed
        self._poster = RoundPoster(world.client, world.deployment, world.signers)
        self._relayer = world.funded_wallet("town relayer")
        self._fits: dict[tuple[int, str], SnapshotFit] = {}
        self._start_ts = world.client.block_ts()
        # Whole days, so that expiries keep their hour.
        self._shift_sec = (self._start_ts - replay.timestamps[0]) // DAY_SEC * DAY_SEC
        self._first_ts = replay.timestamps[0] + self._shift_sec
        self._began = time.monotonic()
        self._last_ts: dict[str, int] = {}

    def step(self) -> list[str]:
        """Let the chain's clock catch up and post a round of each underlying; return those that were taken."""
        target_ts = self._start_ts + int((time.monotonic() - self._began) * self._speed)
        now_ts = self._world.client.block_ts()
        if target_ts > now_ts:
            try:
                self._world.set_time(target_ts)
            except RpcError:
                # A transaction of somebody was mined meanwhile, and the chain is later than that.
                log.debug("the clock was ahead", ts=target_ts)
        now_ts = self._world.client.block_ts()
        taken = [symbol for symbol in self._replay.underlyings if self._post(symbol, now_ts)]
        if taken:
            self._poster.send(self._relayer, self._poster.tokens_call(now_ts, {"USDC": 1.0}))
        return taken

    def _post(self, symbol: str, now_ts: int) -> bool:
        """Post one round; the oracle refuses what jumps, and the next one is nearer."""
        if now_ts - self._last_ts.get(symbol, 0) < LEAST_GAP_SEC:
            return False
        found = self.round_at(symbol, now_ts)
        try:
            self._poster.send(self._relayer, self._poster.round_call(found))
        except RevertError as refused:
            log.info("a round was refused", underlying=symbol, reason=refused.message)
            return False
        self._last_ts[symbol] = now_ts
        return True

    def round_at(self, symbol: str, now_ts: int) -> Round:
        """Return the round of a time: the snapshot before it, moved to the spot of that time.

        Parameters
        ----------
        symbol : str
            Underlying.
        now_ts : int
            Time of the chain, unix seconds.

        Returns
        -------
        Round
        """
        stamps = self._replay.timestamps
        replay_ts = _folded(stamps[0] + now_ts - self._first_ts, stamps[0], stamps[-1])
        number = max(place for place, ts in enumerate(stamps) if ts <= replay_ts)
        found = self._fit(number, symbol).round
        factor = self._replay.spot_between(symbol, replay_ts) / found.spot
        # A breath between the hours that the path knows, the same on every run.
        factor *= 1.0 + 0.0006 * math.sin(now_ts / 37.0) + 0.0003 * math.sin(now_ts / 11.0)
        later_sec = now_ts - replay_ts
        day_sec = later_sec // DAY_SEC * DAY_SEC
        surfaces = tuple(
            replace(surface, expiry_ts=surface.expiry_ts + day_sec, forward=surface.forward * factor)
            for surface in found.surfaces
            if surface.expiry_ts + day_sec > now_ts + 3_600
        )
        return replace(
            found, ts=now_ts, spot=found.spot * factor, perp=found.perp * factor, surfaces=surfaces, mean=None
        )

    def _fit(self, number: int, symbol: str) -> SnapshotFit:
        if (number, symbol) not in self._fits:
            previous = self._fits.get((number - 1, symbol))
            self._fits[number, symbol] = self._replay.fit_at(number, symbol, (), previous)
        return self._fits[number, symbol]


def _folded(ts: int, first_ts: int, last_ts: int) -> int:
    """Return a time inside the replay: forward to its end, back to its start, and so on."""
    span_sec = last_ts - first_ts
    if span_sec <= 0:
        return first_ts
    turns, rest_sec = divmod(max(0, ts - first_ts), span_sec)
    return first_ts + rest_sec if turns % 2 == 0 else last_ts - rest_sec
