"""Stage three: a pure function from a snapshot of the world to ordered intents."""

from offchain.decide.intents import (
    Bid,
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
from offchain.decide.policy import decide
from offchain.decide.snapshot import AccountView, AuctionView, BidderRule, Snapshot

__all__ = [
    "AccountView",
    "AuctionView",
    "Bid",
    "BidderRule",
    "EndAuction",
    "Intent",
    "PostRound",
    "PostSettlement",
    "PostTokenPrices",
    "Settle",
    "Snapshot",
    "StartAuction",
    "TouchAuction",
    "UpdateFunding",
    "UpdateRate",
    "WriteOff",
    "decide",
]
