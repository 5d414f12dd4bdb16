"""Duty: what anybody may call and somebody has to: ranges, waiting withdrawals, shares of a loss that is over.

Interest, funding and socialised losses need nobody: the contracts count them when an account is read.

A raise of the range opens a grace, and no raise is held back while somebody is liquidatable: whom prices make short is
short by the parameters before the raise as well, and may be liquidated within the grace. Only whom the raise alone
makes short waits for its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from plimsoll.constants import DAY_SEC
from plimsoll.decide.intents import PayRequests, Recalibrate, ReleaseShare

#: The rule learns the extremes of a day; calls an hour apart are what its back-test is measured with.
RANGE_INTERVAL_SEC: Final = 3_600
#: The last look of a day comes in its last minutes, whatever the hour of the look before.
DAY_END_SEC: Final = 600
#: A new extreme of the day this far beyond the last one is shown at once, as a share of it.
EXTREME_STEP: Final = 0.01


@dataclass(frozen=True, slots=True)
class RangeState:
    """Rule and round of one underlying that has a rule.

    Parameters
    ----------
    underlying : str
        Symbol.
    round_ts : int
        Time of the latest round; one that is stale is left out by whoever builds this.
    spot : float
        Its spot, cash.
    seen_ts : int
        Time of the last round that the rule saw; 0 when it saw none.
    low, high : float
        Extremes of that round's day, cash.
    """

    underlying: str
    round_ts: int
    spot: float
    seen_ts: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class QueueState:
    """Withdrawals that wait for one token.

    Parameters
    ----------
    token : str
        Symbol.
    first_id : int
        Request that is next.
    amount_raw : int
        What is left of it.
    payable_raw : int
        What a payment now would pay out of the queue.
    """

    token: str
    first_id: int
    amount_raw: int
    payable_raw: int


@dataclass(frozen=True, slots=True)
class ShareState:
    """Shares of an open loss that one account left in the pot; ``release_count`` times it was given some back."""

    account_id: int
    left_wad: int
    release_count: int


@dataclass(frozen=True, slots=True)
class UpkeepView:
    """State of what has to be kept up.

    Parameters
    ----------
    block_ts : int
        Time of the block, unix seconds.
    ranges : tuple of RangeState
    queues : tuple of QueueState
    shares : tuple of ShareState
    is_loss_open : bool
        Whether a loss is open that cash would bear; until it is not, shares stay.
    """

    block_ts: int
    ranges: tuple[RangeState, ...] = ()
    queues: tuple[QueueState, ...] = ()
    shares: tuple[ShareState, ...] = ()
    is_loss_open: bool = False


def decide_upkeep(view: UpkeepView) -> tuple[Recalibrate | PayRequests | ReleaseShare, ...]:
    """Say what is due.

    Parameters
    ----------
    view : UpkeepView

    Returns
    -------
    tuple of Recalibrate, PayRequests and ReleaseShare
        Withdrawals first, because people wait for them.
    """
    queues = sorted(view.queues, key=lambda queue: queue.token)
    ranges = sorted(view.ranges, key=lambda state: state.underlying)
    shares = () if view.is_loss_open else sorted(view.shares, key=lambda share: share.account_id)
    return (
        *(PayRequests(queue.token, queue.first_id, queue.amount_raw) for queue in queues if queue.payable_raw > 0),
        *(ReleaseShare(share.account_id, share.release_count) for share in shares if share.left_wad > 0),
        *(Recalibrate(state.underlying, state.round_ts) for state in ranges if _is_due(state)),
    )


def _is_due(state: RangeState) -> bool:
    """Whether the rule should see the round: an hour has passed, the day ends or has changed, or it ran away."""
    if state.round_ts <= state.seen_ts:
        return False
    if state.seen_ts == 0 or state.round_ts // DAY_SEC > state.seen_ts // DAY_SEC:
        return True
    age_sec, left_sec = state.round_ts - state.seen_ts, DAY_SEC - state.round_ts % DAY_SEC
    closes = left_sec <= DAY_END_SEC < DAY_SEC - state.seen_ts % DAY_SEC
    runs = state.spot > state.high * (1.0 + EXTREME_STEP) or state.spot < state.low * (1.0 - EXTREME_STEP)
    return age_sec >= RANGE_INTERVAL_SEC or closes or runs
