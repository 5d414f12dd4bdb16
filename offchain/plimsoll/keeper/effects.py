"""What has happened to accounts, by kind, as the duties ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from plimsoll.index.state import State


@dataclass(slots=True)
class Effects:
    """Counts by account, where there is something to count.

    Parameters
    ----------
    starts, ends : dict[int, int]
        Auctions that started; auctions and debts that ended.
    looks : dict[int, int]
        Looks at the account in its present auction.
    notes : dict[int, int]
        Calls for margin and ends of them.
    called : set[int]
        Accounts that are called for margin.
    releases : dict[int, int]
        Shares given back.
    sharing : set[int]
        Accounts that left a share of an open loss behind.
    """

    starts: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    looks: dict[int, int] = field(default_factory=dict)
    notes: dict[int, int] = field(default_factory=dict)
    called: set[int] = field(default_factory=set)
    releases: dict[int, int] = field(default_factory=dict)
    sharing: set[int] = field(default_factory=set)


def effects_of(state: State) -> Effects:
    """Return what the events of a state say.

    Parameters
    ----------
    state : State
        Rebuilt state, so that a reorganisation takes counts back as well.

    Returns
    -------
    Effects
    """
    held = state.effects
    return Effects(
        {number: effect.starts for number, effect in held.items() if effect.starts},
        {number: effect.ends for number, effect in held.items() if effect.ends},
        {number: effect.looks for number, effect in held.items() if effect.starts},
        {number: effect.notes for number, effect in held.items() if effect.notes},
        {number for number, effect in held.items() if effect.is_called},
        {number: effect.releases for number, effect in held.items() if effect.releases},
        {number for number, effect in held.items() if effect.is_sharing},
    )
