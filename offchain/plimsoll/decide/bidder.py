"""When and how much to bid: the formulas of risk-model section 8, the bidder's own margin and a profit rule."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from plimsoll.decide.auctions import AuctionTerms, AuctionView, BidderRule
from plimsoll.decide.margins import AccountView
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
SLACK: Final = 0.01
#: Bids that one pass previews on chain.
MAX_WISHES: Final = 64


@dataclass(frozen=True, slots=True)
class BidView:
    """What a bidder knows.

    Parameters
    ----------
    block_ts : int
        Time of the block, unix seconds.
    rule : BidderRule
        When a bid pays, and whose account bids.
    accounts : tuple of AccountView
        Accounts under auction, and the bidder's own.
    auctions : tuple of AuctionView
        Running auctions.
    terms : AuctionTerms
        Of the auctions.
    fund_available : float
        What the insurance fund may pay now, in cash units.
    """

    block_ts: int
    rule: BidderRule
    accounts: tuple[AccountView, ...] = ()
    auctions: tuple[AuctionView, ...] = ()
    terms: AuctionTerms = field(default_factory=AuctionTerms)
    fund_available: float = math.inf


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


@dataclass(frozen=True, slots=True)
class BidWish:
    """A bid that may pay, to be previewed on chain before it is made.

    Parameters
    ----------
    account : AccountView
        Account under auction.
    auction : AuctionView
        Its auction.
    offer : Offer
        The largest bid that the auction takes, by the mirror and whatever the bidder's margin.
    """

    account: AccountView
    auction: AuctionView
    offer: Offer


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
    world: BidView, view: AccountView, auction: AuctionView, elapsed_sec: float, fraction: float
) -> Offer:
    """Return a bid for a fraction of an insolvent account.

    Parameters
    ----------
    world : BidView
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
    account = Insolvent(rest, view.maintenance, auction.reserve, auction.credit, elapsed_sec, auction.lines)
    paid = insolvent_payment(fraction, account, world.terms.bonus_share, world.fund_available).total
    return Offer(fraction, paid + fraction * rest, paid)


def margin_need(account: AccountView, auction: AuctionView, fraction: float, cash: float, cushion: float) -> float:
    """Return the excess that a bidder surely has left to give for a slice, in cash units; negative when it gains some.

    A slice adds at most its own requirement to the bidder's, because risk is sub-additive; hedges only help.

    Parameters
    ----------
    account : AccountView
        Account under auction.
    auction : AuctionView
        Its auction.
    fraction : float
        Part taken.
    cash : float
        What the bidder pays for it, fee included; negative when it is paid.
    cushion : float
        Multiple of its initial requirement that the bidder keeps.

    Returns
    -------
    float
    """
    return fraction * (cushion * account.initial - (account.equity - auction.reserve)) + cash


def bid_wishes(view: BidView, gas_cost: float, *, limit: int = MAX_WISHES) -> tuple[BidWish, ...]:
    """List the bids that are worth a preview on chain.

    Parameters
    ----------
    view : BidView
    gas_cost : float
        Cost of one bid, in cash units.
    limit : int
        Most bids to preview.

    Returns
    -------
    tuple of BidWish
        The largest profit by the mirror first; without those whose clock does not run, whose gain would not pay the
        gas, the bidder's own account, and any account above maintenance.
    """
    accounts = {account.account_id: account for account in view.accounts}
    found = []
    for auction in view.auctions:
        account = accounts.get(auction.account_id)
        if account is None or account.account_id == view.rule.account_id or account.is_pure_debt:
            continue
        offer = largest_offer(view, account, auction)
        if offer is not None and offer.fraction > 0.0 and offer.profit > gas_cost:
            found.append(BidWish(account, auction, offer))
    found.sort(key=lambda wish: (-wish.offer.profit, wish.account.account_id))
    return tuple(found[:limit])


def largest_offer(view: BidView, account: AccountView, auction: AuctionView, most: float = 1.0) -> Offer | None:
    """Return the largest bid that an auction takes, up to a fraction.

    Parameters
    ----------
    view : BidView
    account : AccountView
        Account under auction.
    auction : AuctionView
        Its auction.
    most : float
        Largest fraction wanted.

    Returns
    -------
    Offer or None
        ``None`` while there is nothing to take, patience is not over, or its clock has not started.
    """
    elapsed_sec = elapsed_on(auction, view.block_ts)
    is_early = view.block_ts - auction.started_ts < view.rule.patience_sec
    if elapsed_sec is None or is_early or not account.is_auctionable:
        return None
    if auction.is_solvent:
        return solvent_offer(view.terms, account, auction, elapsed_sec, most)
    return insolvent_offer(view, account, auction, elapsed_sec, most)


def least_profit(rule: BidderRule, account: AccountView, fraction: float, *, is_solvent: bool) -> float:
    """Return what a bid has to gain after all costs, in cash units.

    Parameters
    ----------
    rule : BidderRule
    account : AccountView
        Account under auction.
    fraction : float
        Part taken.
    is_solvent : bool
        Branch.

    Returns
    -------
    float
    """
    share = rule.min_return if is_solvent else rule.min_bonus
    return max(rule.min_profit, share * fraction * account.maintenance)
