"""Stage three: a pure function from a snapshot of the world to ordered intents."""

from plimsoll.decide.intents import (
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
from plimsoll.decide.policy import decide
from plimsoll.decide.snapshot import AccountView, AuctionView, BidderRule, Snapshot

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
