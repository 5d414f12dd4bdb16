"""The WebSocket: what is sent both ways, and how a client proves that it missed nothing.

A channel is ``book:<instrument>``, ``trades:<instrument>`` or ``trades:*``, ``rounds:<underlying id>``, ``auctions``,
``chain``, ``requests`` (requests for quote, for makers), and for the owner ``orders:<account id>``,
``margin:<account id>`` and ``quotes:<account id>``.

Every message of a channel carries ``seq`` and ``prev``, the ``seq`` of the message before it in the same channel: a
client whose last ``seq`` is below ``prev`` has missed something and subscribes again; a message whose ``seq`` is not
above its last one is old and left out. A subscription with ``since`` of the same ``epoch`` gets what came in between,
perhaps nothing, while the venue still has it; else a first message that shows everything, with ``isResumed`` false. The
numbers of books, trades, orders and quotes are those of the log on disk and outlive a restart; of the others, which are
whole states each, they begin anew with every epoch.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from plimsoll.client.schema.account import MarginView
from plimsoll.client.schema.fields import AccountId, Asked, Milliseconds, Sequence, Told, Unsigned
from plimsoll.client.schema.market import AuctionView, BookView, ChainView, Level, RoundView, TradeView
from plimsoll.client.schema.orders import (
    AmendOrder,
    CancelOrders,
    CancelResult,
    FillView,
    MassCancel,
    OrderView,
    PlaceOrders,
    PlaceResult,
    ProtectionView,
)
from plimsoll.client.schema.problem import Problem
from plimsoll.client.schema.rfq import QuoteView, RequestView

MAX_CHANNELS = 512
Channel = Annotated[str, Field(max_length=120, pattern=r"^[a-z]+(:[0-9*]+)?$")]
#: Chosen by the client; comes back with the answer.
CallId = Annotated[int, Field(ge=0, le=2**53 - 1)]


class Authenticate(Asked):
    """Binds the connection to the address of a token."""

    op: Literal["authenticate"]
    id: CallId = 0
    token: Annotated[str, Field(max_length=200)]


class Since(Asked):
    """Where a client stopped."""

    epoch: Annotated[str, Field(max_length=64)]
    seq: Sequence


class Subscribe(Asked):
    """Wants a channel, from where it stopped."""

    op: Literal["subscribe"]
    id: CallId = 0
    channel: Channel
    since: Since | None = None


class Unsubscribe(Asked):
    """Wants a channel no more."""

    op: Literal["unsubscribe"]
    id: CallId = 0
    channel: Channel


class Place(PlaceOrders):
    """Places orders; no login is needed, because orders are signed."""

    op: Literal["place"]
    id: CallId = 0


class Amend(AmendOrder):
    """Amends an order; needs the login of its signer or of the account's owner."""

    op: Literal["amend"]
    id: CallId = 0


class Cancel(CancelOrders):
    """Cancels orders; needs the login of their signer or of the account's owner."""

    op: Literal["cancel"]
    id: CallId = 0


class CancelAll(MassCancel):
    """Cancels many; needs the login of the owner."""

    op: Literal["massCancel"]
    id: CallId = 0


class Ping(Asked):
    """Answered by a pong with the venue's clock."""

    op: Literal["ping"]
    id: CallId = 0


ClientMessage = Annotated[
    Authenticate | Subscribe | Unsubscribe | Place | Amend | Cancel | CancelAll | Ping, Field(discriminator="op")
]


class Welcome(Told):
    """First message of every connection."""

    type: Literal["welcome"] = "welcome"
    epoch: str
    nowMs: Milliseconds
    #: Messages that may wait for a slow reader before it is disconnected with code 4008.
    queueLimit: int


class Pong(Told):
    """Answer to a ping."""

    type: Literal["pong"] = "pong"
    id: CallId
    nowMs: Milliseconds


