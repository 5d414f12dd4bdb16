"""Whether a number that jumped is a crash or a slip: two sources say it, or one source keeps saying it.

A price that jumps (by more than a quarter from its anchor, or than the chain's speed limit where that is less) is
either the market or a wrong quote, and one reading of one source cannot say which.
Posted at the limit, a wrong one costs its victims as much as a crash would: at once 22 % down, with a confidence that
calls healthy accounts for margin. So it is not offered and not signed until a second source says the same, or until the
one source has said it in several readings over some time. A source that says it for good is believed in the end,
because a feed that is silent for ever stops every liquidation; from then on the number is posted at the limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from plimsoll.feeds.chain_state import FeedState, TokenState
from plimsoll.feeds.reading import Reading, number_of
from plimsoll.mirror.speed_limit import VARIANCES, Breach, Limits, breaches, logs_of_header, logs_of_surface
from plimsoll.model import Round

JUMP: Final = 0.25
"""Further from its anchor, as a logarithm, a price has jumped, also where governance allows a round more."""
CONFIRM_SEC: Final = 30
"""One source must have said a number for this long, seconds of its own time; the option ``feed.confirm_sec``."""
CONFIRM_READINGS: Final = 3
"""And in this many readings of different times."""
SAME: Final = 0.1
"""Readings this near to the first of them say the same, as a logarithm: a crash moves on while it is confirmed."""
GAP_SEC: Final = 7_200
"""What was said before a longer silence confirms nothing."""
#: Variances move by themselves near an expiry, and the mean is one of samples that were each a spot.
_UNDOUBTED: Final = frozenset({*VARIANCES, "mean"})


@dataclass(frozen=True, slots=True)
class Run:
    """Readings in a row that say the same: their first and last time, how many, and the first one's logarithm."""

    first_ts: int
    last_ts: int
    count: int
    log: float

    def joined(self, ts: int, log: float) -> Run:
        """Return the run after one more reading; a new one where it says something else."""
        if ts <= self.last_ts:
            return self
        if abs(log - self.log) > SAME or ts - self.last_ts > GAP_SEC:
            return Run(ts, ts, 1, log)
        return Run(self.first_ts, ts, self.count + 1, self.log)


@dataclass(slots=True)
class Memory:
    """What a source said of late, one run for each number.

    Parameters
    ----------
    confirm_sec : int
        How long one source alone must have said a number that jumped; 0 believes it at once.
    """

    confirm_sec: int = CONFIRM_SEC
    _runs: dict[str, Run] = field(default_factory=dict)
    _backed: frozenset[str] = frozenset()

    def observe(self, reading: Reading) -> None:
        """Take a reading in.

        Parameters
        ----------
        reading : Reading
            Newest; one of the same time as the last tells nothing new.
        """
        self._backed = reading.backed
        for name, ts, log in _numbers(reading):
            known = self._runs.get(name)
            self._runs[name] = Run(ts, ts, 1, log) if known is None else known.joined(ts, log)

    def doubt_of(self, name: str) -> str:
        """Say why a number that jumped is not believed yet.

        Parameters
        ----------
        name : str
            See :func:`~plimsoll.feeds.reading.number_of`.

        Returns
        -------
        str
            Empty when it is believed.
        """
        run = self._runs.get(name)
        if self.confirm_sec == 0 or name in self._backed or run is None:
            return ""
        said_sec = run.last_ts - run.first_ts
        if run.count >= CONFIRM_READINGS and said_sec >= self.confirm_sec:
            return ""
        wanted = f"{CONFIRM_READINGS} over {self.confirm_sec} s"
        return f"said by one source alone, in {run.count} readings over {said_sec} s; it takes two, or {wanted}"

    def doubts(self, found: Round, chain: FeedState) -> list[tuple[Breach, str]]:
        """Return the numbers of a round that jumped and are not believed yet, with the reason.

        Parameters
        ----------
        found : Round
            Newer than the chain's.
        chain : FeedState
            Of its underlying.

        Returns
        -------
        list of (Breach, str)
        """
        jumped = [b for b in breaches(chain.anchors, found, cautious(chain.limits)) if b.name not in _UNDOUBTED]
        named = [(breach, number_of(found.underlying, breach.name, breach.expiry_ts)) for breach in jumped]
        return [(breach, why) for breach, name in named if (why := self.doubt_of(name))]

    def token_doubts(self, ts: int, prices: Mapping[str, float], chain: TokenState) -> dict[str, str]:
        """Return the tokens whose price jumped and is not believed yet, with the reason.

        Parameters
        ----------
        ts : int
            Time of the prices.
        prices : Mapping[str, float]
            Cash by symbol.
        chain : TokenState

        Returns
        -------
        dict of str to str
        """
        _, jumped = replace(chain, limits=cautious(chain.limits)).cut(ts, prices)
        return {symbol: why for symbol, _ in jumped if (why := self.doubt_of(number_of(symbol, "token")))}


def cautious(limits: Limits) -> Limits:
    """Return the limits beyond which a price has jumped.

    Parameters
    ----------
    limits : Limits
        Of the chain.

    Returns
    -------
    Limits
    """
    return replace(limits, move=min(limits.move, JUMP))


def _numbers(reading: Reading) -> Iterator[tuple[str, int, float]]:
    for symbol, found in reading.rounds.items():
        yield from _of_round(symbol, found)
    for symbol, price in reading.tokens.items():
        yield number_of(symbol, "token"), price.ts, math.log(price.value)


def _of_round(symbol: str, found: Round) -> Iterator[tuple[str, int, float]]:
    for name, log in logs_of_header(found).items():
        yield number_of(symbol, name), found.ts, log
    for surface in found.surfaces:
        logs = logs_of_surface(surface, found.ts)
        for name in logs.keys() - _UNDOUBTED:
            yield number_of(symbol, name, surface.expiry_ts), found.ts, logs[name]
