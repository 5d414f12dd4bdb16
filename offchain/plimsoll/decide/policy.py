"""The order of work: prices, expiries, funding, then liquidations, most endangered account first."""

from __future__ import annotations

from plimsoll.decide.bidder import bid_for
from plimsoll.decide.intents import (
    EndAuction,
    Intent,
    PostRound,
    PostSettlement,
    PostTokenPrices,
    Settle,
    StartAuction,
    TouchAuction,
    UpdateFunding,
    UpdateRate,
    WriteOff,
)
from plimsoll.decide.snapshot import AccountView, AuctionView, Snapshot

# A price path that nobody vouched for in 30 minutes starts again: two passes fit between this and that.
VOUCH_AGAIN_SEC = 20 * 60


def decide(snapshot: Snapshot) -> tuple[Intent, ...]:
    """Say what to do now, in order.

    Parameters
    ----------
    snapshot : Snapshot
        The world at one block.

    Returns
    -------
    tuple[Intent, ...]
        Empty when nothing is to do. While a price is missing on chain, only prices and settlements
        are wanted: margins computed from older ones are not acted on. A series that does not settle
        holds up its own holders, which the snapshot leaves out, and nobody else.
    """
    prices = _prices(snapshot)
    settlements = _settlements(snapshot)
    if prices:
        return (*prices, *settlements)
    return (*settlements, *_funding(snapshot), *_rates(snapshot), *_liquidations(snapshot))


def _prices(snapshot: Snapshot) -> tuple[Intent, ...]:
    """Post what is newer than the chain."""
    wanted: list[Intent] = []
    if snapshot.offered_token_ts > snapshot.posted_token_ts:
        wanted.append(PostTokenPrices(snapshot.offered_token_ts))
    for underlying, ts in sorted(snapshot.offered_round_ts.items()):
        if ts > snapshot.posted_round_ts.get(underlying, 0):
            wanted.append(PostRound(underlying, ts))
    return tuple(wanted)


def _settlements(snapshot: Snapshot) -> tuple[Intent, ...]:
    """Price each expired series once, then settle its holders in chunks."""
    wanted: list[Intent] = []
    for (underlying, expiry_ts), holders in sorted(snapshot.expired.items(), key=lambda item: (item[0][1], item[0][0])):
        if (underlying, expiry_ts) not in snapshot.settled_prices:
            wanted.append(PostSettlement(underlying, expiry_ts))
        for first in range(0, len(holders), snapshot.max_settle_accounts):
            chunk = tuple(sorted(holders)[first : first + snapshot.max_settle_accounts])
            wanted.append(Settle(underlying, expiry_ts, chunk))
    return tuple(wanted)


def _funding(snapshot: Snapshot) -> tuple[Intent, ...]:
    """Let every fresh round set its funding rate, once."""
    return tuple(
        UpdateFunding(underlying, ts)
        for underlying, ts in sorted(snapshot.posted_round_ts.items())
        if ts > snapshot.funded_round_ts.get(underlying, 0) and snapshot.block_ts <= ts + snapshot.heartbeat_sec
    )


def _rates(snapshot: Snapshot) -> tuple[Intent, ...]:
    """Observe every rate of a wrapped token as soon as its gap is over."""
    due = sorted(snapshot.rate_due_ts.items())
    return tuple(UpdateRate(token, ts) for token, ts in due if snapshot.block_ts >= ts)


def _liquidations(snapshot: Snapshot) -> tuple[Intent, ...]:
    """Start, bid and end; the largest shortfall first."""
    running = {auction.account_id: auction for auction in snapshot.auctions}
    views = {view.account_id: view for view in snapshot.accounts}
    own = snapshot.bidder.account_id if snapshot.bidder else None
    wanted: list[Intent] = []
    for view in sorted(snapshot.accounts, key=_shortfall_order):
        auction = running.get(view.account_id)
        if view.is_pure_debt:
            wanted.append(WriteOff(view.account_id, snapshot.block_ts))
        elif auction is None and _is_auctionable(view) and view.account_id not in snapshot.uncertain:
            wanted.append(StartAuction(view.account_id, snapshot.block_ts))
        elif auction is not None and _is_recovered(view, snapshot) and view.account_id not in snapshot.uncertain:
            wanted.append(EndAuction(view.account_id, auction.started_ts))
    for auction in snapshot.auctions:
        view_or_none = views.get(auction.account_id)
        if view_or_none is None or view_or_none.is_pure_debt or auction.account_id == own:
            continue
        if _is_recovered(view_or_none, snapshot):
            continue
        if _is_unseen(view_or_none, auction, snapshot.block_ts):
            wanted.append(TouchAuction(auction.account_id, auction.is_solvent, snapshot.block_ts))
        bid = bid_for(snapshot, view_or_none, auction)
        if bid is not None:
            wanted.append(bid)
    return tuple(wanted)


def _is_auctionable(view: AccountView) -> bool:
    """Section 6: below maintenance."""
    return view.equity < view.maintenance


def _is_recovered(view: AccountView, snapshot: Snapshot) -> bool:
    """Section 8: the auction may end."""
    return view.equity >= min(view.initial, (1.0 + snapshot.terms.buffer) * view.maintenance)


def _is_unseen(view: AccountView, auction: AuctionView, now_ts: int) -> bool:
    """Whether the chain knows less of an auction than it should: that it goes on, its branch, its loss, a recovery."""
    if view.equity >= view.maintenance:
        return auction.vouched_ts is not None or auction.loss > 0.0
    if auction.clock_ts is None or auction.vouched_ts is None:
        return True
    return now_ts - auction.vouched_ts >= VOUCH_AGAIN_SEC or (auction.loss > 0.0) != (view.market_equity < 0.0)


def _shortfall_order(view: AccountView) -> tuple[float, int]:
    """Largest shortfall first, then by id so that the order never depends on the input's."""
    return (view.equity - view.maintenance, view.account_id)