class Answer(Told):
    """Answer to any other operation; ``problem`` is there when it was refused as a whole."""

    type: Literal["answer"] = "answer"
    id: CallId
    problem: Problem | None = None
    placed: list[PlaceResult] | None = None
    cancelled: list[CancelResult] | None = None


class Farewell(Told):
    """Last message before the venue closes the connection: why."""

    type: Literal["farewell"] = "farewell"
    problem: Problem


class BookChange(Told):
    """Levels of a book that changed."""

    instrument: Unsigned
    bids: list[Level]
    asks: list[Level]


class OrdersChange(Told):
    """Own orders and fills that changed, each as it stands now."""

    orders: list[OrderView]
    fills: list[FillView]
    protection: ProtectionView | None = None


class OrdersSnapshot(Told):
    """Own orders that are open, and fills that are not final."""

    accountId: AccountId
    orders: list[OrderView]
    fills: list[FillView]
    protection: ProtectionView | None


class MarginChange(Told):
    """Margin of an account at a block; without one the contracts' reason."""

    accountId: AccountId
    margin: MarginView | None
    marginProblem: str | None
    blockNumber: int


class Auctions(Told):
    """All running auctions."""

    auctions: list[AuctionView]


class Trades(Told):
    """Trades that are new or changed state."""

    trades: list[TradeView]


class Reorganised(Told):
    """Blocks above ``forkNumber`` are gone; fills in them are pending again."""

    chain: ChainView
    forkNumber: int | None


class Requests(Told):
    """Requests for quote that are new or ended."""

    requests: list[RequestView]


class Quotes(Told):
    """Quotes for an account's requests, or of its own, that changed."""

    quotes: list[QuoteView]


class _Numbered(Told):
    """What every message of a channel carries."""

    channel: Channel
    epoch: str
    seq: Sequence
    #: ``seq`` of the message before in this channel; 0 for the first.
    prev: Sequence
    #: In a first message: whether it goes on exactly where ``since`` stopped.
    isResumed: bool = False


class BookSnapshotMessage(_Numbered):
    """A whole book."""

    type: Literal["bookSnapshot"] = "bookSnapshot"
    data: BookView


class BookChangeMessage(_Numbered):
    """A change of a book."""

    type: Literal["bookChange"] = "bookChange"
    data: BookChange


class TradesMessage(_Numbered):
    """Trades; the first message of a subscription holds the latest ones."""

    type: Literal["trades"] = "trades"
    data: Trades


class OrdersSnapshotMessage(_Numbered):
    """Own open orders."""

    type: Literal["ordersSnapshot"] = "ordersSnapshot"
    data: OrdersSnapshot


class OrdersChangeMessage(_Numbered):
    """Changes of own orders."""

    type: Literal["ordersChange"] = "ordersChange"
    data: OrdersChange


class MarginMessage(_Numbered):
    """Own margin."""

    type: Literal["margin"] = "margin"
    data: MarginChange


class RoundMessage(_Numbered):
    """A round."""

    type: Literal["round"] = "round"
    data: RoundView


class AuctionsMessage(_Numbered):
    """Auctions."""

    type: Literal["auctions"] = "auctions"
    data: Auctions


class ChainMessage(_Numbered):
    """The head of the chain, and whether it was reorganised."""

    type: Literal["chain"] = "chain"
    data: Reorganised


class RequestsMessage(_Numbered):
    """Requests for quote."""

    type: Literal["requests"] = "requests"
    data: Requests


class QuotesMessage(_Numbered):
    """Quotes."""

    type: Literal["quotes"] = "quotes"
    data: Quotes


ServerMessage = Annotated[
    Welcome
    | Pong
    | Answer
    | Farewell
    | BookSnapshotMessage
    | BookChangeMessage
    | TradesMessage
    | OrdersSnapshotMessage
    | OrdersChangeMessage
    | MarginMessage
    | RoundMessage
    | AuctionsMessage
    | ChainMessage
    | RequestsMessage
    | QuotesMessage,
    Field(discriminator="type"),
]
