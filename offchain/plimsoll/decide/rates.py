"""Duty: the rate of every wrapped token is observed as soon as its gap is over, and a fall as soon as it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from plimsoll.decide.intents import UpdateRate

#: Part of a rate that is worth no transaction before its time: less than what rounding moves a vault's.
DUST_SHARE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class RateSight:
    """What is known of a token's rate; rates in units of the underlying in one token.

    Parameters
    ----------
    due_ts : int
        When the next observation may be made whatever the source states.
    ts : int
        Time of the first observation, or of the source's where nothing has been seen.
    ratio : float
        Ratio in the book.
    seen : float
        First observation of the pair under way; 0 where nothing has been seen.
    stated : float
        What the source states now; 0 where it fails or was not asked.
    """

    due_ts: int
    ts: int
    ratio: float
    seen: float = 0.0
    stated: float = 0.0

    @property
    def is_urgent(self) -> bool:
        """Whether an observation before its time changes something: a fall begins, or is less deep than was seen."""
        if not self.stated:
            return False
        if 0.0 < self.seen < self.ratio:
            return self.stated > self.seen * (1.0 + DUST_SHARE)
        return self.stated < self.ratio * (1.0 - DUST_SHARE)


@dataclass(frozen=True, slots=True)
class RateView:
    """What is known of rates.

    Parameters
    ----------
    block_ts : int
        Time of the block, unix seconds.
    rates : Mapping[str, RateSight]
        By symbol; only tokens with a source.
    """

    block_ts: int
    rates: Mapping[str, RateSight] = field(default_factory=dict)


def decide_rates(view: RateView) -> tuple[UpdateRate, ...]:
    """Observe what is due, and at once what falls.

    Two observations of a fall lower the mark of whoever holds the token. The same call undoes what was pushed: a fall
    that is no longer there, or no longer as deep.

    Parameters
    ----------
    view : RateView

    Returns
    -------
    tuple of UpdateRate
        By token.
    """
    wanted = []
    for token, rate in sorted(view.rates.items()):
        if view.block_ts >= rate.due_ts:
            wanted.append(UpdateRate(token, rate.due_ts))
        elif rate.is_urgent:
            wanted.append(UpdateRate(token, rate.ts, rate.stated))
    return tuple(wanted)
