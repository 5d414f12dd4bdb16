"""When to bid: the formulas of risk-model section 8 and a profit rule."""

from __future__ import annotations

from offchain.decide.intents import Bid
from offchain.decide.snapshot import AccountView, AuctionTerms, AuctionView, Snapshot
from offchain.mirror.auction import insolvent_payment, largest_fraction, price_factor, solvent_slice

# The fraction grows while the price falls between this decision and the block that holds the bid.
SLACK = 0.01


def solvent_terms(
    terms: AuctionTerms, view: AccountView, auction: AuctionView, elapsed_sec: float
) -> tuple[float, ...]:
    """Return fraction, profit and cost of the largest solvent bid.

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

    Returns
    -------
    tuple[float, ...]
        Fraction in [0, 1]; discount less fee, and what is paid fee included, in cash units.
    """
    factor = price_factor(elapsed_sec)
    rest = view.market_equity - auction.reserve
    fraction = largest_fraction(view.equity, view.maintenance, auction.reserve, rest, factor, terms.buffer)
    taken = solvent_slice(fraction, rest, factor, terms.fee_rate)
    cost = taken.price + taken.fee
    return fraction, fraction * rest - cost, cost


def insolvent_terms(view: AccountView, auction: AuctionView, elapsed_sec: float) -> tuple[float, ...]:
    """Return fraction, profit and payment of a bid for the whole of an insolvent account.

    Parameters
    ----------
    view : AccountView
        Account under auction.
    auction : AuctionView
        Its auction.
    elapsed_sec : float
        Seconds on the clock of the branch.

    Returns
    -------
    tuple[float, ...]
        1; payment above the debt taken over, and the payment, in cash units.
    """
    rest = view.market_equity - auction.reserve
    payment = insolvent_payment(1.0, rest, view.maintenance, auction.reserve, elapsed_sec)
    return 1.0, payment + rest, payment


def bid_for(snapshot: Snapshot, view: AccountView, auction: AuctionView) -> Bid | None:
    """Bid when it pays, else wait.

    Parameters
    ----------
    snapshot : Snapshot
        Time, terms and the bidder's rule.
    view : AccountView
        Account under auction.
    auction : AuctionView
        Its auction.

    Returns
    -------
    Bid or None
        ``None`` while the price is not yet low enough, its clock not started, or without a bidder.
    """
    rule = snapshot.bidder
    if rule is None or auction.clock_ts is None or snapshot.block_ts - auction.started_ts < rule.patience_sec:
        return None
    elapsed_sec = snapshot.block_ts - auction.clock_ts
    if auction.is_solvent:
        fraction, profit, cash = solvent_terms(snapshot.terms, view, auction, elapsed_sec)
        limit = cash * (1.0 + SLACK)
    else:
        fraction, profit, cash = insolvent_terms(view, auction, elapsed_sec)
        limit = cash * (1.0 - SLACK)
    floor = max(rule.min_profit, rule.min_return * fraction * view.maintenance)
    if fraction <= 0.0 or profit - rule.gas_cost < floor:
        return None
    return Bid(view.account_id, rule.account_id, auction.is_solvent, limit, auction.started_ts, auction.bid_count)
