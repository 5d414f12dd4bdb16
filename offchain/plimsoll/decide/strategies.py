"""Duty: settle the requests of a strategy vault at the first round that may, and stop a key whose shares fell too far.

Anybody may do either. What makes it a duty is that a late settlement is an option for whoever waits, and a late stop
lets a dishonest key go on.
"""

from __future__ import annotations

from dataclasses import dataclass

from plimsoll.decide.intents import SettleStrategy, StopStrategy


@dataclass(frozen=True, slots=True)
class StrategyState:
    """Where a strategy vault stands.

    Parameters
    ----------
    open_id, next_id, unpaid_id : int
        Epochs that take requests, are settled next, and are paid next.
    settled_ts : int
        Round of the last settlement, unix seconds.
    floor_wad : int
        Price of a share below which trading stops; 0 while no price is known.
    is_due : bool
        Whether a settlement now would do something.
    must_stop : bool
        Whether a stop now would be right.
    """

    open_id: int
    next_id: int
    unpaid_id: int
    settled_ts: int
    floor_wad: int
    is_due: bool
    must_stop: bool


def decide_strategy(state: StrategyState | None) -> tuple[StopStrategy | SettleStrategy, ...]:
    """Say what is due.

    Parameters
    ----------
    state : StrategyState or None
        ``None`` where there is no vault, or it could not be read.

    Returns
    -------
    tuple of StopStrategy and SettleStrategy
        The stop first: deposits of a vault that has to stop are returned.

    Examples
    --------
    >>> [intent.key for intent in decide_strategy(StrategyState(5, 4, 3, 1_700_000_000, 0, True, False))]
    ['strategy:5:4:3:1700000000']
    """
    if state is None:
        return ()
    stop = (StopStrategy(state.settled_ts, state.floor_wad),) if state.must_stop else ()
    settle = (SettleStrategy(state.open_id, state.next_id, state.unpaid_id, state.settled_ts),) if state.is_due else ()
    return (*stop, *settle)
