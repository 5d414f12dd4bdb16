"""What the parts of one transactor share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from eth_account.signers.local import LocalAccount

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import Head
from plimsoll.constants import DAY_SEC
from plimsoll.transact.broadcast import Broadcaster
from plimsoll.transact.budget import Budget
from plimsoll.transact.event import Event, Notice
from plimsoll.transact.ground import Ground
from plimsoll.transact.ledger import Ledger
from plimsoll.transact.policy import Policy

#: An event that is raised again within this time is the same one.
QUIET_SEC: Final = 600.0
#: How long a refusal for lack of funds is believed while the balance says otherwise.
STARVED_SEC: Final = 8.0


@dataclass(slots=True)
class Context:
    """Parts and bounds of one transactor.

    Parameters
    ----------
    endpoints : Endpoints
        Nodes.
    account : LocalAccount
        Signer.
    chain_id : int
        Chain.
    policy : Policy
        Bounds.
    ledger : Ledger
        Journal.
    budget : Budget
        Failures.
    broadcaster : Broadcaster
        Ways out.
    notify : Callable[[Event], None]
        Told every event once.
    may_send : Callable[[], bool]
        Asked before anything is sent: false while another keeper holds the lease.
    on_replaced : Callable[[int], None]
        Told how many transactions were journalled in the place of others of their nonce.
    clock : Callable[[], float]
        Own unix time, seconds.
    lock : asyncio.Lock
        Held while nonces are given out.
    starved_at : Ground or None
        What the signer had when the chain refused for lack of funds; ``None`` when it did not.
    starved_sec : float
        When that was, by the process's own clock, seconds.
    """

    endpoints: Endpoints
    account: LocalAccount
    chain_id: int
    policy: Policy
    ledger: Ledger
    budget: Budget
    broadcaster: Broadcaster
    notify: Callable[[Event], None]
    may_send: Callable[[], bool]
    on_replaced: Callable[[int], None]
    clock: Callable[[], float]
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    starved_at: Ground | None = None
    starved_sec: float = 0.0
    _told: dict[tuple[Notice, str], float] = field(default_factory=dict)

    @property
    def signer(self) -> str:
        """Address of the signer."""
        return str(self.account.address)

    def tell(self, event: Event) -> None:
        """Pass an event on, unless its cause has been standing since it was told."""
        now = time.monotonic()
        cause = (event.notice, event.key)
        last = self._told.get(cause)
        self._told[cause] = now
        if event.notice is Notice.REOPENED or last is None or now - last > QUIET_SEC:
            self.notify(event)

    def forget(self, notice: Notice) -> None:
        """Say that a cause about the signer has gone, so that the next one is told again."""
        self._told.pop((notice, ""), None)

    def say(self, notice: Notice, message: str, key: str = "") -> None:
        """Raise an event about the signer or one of its intents."""
        self.tell(Event(notice, self.signer, message, key))

    def is_starved(self, ground: Ground) -> bool:
        """Whether the chain refused for lack of funds of late, and nothing has changed since that could be a remedy.

        A node that says so wrongly must not silence a signer: after a while the chain is asked again by a send.
        """
        before = self.starved_at
        if before is not None and (ground.balance_wei > before.balance_wei or ground.used > before.used):
            self.starved_at = None
            self.forget(Notice.NO_FUNDS)
        if time.monotonic() - self.starved_sec > STARVED_SEC:
            self.starved_at = None
        return self.starved_at is not None


def day_of(head: Head) -> int:
    """Return the day of a head, in days since 1970 (UTC)."""
    return head.ts // DAY_SEC
