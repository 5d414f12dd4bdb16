"""Duty: an account that fell below its initial requirement is called for margin, and the call ended when it is met.

The note changes no right, so it comes last and is bounded. An account below maintenance is not called: its auction says
more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from plimsoll.decide.intents import CallMargin
from plimsoll.decide.margins import AccountView

#: Notes of one pass: in a crash gas goes to auctions, and the others follow in the next passes.
MAX_NOTES: Final = 50


@dataclass(frozen=True, slots=True)
class MarginCallView:
    """Accounts that are short, and calls that are open.

    Parameters
    ----------
    accounts : tuple of AccountView
        Accounts whose margin is known: those below their initial requirement, and those called.
    called : frozenset of int
        Accounts that are called on chain.
    note_counts : Mapping[int, int]
        Calls and ends of calls of an account so far; 0 where missing.
    blurred : frozenset of int
        Accounts with collateral at a stale price, or without a live round: ``callMargin`` has no number of them.
    max_notes : int
        Most notes of one pass.
    """

    accounts: tuple[AccountView, ...] = ()
    called: frozenset[int] = frozenset()
    note_counts: Mapping[int, int] = field(default_factory=dict)
    blurred: frozenset[int] = frozenset()
    max_notes: int = MAX_NOTES


def decide_margin_calls(view: MarginCallView) -> tuple[CallMargin, ...]:
    """Say which calls to make and which to end.

    Parameters
    ----------
    view : MarginCallView

    Returns
    -------
    tuple of CallMargin
        The nearest to liquidation first, at most ``max_notes``.
    """
    due = [account for account in view.accounts if account.account_id not in view.blurred and _is_due(view, account)]
    due.sort(key=lambda found: found.shortfall_order)
    return tuple(
        CallMargin(account.account_id, account.is_short, view.note_counts.get(account.account_id, 0))
        for account in due[: view.max_notes]
    )


def _is_due(view: MarginCallView, account: AccountView) -> bool:
    """Whether the chain's note of an account is not what it should be."""
    if account.account_id in view.called:
        return not account.is_short
    return account.is_short and not account.is_auctionable
