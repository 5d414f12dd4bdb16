"""What has happened to an account, counted from events: by it one effect of a kind is told from the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class EffectState:
    """Counts of one account.

    Parameters
    ----------
    starts, ends : int
        Auctions that started; auctions and debts that ended.
    looks : int
        Looks at the account in its present auction.
    notes : int
        Calls for margin and ends of them.
    releases : int
        Shares of an open loss that were given back.
    is_called : bool
        Whether it is called for margin.
    is_sharing : bool
        Whether it left a share of an open loss behind.
    """

    starts: int = 0
    ends: int = 0
    looks: int = 0
    notes: int = 0
    releases: int = 0
    is_called: bool = False
    is_sharing: bool = False


#: What each event makes of the counts of its account.
EFFECTS: Final[dict[tuple[str, str], Callable[[EffectState], EffectState]]] = {
    ("Auction", "AuctionStarted"): lambda was: replace(was, starts=was.starts + 1, looks=0),
    ("Auction", "AuctionEnded"): lambda was: replace(was, ends=was.ends + 1),
    ("Auction", "ClocksSet"): lambda was: replace(was, looks=was.looks + 1),
    ("Auction", "MarginCalled"): lambda was: replace(was, notes=was.notes + 1, is_called=True),
    ("Auction", "MarginCallMet"): lambda was: replace(was, notes=was.notes + 1, is_called=False),
    ("Vault", "ShareLeft"): lambda was: replace(was, is_sharing=True),
    ("Vault", "ShareReleased"): lambda was: replace(was, releases=was.releases + 1, is_sharing=False),
}
