"""Stage three: pure functions from a part of the world to ordered intents, one for each duty.

No duty looks at what another one wants, so that a feed, a series or an account that is in trouble stops nothing else.
"""

from plimsoll.decide.auctions import AuctionTerms, AuctionView, BidderRule
from plimsoll.decide.bidder import BidView, BidWish, bid_wishes
from plimsoll.decide.bids import BidPreview, decide_bids
from plimsoll.decide.funding import FundingView, decide_funding
from plimsoll.decide.gas import gas_cost
from plimsoll.decide.hedges import Hedge, hedge_of
from plimsoll.decide.intents import (
    Bid,
    CallMargin,
    EndAuction,
    FillIntent,
    Intent,
    PayRequests,
    PostRound,
    PostSettlement,
    PostTokenPrices,
    Recalibrate,
    ReleaseShare,
    Settle,
    SettleStrategy,
    StartAuction,
    StopStrategy,
    TouchAuction,
    UpdateFunding,
    UpdateRate,
    WriteOff,
)
from plimsoll.decide.liquidations import LiquidationView, decide_liquidations
from plimsoll.decide.margin_calls import MarginCallView, decide_margin_calls
from plimsoll.decide.margins import AccountView, Margins, Sifted, merged, share_of, sift
from plimsoll.decide.rates import RateSight, RateView, decide_rates
from plimsoll.decide.settlements import SettlementView, decide_settlements
from plimsoll.decide.strategies import StrategyState, decide_strategy
from plimsoll.decide.upkeep import QueueState, RangeState, ShareState, UpkeepView, decide_upkeep

__all__ = [
    "AccountView",
    "AuctionTerms",
    "AuctionView",
    "Bid",
    "BidPreview",
    "BidView",
    "BidWish",
    "BidderRule",
    "CallMargin",
    "EndAuction",
    "FillIntent",
    "FundingView",
    "Hedge",
    "Intent",
    "LiquidationView",
    "MarginCallView",
    "Margins",
    "PayRequests",
    "PostRound",
    "PostSettlement",
    "PostTokenPrices",
    "QueueState",
    "RangeState",
    "RateSight",
    "RateView",
    "Recalibrate",
    "ReleaseShare",
    "Settle",
    "SettleStrategy",
    "SettlementView",
    "ShareState",
    "Sifted",
    "StartAuction",
    "StopStrategy",
    "StrategyState",
    "TouchAuction",
    "UpdateFunding",
    "UpdateRate",
    "UpkeepView",
    "WriteOff",
    "bid_wishes",
    "decide_bids",
    "decide_funding",
    "decide_liquidations",
    "decide_margin_calls",
    "decide_rates",
    "decide_settlements",
    "decide_strategy",
    "decide_upkeep",
    "gas_cost",
    "hedge_of",
    "merged",
    "share_of",
    "sift",
]
