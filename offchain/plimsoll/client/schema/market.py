"""The market: underlyings, instruments, books, trades, rounds, auctions."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from plimsoll.client.schema.fields import AccountId, Hash, Milliseconds, Seconds, Sequence, Signed, Told, Unsigned
from plimsoll.client.schema.orders import FillState
from plimsoll.model import Kind

_WORDS = [kind.word for kind in Kind]


def _kind_name(value: str) -> str:
    """Refuse what is the word of no kind."""
    if value not in _WORDS:
        raise ValueError(f"must be one of {', '.join(_WORDS)}")
    return value


#: The word of an instrument kind.
KindName = Annotated[str, AfterValidator(_kind_name), WithJsonSchema({"type": "string", "enum": _WORDS})]


class MarketView(Told):
    """One underlying: its last round and what is listed of it."""

    underlyingId: int
    symbol: str
    spotWad: Unsigned
    perpWad: Unsigned
    roundTs: Seconds
    #: Age of the round at the head of the chain; above ``heartbeatSec`` nothing settles.
    roundAgeSec: int
    heartbeatSec: int
    isStale: bool
    expiries: list[Seconds]
    #: Strikes are multiples of it, 1e-8 cash.
    strikeStepE8: Unsigned
    kinds: list[KindName]


class Greeks(Told):
    """Greeks of one unit, from the last round: delta and gamma in units, vega per 1.00 of vol, theta a day."""

    deltaWad: Signed
    gammaWad: Signed
    vegaWad: Signed
    thetaWad: Signed


class InstrumentView(Told):
    """One instrument that has orders, or is quoted by the rule of the option chain."""

    instrument: Unsigned
    name: str
    underlyingId: int
    symbol: str
    kind: KindName
    expiryTs: Seconds
    strikeE8: Unsigned
    #: Fair value of one unit by the last round; none while there is no round with its expiry.
    markWad: Unsigned | None
    markVolWad: Unsigned | None
    forwardWad: Unsigned | None
    greeks: Greeks | None
    bidWad: Unsigned | None
    bidQuantityWad: Unsigned | None
    askWad: Unsigned | None
    askQuantityWad: Unsigned | None
    lastWad: Unsigned | None
    isPaused: bool
    priceStepWad: Unsigned
    quantityStepWad: Unsigned


class Level(Told):
    """All that is open at one price; quantity 0 in an update takes the level away."""

    priceWad: Unsigned
    quantityWad: Unsigned
    orders: int


class BookView(Told):
    """The open orders of one instrument, best price first on each side; ``seq`` is that of the last change."""

    instrument: Unsigned
    bids: list[Level]
    asks: list[Level]
    seq: Sequence


class TradeView(Told):
    """One match, as everybody sees it. It counts when the chain has it: ``settled``, then ``final``."""

    tradeId: Sequence
    instrument: Unsigned
    priceWad: Unsigned
    quantityWad: Unsigned
    takerIsBuy: bool
    state: FillState
    matchedMs: Milliseconds
    txHash: Hash | None
    blockNumber: int | None
    seq: Sequence


class TradePage(Told):
    """Newest first."""

    trades: list[TradeView]
    seq: Sequence


class SurfaceView(Told):
    """One expiry of a round: raw SVI of total variance over log-moneyness."""

    expiryTs: Seconds
    forwardWad: Unsigned
    rateWad: Signed
    aWad: Signed
    bWad: Unsigned
    rhoWad: Signed
    mWad: Signed
    sWad: Unsigned


class RoundView(Told):
    """The last round of an underlying, as the oracle accepted it."""

    underlyingId: int
    symbol: str
    ts: Seconds
    spotWad: Unsigned
    perpWad: Unsigned
    confWad: Unsigned
    meanWad: Unsigned
    surfaces: list[SurfaceView]
    blockNumber: int


class AuctionView(Told):
    """A running liquidation, with what its price is now and will be."""

    accountId: AccountId
    isSolvent: bool
    startedTs: Seconds
    fractionWad: Unsigned
    priceWad: Signed
    cashWad: Signed
    feeWad: Unsigned
    equityWad: Signed
    maintenanceWad: Unsigned
    blockNumber: int


class ChainView(Told):
    """The chain as the venue sees it."""

    chainId: int
    blockNumber: int
    blockHash: Hash
    blockTs: Seconds
    #: Last block that is final; fills above it may still roll back.
    finalNumber: int
    #: Time of the block less the venue's clock, seconds.
    clockSkewSec: float
