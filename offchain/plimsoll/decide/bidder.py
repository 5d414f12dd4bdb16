"""When and how much to bid: the formulas of risk-model section 8, the bidder's own margin and a profit rule."""

from __future__ import annotations

from dataclasses import dataclass

from plimsoll.decide.intents import Bid
from plimsoll.decide.snapshot import AccountView, AuctionTerms, AuctionView, BidderRule, Snapshot
from plimsoll.mirror.auction import (
    VOUCH_SEC,
    Insolvent,
    insolvent_payment,
    largest_fraction,
    price_factor,
    solvent_slice,
    whole_price,
)

# Fraction and prices move between this decision and the block that holds the bid.
SLACK = 0.01


@dataclass(frozen=True, slots=True)
class Offer:
    """What a bid would do to the bidder.

    Parameters
    ----------
    fraction : float
        Part of the account taken.
    profit : float
        Market value of the slice with what is paid or received, in cash units.
    cash : float
        Paid with fee (solvent) or received (insolvent), in cash units.
    """

    fraction: float
    profit: float
    cash: float


def elapsed_on(auction: AuctionView, now_ts: int) -> float | None:
    """Return the seconds on the clock that a bid would find; ``None`` while it does not run.

    A clock that nobody vouched for in half an hour starts again with the bid.
    """
    if auction.clock_ts is None or auction.vouched_ts is None:
        return None
    return 0.0 if now_ts - auction.vouched_ts >= VOUCH_SEC else float(now_ts - auction.clock_ts)


def solvent_offer(
    terms: AuctionTerms, view: AccountView, auction: AuctionView, elapsed_sec: float, most: float
) -> Offer:
    """Return the largest solvent bid up to a fraction.

    Parameters
    ----------
    terms : AuctionTerms
        Buffer and fee rate.
    view : AccountView
        Account under auction.
    auction : AuctionView
        Its auction.
    elapsed_sec : float
        Seconds on the clock of the branch.
    most : float
        Largest fraction wanted.

    Returns
    -------
    Offer
    """
    rest = view.market_equity - auction.reserve
    price = whole_price(rest, view.maintenance, price_factor(elapsed_sec))
    restoring = largest_fraction(view.equity, view.maintenance, auction.reserve, price, terms.buffer)
    taken = solvent_slice(min(restoring, most), rest, price, terms.fee_rate)
    cost = taken.price + taken.fee
    return Offer(taken.fraction, taken.fraction * rest - cost, cost)


def insolvent_offer(
    snapshot: Snapshot, view: AccountView, auction: AuctionView, elapsed_sec: float, fraction: float
) -> Offer:
    """Return a bid for a fraction of an insolvent account.

    Parameters
    ----------
    snapshot : Snapshot
        Terms, and what the insurance fund may pay.
    view : AccountView
        Account under auction.
    auction : AuctionView
        Its auction.
    elapsed_sec : float
        Seconds on the clock of the branch.
    fraction : float
        Part to take.

    Returns
    -------
    Offer
    """
    rest = view.market_equity - auction.reserve
    account = Insolvent(rest, view.maintenance, auction.reserve, auction.credit, elapsed_sec)
    paid = insolvent_payment(fraction, account, snapshot.terms.bonus_share, snapshot.fund_available).total
    return Offer(fraction, paid + fraction * rest, paid)


def affordable_fraction(
    bidder: AccountView, view: AccountView, auction: AuctionView, whole: Offer, cushion: float
) -> float:
    """Return the largest fraction after which the bidder surely keeps its margin with a cushion, in [0, 1].

    A slice adds at most its own requirement to the bidder's, because risk is sub-additive; hedges only help.

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
    cash = -whole.cash if auction.is_solvent else whole.cash
    need = cushion * view.initial - (view.equity - auction.reserve) - cash
    room = (bidder.equity - cushion * bidder.initial) * (1.0 - SLACK)
    if room < 0.0:
        return 0.0
    return 1.0 if need <= room else room / need


def bid_for(snapshot: Snapshot, view: AccountView, auction: AuctionView) -> Bid | None:
    """Bid when it pays, as much as the bidder's margin carries, else wait.

    Parameters
    ----------
    snapshot : Snapshot
        Time, terms, the bidder's rule and its account.
    view : AccountView
        Account under auction.
    auction : AuctionView
        Its auction.

    Returns
    -------
    Bid or None
        ``None`` while the price is not yet low enough, its clock not started, or without a bidder.
    """
    rule, elapsed_sec = snapshot.bidder, elapsed_on(auction, snapshot.block_ts)
    own = next((a for a in snapshot.accounts if rule is not None and a.account_id == rule.account_id), None)
    if rule is None or own is None or elapsed_sec is None:
        return None
    if view.equity >= view.maintenance or snapshot.block_ts - auction.started_ts < rule.patience_sec:
        return None
    offer, most = _sized(snapshot, view, auction, (own, rule), elapsed_sec)
    share = rule.min_return if auction.is_solvent else rule.min_bonus
    floor = max(rule.min_profit, share * offer.fraction * view.maintenance)
    if offer.fraction <= 0.0 or offer.profit - rule.gas_cost < floor:
        return None
    limit = offer.cash * (1.0 + SLACK if auction.is_solvent else 1.0 - SLACK)
    return Bid(view.account_id, rule.account_id, auction.is_solvent, most, limit, auction.started_ts, auction.bid_count)


def _sized(
    snapshot: Snapshot,
    view: AccountView,
    auction: AuctionView,
    bidder: tuple[AccountView, BidderRule],
    elapsed_sec: float,
) -> tuple[Offer, float]:
    """Return the bid that the margin of the bidder carries with its cushion, and the fraction to ask for."""
    own, rule = bidder
    if not auction.is_solvent:
        whole = insolvent_offer(snapshot, view, auction, elapsed_sec, 1.0)
        most = affordable_fraction(own, view, auction, whole, rule.cushion)
        return insolvent_offer(snapshot, view, auction, elapsed_sec, most), most
    rest = view.market_equity - auction.reserve
    price = whole_price(rest, view.maintenance, price_factor(elapsed_sec))
    taken = solvent_slice(1.0, rest, price, snapshot.terms.fee_rate)
    most = affordable_fraction(own, view, auction, Offer(1.0, 0.0, taken.price + taken.fee), rule.cushion)
    wanted = solvent_offer(snapshot.terms, view, auction, elapsed_sec, 1.0)
    if most < rule.min_share * wanted.fraction:
        return Offer(0.0, 0.0, 0.0), 0.0
    return solvent_offer(snapshot.terms, view, auction, elapsed_sec, most), most
