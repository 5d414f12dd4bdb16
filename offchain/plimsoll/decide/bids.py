"""Duty: bids that pay, out of one purse: what the bidder's margin carries goes to the auctions that pay most for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plimsoll.decide.auctions import BidderRule
from plimsoll.decide.bidder import SLACK, BidWish, least_profit, margin_need
from plimsoll.decide.hedges import Hedge
from plimsoll.decide.intents import Bid


@dataclass(frozen=True, slots=True)
class BidPreview:
    """What the chain says a bid would do now (``ActionPreview.previewLiquidation``); money in cash units.

    Parameters
    ----------
    is_solvent : bool
        Branch.
    fraction : float
        Part that would be taken.
    cash : float
        Paid with fee (solvent) or received (insolvent).
    profit : float
        Change of the bidder's market equity.
    equity_before, initial_before, equity_after, initial_after : float
        Of the bidder.
    gross : float
        Gross notional of the account under auction.
    """

    is_solvent: bool
    fraction: float
    cash: float
    profit: float
    equity_before: float
    initial_before: float
    equity_after: float
    initial_after: float
    gross: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One bid at its full size: what it gains before gas, and the excess that it takes of the bidder's."""

    wish: BidWish
    preview: BidPreview
    gain: float
    need: float


def decide_bids(
    wishes: Sequence[BidWish],
    previews: Mapping[int, BidPreview],
    hedges: Mapping[int, Hedge],
    rule: BidderRule,
    gas_cost: float,
) -> tuple[Bid, ...]:
    """Share the bidder's room out among auctions.

    Parameters
    ----------
    wishes : sequence of BidWish
        Bids that were previewed.
    previews : Mapping[int, BidPreview]
        By account under auction; one that the chain refused is missing and gets no bid.
    hedges : Mapping[int, Hedge]
        By account under auction; where one is missing, gross notional bounds the value of its deltas.
    rule : BidderRule
        When a bid pays.
    gas_cost : float
        Cost of one bid, in cash units.

    Returns
    -------
    tuple of Bid
        The largest profit for the margin it binds first. A bid that is larger than the room left is cut to it; one that
        gains too little after gas and hedge is left out, and its room goes to the next.
    """
    found = [
        _candidate(wish, previews[wish.account.account_id], hedges.get(wish.account.account_id), rule)
        for wish in wishes
        if wish.account.account_id in previews
    ]
    # A figure that is no number concerns its own bid alone.
    found = [candidate for candidate in found if math.isfinite(candidate.gain) and math.isfinite(candidate.need)]
    found.sort(key=lambda candidate: (-_yield(candidate, gas_cost), candidate.wish.account.account_id))
    bids: list[Bid] = []
    room = min((_room(candidate.preview, rule) for candidate in found), default=0.0)
    for candidate in found:
        need = candidate.need if not bids else max(candidate.need, _safe_need(candidate, rule))
        share = _share(room, need)
        if not _pays(candidate, share, rule, gas_cost):
            continue
        bids.append(_bid(candidate, share, rule))
        room -= share * need * (1.0 + SLACK if need > 0.0 else 1.0)
    return tuple(bids)


def _room(preview: BidPreview, rule: BidderRule) -> float:
    """Return the excess that the bidder may bind, in cash units."""
    return preview.equity_before - rule.cushion * preview.initial_before


def _candidate(wish: BidWish, preview: BidPreview, hedge: Hedge | None, rule: BidderRule) -> _Candidate:
    """Price one bid at its full size."""
    exposed = hedge or Hedge(preview.gross, 0.0)
    cost = rule.delta_cost * abs(exposed.delta_value) + rule.vega_cost * abs(exposed.vega_value)
    after = preview.equity_after - rule.cushion * preview.initial_after
    return _Candidate(wish, preview, preview.profit - preview.fraction * cost, _room(preview, rule) - after)


def _yield(candidate: _Candidate, gas_cost: float) -> float:
    """Return profit for the margin that a bid binds; infinite where it frees some."""
    return (candidate.gain - gas_cost) / candidate.need if candidate.need > 0.0 else math.inf


def _safe_need(candidate: _Candidate, rule: BidderRule) -> float:
    """Return what a bid binds at most, whatever was taken before it: hedges of the preview may be used up by then."""
    preview = candidate.preview
    cash = preview.cash if preview.is_solvent else -preview.cash
    return margin_need(candidate.wish.account, candidate.wish.auction, preview.fraction, cash, rule.cushion)


def _share(room: float, need: float) -> float:
    """Return how much of a bid the room carries, in [0, 1]."""
    if need <= 0.0:
        # It frees margin, which has to be enough where the bidder is short of it.
        return 1.0 if room >= need else 0.0
    return min(1.0, max(0.0, room * (1.0 - SLACK) / need))


def _pays(candidate: _Candidate, share: float, rule: BidderRule, gas_cost: float) -> bool:
    """Whether a part of a bid is large enough and gains enough; NaN is neither."""
    preview = candidate.preview
    if not share > 0.0 or (preview.is_solvent and share < rule.min_share):
        return False
    fraction = share * preview.fraction
    floor = least_profit(rule, candidate.wish.account, fraction, is_solvent=preview.is_solvent)
    return share * candidate.gain - gas_cost >= floor


def _bid(candidate: _Candidate, share: float, rule: BidderRule) -> Bid:
    """Build the bid; its limit leaves room for what moves until it is mined."""
    preview, auction = candidate.preview, candidate.wish.auction
    limit = share * preview.cash * (1.0 + SLACK if preview.is_solvent else 1.0 - SLACK)
    # A whole bid asks for a little more, because it takes a little more to restore the account at a lower price; the
    # auction gives no more than that.
    fraction = min(1.0, share * preview.fraction * (1.0 + SLACK if share == 1.0 else 1.0))
    account_id = candidate.wish.account.account_id
    return Bid(account_id, rule.account_id, preview.is_solvent, fraction, limit, auction.number, auction.bid_count)
