"""Duty: the rate of every wrapped token is observed as soon as its gap is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plimsoll.decide.intents import UpdateRate


@dataclass(frozen=True, slots=True)
class RateView:
    """When rates may be observed.

    Parameters
    ----------
    block_ts : int
        Time of the block, unix seconds.
    due_ts : Mapping[str, int]
        When the rate of a token may be observed again, by symbol; only tokens with a source.
    """

    block_ts: int
    due_ts: Mapping[str, int] = field(default_factory=dict)


def decide_rates(view: RateView) -> tuple[UpdateRate, ...]:
    """Observe what is due.

    Parameters
    ----------
    view : RateView

    Returns
    -------
    tuple of UpdateRate
        By token.
    """
    return tuple(UpdateRate(token, ts) for token, ts in sorted(view.due_ts.items()) if view.block_ts >= ts)
