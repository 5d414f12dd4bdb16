"""What happens in the venue, one dataclass for each thing; the log on disk is a list of these.

An event says what came of a decision and never why it was made, so that a later edition with other rules reads an old
log to the same book.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""

    name: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Accepted(Event):
    """An order was taken in; it is in the book, or waits for its trigger."""

    name: ClassVar[str] = "accepted"
    order_hash: str
    message: dict[str, Any]
    signature: str
    time_in_force: str
    client_id: str
    filled_wad: int
    ms: int


@dataclass(frozen=True, slots=True)
class Triggered(Event):
    """A round showed the price that an order waited for."""

    name: ClassVar[str] = "triggered"
    order_hash: str
    spot_wad: int


@dataclass(frozen=True, slots=True)
class Lapsed(Event):
    """The last round no longer shows what an order waits for, and nothing of it has filled: it waits again."""

    name: ClassVar[str] = "lapsed"
    order_hash: str


@dataclass(frozen=True, slots=True)
class Matched(Event):
    """Two orders met; the number of this event is the number of the trade."""

    name: ClassVar[str] = "matched"
    maker: str
    taker: str
    price_wad: int
    quantity_wad: int
    ms: int


@dataclass(frozen=True, slots=True)
class Removed(Event):
    """What was open of an order is open no more; ``state`` is how it ended."""

    name: ClassVar[str] = "removed"
    order_hash: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Settled(Event):
    """A block has the trade."""

    name: ClassVar[str] = "settled"
    trade_id: int
    tx_hash: str
    block_number: int
    maker_fee_wad: int
    taker_fee_wad: int


@dataclass(frozen=True, slots=True)
class RolledBack(Event):
    """The block that had the trade is gone."""

    name: ClassVar[str] = "rolledBack"
    trade_id: int


@dataclass(frozen=True, slots=True)
class Finalised(Event):
    """The block of the trade is final."""

    name: ClassVar[str] = "finalised"
    trade_id: int


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The chain refuses the trade; whoever is still alive of the two orders is in the book again."""

    name: ClassVar[str] = "failed"
    trade_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Outside(Event):
    """The chain has a fill of an order that is not the venue's; ``filled_wad`` is the change, negative to undo it."""

    name: ClassVar[str] = "outside"
    order_hash: str
    filled_wad: int
    block_number: int


@dataclass(frozen=True, slots=True)
class Recalled(Event):
    """An order that was over is looked at again: the chain has a fill of it that the venue did not make."""

    name: ClassVar[str] = "recalled"
    order_hash: str
    values: list[Any]


@dataclass(frozen=True, slots=True)
class Synced(Event):
    """Everything up to a block is in the log."""

    name: ClassVar[str] = "synced"
    block_number: int
    block_hash: str
    block_ts: int


@dataclass(frozen=True, slots=True)
class Protected(Event):
    """A maker has set its protection."""

    name: ClassVar[str] = "protected"
    account_id: int
    window_ms: int
    max_fills: int | None
    max_delta_wad: int | None
    max_vega_wad: int | None


@dataclass(frozen=True, slots=True)
class Tripped(Event):
    """The protection of a maker has pulled its quotes."""

    name: ClassVar[str] = "tripped"
    account_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Requested(Event):
    """A taker asks for quotes; the number of this event is the number of the request."""

    name: ClassVar[str] = "requested"
    taker_id: int
    caller: str
    legs: list[Any]
    ms: int
    expiry_ms: int


@dataclass(frozen=True, slots=True)
class Quoted(Event):
    """A maker has answered a request."""

    name: ClassVar[str] = "quoted"
    request_id: int
    quote_hash: str
    message: dict[str, Any]
    signature: str


@dataclass(frozen=True, slots=True)
class QuoteMoved(Event):
    """A quote is taken, settled, final, failed or gone."""

    name: ClassVar[str] = "quoteMoved"
    quote_hash: str
    state: str
    reason: str
    tx_hash: str | None
    block_number: int | None


@dataclass(frozen=True, slots=True)
class Intended(Event):
    """A signed intent for solvers."""

    name: ClassVar[str] = "intended"
    digest: str
    kind: str
    message: dict[str, Any]
    signature: str


@dataclass(frozen=True, slots=True)
class IntentEnded(Event):
    """An intent is filled, cancelled or out of date."""

    name: ClassVar[str] = "intentEnded"
    digest: str
    reason: str


KINDS: Final[dict[str, type[Event]]] = {
    kind.name: kind
    for kind in (
        *(Accepted, Triggered, Lapsed, Matched, Removed, Settled, RolledBack, Finalised, Failed, Outside),
        *(Recalled, Synced, Protected, Tripped, Requested, Quoted, QuoteMoved, Intended, IntentEnded),
    )
}
_NAMES: Final = {kind: tuple(entry.name for entry in fields(kind)) for kind in KINDS.values()}


def encode(event: Event) -> str:
    """Return the fields of an event as JSON text; whole numbers of any size stay exact.

    Parameters
    ----------
    event : Event

    Returns
    -------
    str
    """
    return json.dumps([getattr(event, name) for name in _NAMES[type(event)]], separators=(",", ":"))


def decode(name: str, text: str) -> Event:
    """Return the event that a row of the log holds.

    Parameters
    ----------
    name : str
        Its kind.
    text : str
        As :func:`encode` made it.

    Returns
    -------
    Event
    """
    return KINDS[name](*json.loads(text))
