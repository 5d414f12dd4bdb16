"""An order as the book knows it, and a match of two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

#: Kinds of ``IExchange.Order``.
LIMIT: Final = 0
FILL_OR_KILL: Final = 1
POST_ONLY: Final = 2

WAITING: Final = "waiting"
OPEN: Final = "open"
FILLED: Final = "filled"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"
BARRED: Final = "barred"
#: States in which an order can still trade.
ALIVE: Final = frozenset((WAITING, OPEN))

PENDING: Final = "pending"
SETTLED: Final = "settled"
FINAL: Final = "final"
FAILED: Final = "failed"

#: What an order and a trade are made of, in the order of their rows in a snapshot.
_ORDER: Final = (
    *("order_hash", "message", "signature", "time_in_force", "client_id", "seq", "accepted_ms"),
    *("leaves_wad", "filled_wad", "pending_wad", "cancelled_wad", "state", "reason"),
)
_TRADE: Final = (
    *("trade_id", "instrument", "maker", "taker", "maker_id", "taker_id", "taker_is_buy", "price_wad", "quantity_wad"),
    *("matched_ms", "state", "tx_hash", "block_number", "maker_fee_wad", "taker_fee_wad", "reason", "seq"),
)
_ORDER_VALUES: Final[Callable[[Any], tuple[Any, ...]]] = attrgetter(*_ORDER)
_TRADE_VALUES: Final[Callable[[Any], tuple[Any, ...]]] = attrgetter(*_TRADE)


@dataclass(slots=True)
class BookOrder:
    """One accepted order.

    ``leaves_wad + pending_wad + filled_wad + cancelled_wad`` is always ``quantity_wad``.

    Parameters
    ----------
    order_hash : str
        EIP-712 digest.
    message : Mapping[str, Any]
        Fields of ``IExchange.Order``.
    signature : str
        Hexadecimal.
    time_in_force : str
        ``gtc`` or ``ioc``.
    client_id : str
        Chosen by the owner.
    seq : int
        Number of the event that accepted it: its place in time.
    accepted_ms : int
        Unix milliseconds.
    """

    order_hash: str
    message: Mapping[str, Any]
    signature: str
    time_in_force: str
    client_id: str
    seq: int
    accepted_ms: int
    leaves_wad: int
    filled_wad: int = 0
    pending_wad: int = 0
    cancelled_wad: int = 0
    state: str = OPEN
    reason: str = ""
    account_id: int = field(init=False)
    instrument: int = field(init=False)
    is_buy: bool = field(init=False)
    price_wad: int = field(init=False)
    quantity_wad: int = field(init=False)
    kind: int = field(init=False)
    reduce_only: bool = field(init=False)
    expiry_ts: int = field(init=False)
    signer: str = field(init=False)
    nonce: int = field(init=False)
    trigger_wad: int = field(init=False)

    def __post_init__(self) -> None:
        message = self.message
        self.account_id, self.instrument = message["accountId"], message["instrument"]
        self.is_buy, self.price_wad = message["isBuy"], message["priceWad"]
        self.quantity_wad, self.kind = message["quantityWad"], message["kind"]
        self.reduce_only, self.expiry_ts = message["reduceOnly"], message["expiryTs"]
        self.signer, self.nonce = message["signer"], message["nonce"]
        self.trigger_wad = message["triggerWad"]

    def values(self) -> tuple[Any, ...]:
        """Return what it is made of: plain values, the message shared."""
        return _ORDER_VALUES(self)

    @classmethod
    def of(cls, values: Sequence[Any]) -> BookOrder:
        """Return the order of :meth:`values`, which may have been JSON meanwhile."""
        return cls(**dict(zip(_ORDER, values, strict=True)))

    @property
    def pair(self) -> tuple[str, int]:
        """What orders that cancel each other share."""
        return self.signer, self.nonce

    @property
    def is_resting(self) -> bool:
        """Whether it stands in the book."""
        return self.state == OPEN and self.leaves_wad > 0

    @property
    def is_triggered(self) -> bool:
        """Whether the chain asks for no trigger any more: there is none, or something has filled."""
        return self.trigger_wad == 0 or self.filled_wad > 0

    def is_met_by(self, spot_wad: int, round_ts: int) -> bool:
        """Whether a round meets its trigger."""
        if round_ts <= self.message["triggerAfterTs"]:
            return False
        return spot_wad >= self.trigger_wad if self.message["triggerAbove"] else spot_wad <= self.trigger_wad

    def crosses(self, price_wad: int) -> bool:
        """Whether it would trade at a price of the other side."""
        return price_wad <= self.price_wad if self.is_buy else price_wad >= self.price_wad


@dataclass(slots=True)
class Trade:
    """One match, from the book to the chain."""

    trade_id: int
    instrument: int
    maker: str
    taker: str
    maker_id: int
    taker_id: int
    taker_is_buy: bool
    price_wad: int
    quantity_wad: int
    matched_ms: int
    state: str = PENDING
    tx_hash: str | None = None
    block_number: int | None = None
    maker_fee_wad: int | None = None
    taker_fee_wad: int | None = None
    reason: str = ""
    #: Number of the event that changed it last.
    seq: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing can undo it any more."""
        return self.state in (FINAL, FAILED)

    def values(self) -> tuple[Any, ...]:
        """Return what it is made of: plain values."""
        return _TRADE_VALUES(self)

    @classmethod
    def of(cls, values: Sequence[Any]) -> Trade:
        """Return the trade of :meth:`values`."""
        return cls(**dict(zip(_TRADE, values, strict=True)))
