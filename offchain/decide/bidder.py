"""When and how much to bid: the price path of risk-model section 8 and a profit rule."""

from __future__ import annotations

from offchain.decide.intents import Bid
from offchain.decide.snapshot import AccountView, AuctionTerms, AuctionView, Snapshot

# The fraction grows while the price falls between this decision and the block that holds the bid.
SLACK = 0.01


def price_factor(terms: AuctionTerms, elapsed_sec: float) -> float:
    """Return the price factor ``d`` of a solvent auction.

    Parameters
    ----------
    terms : AuctionTerms
        Price path.
    elapsed_sec : float
        Seconds since the start, at least 0.

    Returns
    -------
    float
        Falls linearly to ``mid_factor``, then to 0, and stays there.
    """
    if elapsed_sec <= terms.mid_after_sec:
        return terms.start_factor - (terms.start_factor - terms.mid_factor) * elapsed_sec / terms.mid_after_sec
    span = terms.end_after_sec - terms.mid_after_sec
    return max(0.0, terms.mid_factor * (1.0 - (elapsed_sec - terms.mid_after_sec) / span))


def largest_fraction(terms: AuctionTerms, view: AccountView, reserve: float, factor: float) -> float:
    """Return the fraction that restores the buffer, ``((1+b)M - E)/((1+b)M - (E-V) + d*A)`` capped at 1.

    Parameters
    ----------
    terms : AuctionTerms
        Holds the buffer ``b``.
    view : AccountView
        Account under auction.
    reserve : float
        ``V``, cash paid in by earlier bids.
    factor : float
        ``d``, the price factor now.

    Returns
    -------
    float
        In [0, 1].
    """
    target = (1.0 + terms.buffer) * view.maintenance
    rest = view.market_equity - reserve
    denominator = target - (view.equity - reserve) + factor * rest
    if denominator <= 0.0:
        return 1.0
    return min(1.0, max(0.0, (target - view.equity) / denominator))


def solvent_profit(terms: AuctionTerms, rest: float, fraction: float, factor: float) -> float:
    """Return what a bidder gains before gas: the discount less the fee.

    Parameters
    ----------
    terms : AuctionTerms
        Holds the fee rate.
    rest : float
        ``A``, market value of everything outside the reserve.
    fraction : float
        ``f``, the slice taken.
    factor : float
        ``d``, the price factor now.

    Returns
    -------
    float
        In cash units.
    """
    discount = (1.0 - factor) * fraction * rest
    return discount - min(terms.fee_rate * fraction * rest, discount)


def insolvent_profit(terms: AuctionTerms, view: AccountView, auction: AuctionView, elapsed_sec: float) -> float:
    """Return what a bidder gains from the whole of an insolvent account: the payment above its debt.

    Parameters
    ----------
    terms : AuctionTerms
        Holds the length of the ramp.
    view : AccountView
        Account under auction.
    auction : AuctionView
        Its auction.
    elapsed_sec : float
        Seconds since the start.

    Returns
    -------
    float
        In cash units.
    """
    return view.maintenance * min(1.0, elapsed_sec / terms.insolvent_ramp_sec)


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
        ``None`` while the price is not yet low enough, or without a bidder.
    """
    rule, terms = snapshot.bidder, snapshot.terms
    if rule is None or snapshot.block_ts - auction.started_ts < rule.patience_sec:
        return None
    elapsed_sec = snapshot.block_ts - auction.clock_ts
    rest = view.market_equity - auction.reserve
    if auction.is_solvent:
        factor = price_factor(terms, elapsed_sec)
        fraction = largest_fraction(terms, view, auction.reserve, factor)
        profit = solvent_profit(terms, rest, fraction, factor)
        limit = (fraction * rest - profit) * (1.0 + SLACK)
    else:
        fraction = 1.0
        profit = insolvent_profit(terms, view, auction, elapsed_sec)
        limit = (profit - rest) * (1.0 - SLACK)
    floor = max(rule.min_profit, rule.min_return * fraction * view.maintenance)
    if fraction <= 0.0 or profit - rule.gas_cost < floor:
        return None
    return Bid(view.account_id, rule.account_id, auction.is_solvent, limit, auction.started_ts, auction.bid_count)
