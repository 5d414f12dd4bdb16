"""All duties of one snapshot in one list, for the loop that works through them one after the other."""

from __future__ import annotations

from dataclasses import replace

from plimsoll.decide.auctions import AuctionView
from plimsoll.decide.bidder import SLACK, BidView, Offer, largest_offer, least_profit, margin_need
from plimsoll.decide.funding import FundingView, decide_funding
from plimsoll.decide.intents import Bid, Intent, PostSettlement
from plimsoll.decide.liquidations import LiquidationView, decide_liquidations
from plimsoll.decide.margins import AccountView
from plimsoll.decide.rates import RateView, decide_rates
from plimsoll.decide.settlements import SettlementView, decide_settlements
from plimsoll.demo.keeper.prices import PriceView, decide_prices
from plimsoll.demo.keeper.snapshot import Snapshot


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
    offered = (snapshot.offered_round_ts, snapshot.posted_round_ts)
    prices = decide_prices(PriceView(*offered, snapshot.offered_token_ts, snapshot.posted_token_ts))
    settlements = _settlements(snapshot)
    if prices:
        return (*prices, *settlements)
    rounds = (snapshot.posted_round_ts, snapshot.funded_round_ts)
    funding = decide_funding(FundingView(snapshot.block_ts, snapshot.heartbeat_sec, *rounds))
    rates = decide_rates(RateView(snapshot.block_ts, snapshot.rates))
    return (*settlements, *funding, *rates, *_liquidations(snapshot), *_bids(snapshot))


def _settlements(snapshot: Snapshot) -> tuple[Intent, ...]:
    """Price a series and settle its holders in the same pass: this loop waits for each transaction."""
    wanted: list[Intent] = []
    for series in sorted(snapshot.expired, key=lambda item: (item[1], item[0])):
        if series not in snapshot.settled_prices:
            wanted.append(PostSettlement(*series))
        holders = {series: snapshot.expired[series]}
        wanted += decide_settlements(SettlementView(snapshot.block_ts, holders, frozenset(holders)))
    return tuple(wanted)


def _liquidations(snapshot: Snapshot) -> tuple[Intent, ...]:
    """Start, touch and end; the index of this loop counts nothing, so the block's time stands for the counts."""
    accounts = tuple(view for view in snapshot.accounts if view.account_id not in snapshot.uncertain)
    counts = {view.account_id: snapshot.block_ts for view in accounts}
    now_ts = snapshot.block_ts
    auctions = tuple(replace(auction, number=auction.started_ts, look_count=now_ts) for auction in snapshot.auctions)
    return decide_liquidations(LiquidationView(now_ts, accounts, auctions, frozenset(), snapshot.terms, counts, counts))


def _bids(snapshot: Snapshot) -> tuple[Intent, ...]:
    """Bid on every auction by itself."""
    rule = snapshot.bidder
    accounts = {view.account_id: view for view in snapshot.accounts}
    if rule is None or rule.account_id not in accounts:
        return ()
    world = BidView(
        snapshot.block_ts, rule, snapshot.accounts, snapshot.auctions, snapshot.terms, snapshot.fund_available
    )
    own = accounts[rule.account_id]
    found = [
        _bid_for(world, own, accounts[auction.account_id], auction)
        for auction in snapshot.auctions
        if auction.account_id in accounts and auction.account_id != rule.account_id
    ]
    return tuple(bid for bid in found if bid is not None)


def affordable_fraction(
    bidder: AccountView, view: AccountView, auction: AuctionView, whole: Offer, cushion: float
) -> float:
    """Return the largest fraction after which the bidder surely keeps its margin with a cushion, in [0, 1].

    Parameters
    ----------
    bidder : AccountView
        The bidder's account.
    view : AccountView
        Account under auction.
    auction : AuctionView
        Its auction.
    whole : Offer
        A bid for the whole account.
    cushion : float
        Multiple of its initial requirement that the bidder keeps.

    Returns
    -------
    float
    """
    cash = whole.cash if auction.is_solvent else -whole.cash
    need = margin_need(view, auction, 1.0, cash, cushion)
    room = (bidder.equity - cushion * bidder.initial) * (1.0 - SLACK)
    if room < 0.0:
        return 0.0
    return 1.0 if need <= room else room / need


def _bid_for(world: BidView, own: AccountView, account: AccountView, auction: AuctionView) -> Bid | None:
    """Bid as much as the bidder's margin carries when it pays."""
    rule, whole = world.rule, largest_offer(world, account, auction)
    if whole is None or whole.fraction <= 0.0 or account.is_pure_debt:
        return None
    # Cost and gain of a slice are proportional to it.
    unit = Offer(1.0, whole.profit / whole.fraction, whole.cash / whole.fraction)
    most = affordable_fraction(own, account, auction, unit, rule.cushion)
    if auction.is_solvent and most < rule.min_share * whole.fraction:
        return None
    offer = largest_offer(world, account, auction, most)
    if offer is None or offer.fraction <= 0.0:
        return None
    if offer.profit < least_profit(rule, account, offer.fraction, is_solvent=auction.is_solvent):
        return None
    limit = offer.cash * (1.0 + SLACK if auction.is_solvent else 1.0 - SLACK)
    return Bid(
        account.account_id, rule.account_id, auction.is_solvent, most, limit, auction.started_ts, auction.bid_count
    )
