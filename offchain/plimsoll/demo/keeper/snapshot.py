"""The world at one block, as the demo's keeper decides on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from plimsoll.decide import AccountView, AuctionTerms, AuctionView, BidderRule, RateSight


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The world at one block.

    Parameters
    ----------
    block_ts : int
        Timestamp of the block, unix seconds.
    offered_round_ts : Mapping[str, int]
        Newest round each feed offers, by underlying.
    posted_round_ts : Mapping[str, int]
        Newest round on chain, by underlying; missing before the first.
    offered_token_ts, posted_token_ts : int
        The same for token prices; 0 when there are none.
    expired : Mapping[tuple[str, int], tuple[int, ...]]
        Accounts that still hold an expired series, by (underlying, expiry).
    settled_prices : frozenset[tuple[str, int]]
        Series whose settlement price is on chain.
    accounts : tuple[AccountView, ...]
        Every account whose margin could be computed; that of the bidder too, or it does not bid.
    uncertain : frozenset[int]
        Accounts so close to a limit that only the chain may decide.
    auctions : tuple[AuctionView, ...]
        Running auctions.
    bidder : BidderRule or None
        ``None`` when this keeper does not bid.
    fund_available : float
        What the insurance fund may pay now, in cash units.
    terms : AuctionTerms
        Of the auctions.
    funded_round_ts : Mapping[str, int]
        Round that set the present funding rate, by underlying; missing before the first.
    heartbeat_sec : int
        Age at which a round no longer counts; 0 where funding is not kept.
    rates : Mapping[str, RateSight]
        What is known of the rates of tokens, by symbol; only tokens with a source.
    """

    block_ts: int
    offered_round_ts: Mapping[str, int] = field(default_factory=dict)
    posted_round_ts: Mapping[str, int] = field(default_factory=dict)
    offered_token_ts: int = 0
    posted_token_ts: int = 0
    expired: Mapping[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)
    settled_prices: frozenset[tuple[str, int]] = frozenset()
    accounts: tuple[AccountView, ...] = ()
    uncertain: frozenset[int] = frozenset()
    auctions: tuple[AuctionView, ...] = ()
    bidder: BidderRule | None = None
    fund_available: float = math.inf
    terms: AuctionTerms = field(default_factory=AuctionTerms)
    funded_round_ts: Mapping[str, int] = field(default_factory=dict)
    heartbeat_sec: int = 0
    rates: Mapping[str, RateSight] = field(default_factory=dict)
