"""Requests for quote, quotes of several legs, and signed intents for solvers."""

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
    Signed,
    SignedText,
    Told,
    UnsignedText,
)

MAX_LEGS = 8
#: ``taken`` when its transaction is on its way; then as a fill.
QuoteState = Literal["open", "taken", "settled", "final", "failed", "expired", "withdrawn"]


class WantedLeg(Asked):
    """One leg as the taker wants it, without a price."""

    instrument: UnsignedText
    isBuy: bool
    quantityWad: UnsignedText


class AskQuotes(Asked):
    """Asks makers for prices of one to eight legs, all or nothing."""

    takerId: AccountId
    legs: Annotated[list[WantedLeg], Field(min_length=1, max_length=MAX_LEGS)]
    lifeSec: Annotated[int, Field(ge=1, le=3_600)] = 60


class QuoteLeg(Asked):
    """``IExchange.Leg``: as the maker sees it."""

    instrument: UnsignedText
    isBuy: bool
    quantityWad: UnsignedText
    priceWad: UnsignedText


class Quote(Asked):
    """``IExchange.Quote``: exactly what the maker signs."""

    accountId: AccountId
    takerId: AccountId
    legs: Annotated[list[QuoteLeg], Field(min_length=1, max_length=MAX_LEGS)]
    nonce: UnsignedText
    expiryTs: Seconds
    signer: Address
    maxFeeWad: UnsignedText
    transferCount: Annotated[int, Field(ge=0, le=2**53 - 1)]


class GiveQuote(Asked):
    """A maker's answer to a request."""

    quote: Quote
    signature: Bytes


class TakeQuote(Asked):
    """Takes a quote through the venue's own key, which must be an operator or trader key of the taker's account.

    Without that grant a wallet sends ``transaction`` of the quote itself, and the venue sees it on chain.
    """

    quoteHash: Hash
    maxFeeWad: UnsignedText


class CallView(Told):
    """A transaction that a wallet can send."""

    to: Address
    data: Bytes


class QuoteView(Told):
    """A quote as it stands. ``netWad`` is what the taker pays in premiums, negative when it receives."""

    quoteHash: Hash
    quote: Quote
    signature: Bytes
    state: QuoteState
    netWad: Signed
    transaction: CallView
    txHash: Hash | None
    blockNumber: int | None
    reason: str


class RequestView(Told):
    """A request for quote; quotes are shown to the taker alone, best first."""

    requestId: Sequence
    takerId: AccountId
    legs: list[WantedLeg]
    askedMs: Milliseconds
    expiryMs: Milliseconds
    isOpen: bool
    quotes: list[QuoteView]
    seq: Sequence


class RequestPage(Told):
    """Open requests."""

    requests: list[RequestView]


class DeltaIntent(Asked):
    """``IIntents.DeltaIntent``."""

    accountId: AccountId
    underlyingId: Annotated[int, Field(ge=1, le=255)]
    kinds: Annotated[int, Field(ge=0, le=255)]
    minDeltaWad: SignedText
    maxDeltaWad: SignedText
    maxCostWad: UnsignedText
    minExcessWad: SignedText
    transferCount: Annotated[int, Field(ge=0, le=2**53 - 1)]
    nonce: UnsignedText
    expiryTs: Seconds
    signer: Address


class CloseIntent(Asked):
    """``IIntents.CloseIntent``."""

    accountId: AccountId
    minExcessWad: SignedText
    maxCostWad: UnsignedText
    transferCount: Annotated[int, Field(ge=0, le=2**53 - 1)]
    nonce: UnsignedText
    expiryTs: Seconds
    signer: Address


class GiveDelta(Asked):
    """A signed wish about delta."""

    kind: Literal["delta"]
    intent: DeltaIntent
    signature: Bytes


class GiveClose(Asked):
    """A signed wish to be closed before a margin call."""

    kind: Literal["close"]
    intent: CloseIntent
    signature: Bytes


GiveIntent = Annotated[GiveDelta | GiveClose, Field(discriminator="kind")]


class IntentPage(Told):
    """The document that the keeper's solver reads: ``plimsoll.intents/1``."""

    schema_: Annotated[Literal["plimsoll.intents/1"], Field(alias="schema")]
    intents: list[GiveDelta | GiveClose]


class IntentAccepted(Told):
    """The digest that the contract knows it by."""

    digest: Hash
