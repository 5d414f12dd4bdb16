"""What ``decide`` may know of auctions: the running ones, the terms of all, and the rule of the bidder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuctionView:
    """One running auction.

    Parameters
    ----------
    account_id : int
        Account under auction.
    started_ts : int
        Start, unix seconds.
    is_solvent : bool
        Which of the two price paths applies.
    clock_ts : int or None
        When that price path started; ``None`` while it has not, because prices swung to it only now.
    vouched_ts : int or None
        When somebody last showed the chain that equity is below maintenance; ``None`` when it was not at the last look.
    reserve : float
        Cash that earlier bids have paid in, in cash units.
    credit : float
        What reserve and lines would hold had every insolvent slice taken only its share of them, in cash units.
    loss : float
        Market equity below zero at the last look beyond ``lines``, which withdrawals leave their share of behind; in
        cash units.
    bid_count : int
        Bids so far.
    number : int
        Auctions of the account that have started, this one included.
    look_count : int
        How often the chain has looked at the account in this auction.
    lines : float
        What guarantee lines of the account hold, in cash units.
    """

    account_id: int
    started_ts: int
    is_solvent: bool
    clock_ts: int | None
    vouched_ts: int | None
    reserve: float = 0.0
    credit: float = 0.0
    loss: float = 0.0
    bid_count: int = 0
    number: int = 0
    look_count: int = 0
    lines: float = 0.0


@dataclass(frozen=True, slots=True)
class BidderRule:
    """When a bid pays.

    Parameters
    ----------
    account_id : int
        Account that takes the slices.
    min_profit : float
        Smallest profit of one bid after fee and gas, in cash units.
    min_return : float
        Smallest profit of a solvent slice as a share of the maintenance requirement taken over.
    min_bonus : float
        The same of an insolvent slice, where the bonus is bounded by the loss and 2 % of that requirement.
    patience_sec : int
        Wait at least this long for a lower price; a fall in price is worth more than being first
        only as long as nobody else bids.
    cushion : float
        Equity that the bidder keeps after a bid, as a multiple of its initial requirement and at least 1: a bidder
        that spends its last margin in a falling market is liquidated itself.
    min_share : float
        Smallest part of the slice that would restore an account which is worth taking, in [0, 1]: a bidder of little
        capital may rather serve accounts that it can restore than bind its margin in one that stays in trouble.
    delta_cost : float
        Cost of hedging what is taken over, as a share of the value of its delta.
    vega_cost : float
        The same, as a share of the cash that 1.00 of volatility moves.
    """

    account_id: int
    min_profit: float = 1.0
    min_return: float = 0.0
    min_bonus: float = 0.0
    patience_sec: int = 0
    cushion: float = 1.0
    min_share: float = 0.0
    delta_cost: float = 0.0
    vega_cost: float = 0.0


@dataclass(frozen=True, slots=True)
class AuctionTerms:
    """Parameters of risk-model section 8 that governance sets; the price path itself is ``mirror.auction``."""

    buffer: float = 0.15
    fee_rate: float = 0.01
    bonus_share: float = 0.25
