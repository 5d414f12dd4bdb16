"""Duty: auctions are started, vouched for and ended, and hopeless debts cleared; the largest deficit first.

What counts is the chain as it stands, also where this keeper is about to replace a price. Whoever is below maintenance
on chain may be liquidated by anybody in this second; to wait for a price that a feed offers would let a feed that
offers garbage, or a message that is never accepted, stop every liquidation. Acting early costs nobody anything: a start
sells nothing, the contract looks at the margin again when the transaction is mined (``Auction__NotLiquidatable`` ends
it well), and a bid names its branch and its limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from plimsoll.decide.auctions import AuctionTerms, AuctionView
from plimsoll.decide.intents import EndAuction, StartAuction, TouchAuction, WriteOff
from plimsoll.decide.margins import AccountView

#: A price path that nobody vouched for in 30 minutes starts again: two passes fit between this and that.
VOUCH_AGAIN_SEC: Final = 20 * 60

Step = StartAuction | TouchAuction | EndAuction | WriteOff


@dataclass(frozen=True, slots=True)
class LiquidationView:
    """Accounts that are not healthy, and auctions.

    Parameters
    ----------
    block_ts : int
        Time of the block, unix seconds.
    accounts : tuple of AccountView
        Accounts whose margin is known: those below a limit, and those under auction.
    auctions : tuple of AuctionView
        Running auctions.
    closed : frozenset of int
        Accounts under auction that do not exist any more: their auctions may be ended.
    terms : AuctionTerms
        Of the auctions.
    start_counts, end_counts : Mapping[int, int]
        Auctions of an account that have started, and auctions and debts of it that have ended; 0 where missing.
    """

    block_ts: int
    accounts: tuple[AccountView, ...] = ()
    auctions: tuple[AuctionView, ...] = ()
    closed: frozenset[int] = frozenset()
    terms: AuctionTerms = field(default_factory=AuctionTerms)
    start_counts: Mapping[int, int] = field(default_factory=dict)
    end_counts: Mapping[int, int] = field(default_factory=dict)


def decide_liquidations(view: LiquidationView) -> tuple[Step, ...]:
    """Say which auctions to start, touch and end and which debts to write off.

    Parameters
    ----------
    view : LiquidationView

    Returns
    -------
    tuple of StartAuction, TouchAuction, EndAuction and WriteOff
        At most one of an account, the largest deficit first; auctions of closed accounts last.
    """
    running = {auction.account_id: auction for auction in view.auctions}
    wanted: list[Step] = []
    for account in sorted(view.accounts, key=lambda found: found.shortfall_order):
        step = _step(view, account, running.get(account.account_id))
        if step is not None:
            wanted.append(step)
    gone = sorted(view.closed & running.keys())
    return (*wanted, *(EndAuction(number, running[number].number) for number in gone))


def is_recovered(account: AccountView, terms: AuctionTerms) -> bool:
    """Section 8: the auction may end."""
    return account.equity >= min(account.initial, (1.0 + terms.buffer) * account.maintenance)


def _step(view: LiquidationView, account: AccountView, auction: AuctionView | None) -> Step | None:
    """Return what is to be done about one account."""
    number = account.account_id
    # With a guarantee line a debt alone may be a healthy account.
    if account.is_pure_debt and account.is_auctionable:
        return WriteOff(number, view.end_counts.get(number, 0))
    if auction is None:
        return StartAuction(number, view.start_counts.get(number, 0)) if account.is_auctionable else None
    if is_recovered(account, view.terms):
        return EndAuction(number, auction.number)
    if is_unseen(account, auction, view.block_ts):
        return TouchAuction(number, auction.number, auction.look_count)
    return None


def is_unseen(account: AccountView, auction: AuctionView, now_ts: int) -> bool:
    """Whether the chain knows less of an auction than it should: that it goes on, its branch, its loss, a recovery.

    Parameters
    ----------
    account : AccountView
    auction : AuctionView
    now_ts : int
        Time of the block, unix seconds.

    Returns
    -------
    bool
    """
    if not account.is_auctionable:
        return auction.vouched_ts is not None or auction.loss > 0.0
    if auction.clock_ts is None or auction.vouched_ts is None:
        return True
    is_losing = account.market_equity + auction.lines < 0.0
    return now_ts - auction.vouched_ts >= VOUCH_AGAIN_SEC or is_losing != (auction.loss > 0.0)
