"""Orders: as they are signed, as they are sent, as they stand."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from plimsoll.client.schema.fields import (
    AccountId,
    Address,
    Asked,
    Bytes,
    Hash,
    Milliseconds,
    Seconds,
    Sequence,
    Told,
    Unsigned,
    UnsignedText,
)
from plimsoll.client.schema.problem import Problem

#: Most orders of one message.
MAX_BATCH = 200
TimeInForce = Literal["gtc", "ioc"]
#: ``waiting`` for its trigger; ``open`` in the book or on its way to the chain; the rest are ends.
OrderState = Literal["waiting", "open", "filled", "cancelled", "expired", "barred"]
#: ``pending`` until a block has it; ``settled`` while a reorganisation may undo it; then ``final``. ``failed``: never.
FillState = Literal["pending", "settled", "final", "failed"]


class Order(Asked):
    """``IExchange.Order``: exactly what is signed as EIP-712 typed data of the exchange."""

    accountId: AccountId
    instrument: Annotated[UnsignedText, Field(description="Position word with quantity 0; see /instruments.")]
    isBuy: bool
    quantityWad: UnsignedText
    priceWad: UnsignedText
    nonce: Annotated[UnsignedText, Field(description="Orders of a signer that share it are one-cancels-other.")]
    expiryTs: Seconds
    signer: Address
    kind: Annotated[int, Field(ge=0, le=2, description="0 limit, 1 fill or kill, 2 post only.")]
    reduceOnly: bool
    maxFeeWad: UnsignedText
    transferCount: Annotated[int, Field(ge=0, le=2**53 - 1)]
    triggerWad: Annotated[UnsignedText, Field(description="Spot that a round must have first; 0 waits for nothing.")]
    triggerAbove: Annotated[bool, Field(description="Whether it waits for spot at or above that, or at or below.")]
    triggerAfterTs: Annotated[Seconds, Field(description="Only rounds later than this meet the trigger.")]
    exclusive: Annotated[
        bool, Field(description="Of the exclusive orders of a signer with one nonce the chain fills only one.")
    ]


class PlaceOrder(Asked):
    """One order to place."""

    order: Order
    signature: Bytes
    timeInForce: TimeInForce = "gtc"
    clientId: Annotated[str, Field(max_length=64, pattern=r"^[\x21-\x7e]*$")] = ""


class PlaceOrders(Asked):
    """Orders to place; each is accepted or refused for itself."""

    orders: Annotated[list[PlaceOrder], Field(min_length=1, max_length=MAX_BATCH)]


class AmendOrder(Asked):
    """Takes an order out of the book and places another one, which was signed anew, in one step."""

    orderHash: Hash
    replacement: PlaceOrder


class CancelOrders(Asked):
    """Takes orders out of the book; what is on its way to the chain stays.

    The venue forgets the order; only ``Exchange.cancel`` makes its signature worthless to others.
    """

    orderHashes: Annotated[list[Hash], Field(min_length=1, max_length=MAX_BATCH)]


class MassCancel(Asked):
    """Takes every open order out of the book that matches all that is named here."""

    accountId: AccountId
    underlyingId: Annotated[int, Field(ge=1, le=255)] | None = None
    instrument: UnsignedText | None = None
    isBuy: bool | None = None


class OrderView(Told):
    """An order as it stands.

    ``leavesWad`` is open, ``pendingWad`` matched and not yet on chain, ``filledWad`` on chain; with what was cancelled
    they add up to ``order.quantityWad``.
    """

    orderHash: Hash
    order: Order
    timeInForce: TimeInForce
    clientId: str
    state: OrderState
    leavesWad: Unsigned
    pendingWad: Unsigned
    filledWad: Unsigned
    #: Why it ended, or why a match of it failed.
    reason: str
    acceptedMs: Milliseconds
    #: Number of the event of the log that accepted it: of two orders at one price the lower goes first.
    seq: Sequence


class MatchView(Told):
    """One match of an order that was just placed."""

    tradeId: Sequence
    priceWad: Unsigned
    quantityWad: Unsigned


class PlaceResult(Told):
    """What became of one order: either ``order`` or ``problem`` is there."""

    orderHash: Hash | None
    order: OrderView | None
    matches: list[MatchView]
    problem: Problem | None


class PlaceResults(Told):
    """In the order of the request. What was accepted is on disk."""

    results: list[PlaceResult]


class CancelResult(Told):
    """``cancelledWad`` was taken out of the book; ``pendingWad`` can no longer be stopped."""

    orderHash: Hash
    cancelledWad: Unsigned
    pendingWad: Unsigned
    problem: Problem | None


class CancelResults(Told):
    """In the order of the request."""

    results: list[CancelResult]


class FillView(Told):
    """One fill of an own order."""

    tradeId: Sequence
    orderHash: Hash
    accountId: AccountId
    instrument: Unsigned
    isBuy: bool
    isMaker: bool
    priceWad: Unsigned
    quantityWad: Unsigned
    feeWad: Unsigned | None
    state: FillState
    matchedMs: Milliseconds
    txHash: Hash | None
    blockNumber: int | None
    #: Why it failed.
    reason: str
    seq: Sequence


class OrderPage(Told):
    """Orders of an account, newest first; ``seq`` is that of the last event in it."""

    orders: list[OrderView]
    seq: Sequence


class FillPage(Told):
    """Fills of an account, newest first."""

    fills: list[FillView]
    seq: Sequence


class Protection(Asked):
    """Market-maker protection of an account: its quotes are pulled when fills within the window pass a bound."""

    accountId: AccountId
    windowMs: Annotated[int, Field(ge=100, le=3_600_000)]
    maxFills: Annotated[int, Field(ge=1, le=10_000)] | None = None
    maxDeltaWad: UnsignedText | None = None
    maxVegaWad: UnsignedText | None = None


class ProtectionView(Told):
    """Protection as it stands; once ``isTripped`` no order of the account is accepted until the maker sets it again."""

    protection: Protection
    isTripped: bool
    reason: str
