"""What the chain knows of the feeds at one block: limits, anchors, the last accepted times, terms of tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from plimsoll.mirror.speed_limit import SAFETY, Anchors, Limits

MAX_AHEAD_SEC = 15
"""Clocks of signers may run ahead of the chain's by this much (``FeedLimits.sol``)."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """One underlying's feed on chain, at one block.

    Attributes
    ----------
    now_ts : int
        Time of the block, unix seconds.
    limits : Limits
        Speed limit and heartbeat.
    last_ts : int
        Time of the last accepted round; 0 before the first.
    last_spot : float
        Its spot; 0 before the first.
    anchors : Anchors
        What numbers are measured from.
    expiries : tuple of int
        Expiries of the last round.
    clock_ts : int
        Time of the reader's own clock, unix seconds; see :attr:`newest_ts`.
    """

    now_ts: int
    limits: Limits
    last_ts: int = 0
    last_spot: float = 0.0
    anchors: Anchors = field(default_factory=Anchors)
    expiries: tuple[int, ...] = ()
    clock_ts: int = 0

    @property
    def newest_ts(self) -> int:
        """The time that the next block may carry: a chain without blocks for minutes does not stop its feeds."""
        return max(self.now_ts, self.clock_ts)


@dataclass(frozen=True, slots=True)
class TokenState:
    """Signed token prices on chain, at one block.

    Attributes
    ----------
    now_ts : int
        Time of the block, unix seconds.
    limits : Limits
        Speed limit and heartbeat.
    last : Mapping[str, tuple[int, float]]
        Time of the last accepted price and logarithm of its anchor, by symbol; time 0 before the first.
    clock_ts : int
        As in :class:`FeedState`.
    """

    now_ts: int
    limits: Limits
    last: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    clock_ts: int = 0

    @property
    def newest_ts(self) -> int:
        """As in :class:`FeedState`."""
        return max(self.now_ts, self.clock_ts)

    def cut(self, ts: int, prices: Mapping[str, float]) -> tuple[dict[str, float], list[tuple[str, str]]]:
        """Return prices within the speed limit: what is beyond is taken at the limit.

        Parameters
        ----------
        ts : int
            Their time, unix seconds.
        prices : Mapping[str, float]
            Cash by symbol.

        Returns
        -------
        prices : dict of str to float
        problems : list of (str, str)
            Symbol and text of each that was cut.
        """
        found, problems = dict(prices), []
        for symbol, price in prices.items():
            last_ts, anchor = self.last.get(symbol, (0, 0.0))
            moved, reach = math.log(price) - anchor, self.limits.reach("tokenPrice", ts - last_ts)
            if last_ts and abs(moved) > reach:
                found[symbol] = math.exp(anchor + math.copysign(reach - SAFETY, moved))
                problems.append((symbol, f"is {moved:+.3f} from its anchor, posted at the limit of {reach:.3f}"))
        return found, problems


@dataclass(frozen=True, slots=True)
class SettlementState:
    """One expiry on chain, at one block.

    Attributes
    ----------
    now_ts : int
        Time of the block, unix seconds.
    is_settled : bool
        Whether it has its price.
    clock_ts : int
        As in :class:`FeedState`.
    """

    now_ts: int
    is_settled: bool
    clock_ts: int = 0

    @property
    def newest_ts(self) -> int:
        """As in :class:`FeedState`."""
        return max(self.now_ts, self.clock_ts)
