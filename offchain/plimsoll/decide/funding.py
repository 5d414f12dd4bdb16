"""Duty: every fresh round sets the funding rate of its underlying, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plimsoll.decide.intents import UpdateFunding


@dataclass(frozen=True, slots=True)
class FundingView:
    """Rounds on chain, and what they have set.

    Parameters
    ----------
    block_ts : int
        Time of the block, unix seconds.
    heartbeat_sec : int
        Age at which a round no longer counts.
    posted_round_ts : Mapping[str, int]
        Newest round on chain, by underlying.
    funded_round_ts : Mapping[str, int]
        Round that set the present funding rate, by underlying; missing before the first.
    """

    block_ts: int
    heartbeat_sec: int
    posted_round_ts: Mapping[str, int] = field(default_factory=dict)
    funded_round_ts: Mapping[str, int] = field(default_factory=dict)


def decide_funding(view: FundingView) -> tuple[UpdateFunding, ...]:
    """Let every fresh round set its funding rate.

    Parameters
    ----------
    view : FundingView

    Returns
    -------
    tuple of UpdateFunding
        By underlying; a stale round of one leaves the others.
    """
    return tuple(
        UpdateFunding(underlying, ts)
        for underlying, ts in sorted(view.posted_round_ts.items())
        if ts > view.funded_round_ts.get(underlying, 0) and view.block_ts <= ts + view.heartbeat_sec
    )
