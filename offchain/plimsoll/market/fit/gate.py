"""What may leave a feed: a round whose numbers jump beyond the speed limit is not offered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from plimsoll.mirror.speed_limit import Anchors, Breach, Limits, after, breaches, within
from plimsoll.model import Round

SHIPPED_LIMITS: Final = Limits(move=0.25, variance_move=0.7, heartbeat_sec=7_200)
"""Moves of the shipped configurations and the longest of their heartbeats, which is the strictest. What the oracle
itself allows is heeded by ``LimitedFeed``, which knows the chain; the gate guards feeds that know none."""


@dataclass(slots=True)
class Gate:
    """Judges the rounds of one underlying by the anchors of those that it let through.

    A single snapshot cannot say whether the market jumped or a quote was wrong, so a round beyond the limit is not
    offered. When the next snapshot says the same, within the limit of the first, it is the market: then a round at the
    limit is offered, with less confidence, because a feed that stays silent stops every liquidation.

    Parameters
    ----------
    limits : Limits
    """

    limits: Limits = SHIPPED_LIMITS
    _anchors: Anchors = field(default_factory=Anchors)
    _offered: Round | None = None
    _refused: Round | None = None

    def offer(self, market_round: Round) -> tuple[Round | None, tuple[Breach, ...]]:
        """Let a round through or not.

        Parameters
        ----------
        market_round : Round
            What the market says; not older than the last.

        Returns
        -------
        offered : Round or None
            The round itself within the limit, one at the limit when it confirms the last that was refused, else None.
        found : tuple of Breach
            What was beyond.
        """
        found = breaches(self._anchors, market_round, self.limits)
        offered = market_round
        if found:
            confirmed = self._confirms(market_round)
            self._refused = market_round
            if not confirmed:
                return None, found
            offered, _ = within(self._anchors, market_round, self.limits, self._offered)
            if breaches(self._anchors, offered, self.limits):
                return None, found
        else:
            self._refused = None
        self._anchors, self._offered = after(self._anchors, offered), offered
        return offered, found

    def _confirms(self, market_round: Round) -> bool:
        """Whether a round beyond the limit says what an earlier one said that was refused, not long ago."""
        refused = self._refused
        if refused is None or not 0 < market_round.ts - refused.ts <= self.limits.heartbeat_sec:
            return False
        return not breaches(after(Anchors(), refused), market_round, self.limits)
