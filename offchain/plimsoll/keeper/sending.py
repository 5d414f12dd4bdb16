"""What every signer of a keeper has alike: its bounds, and who is told about its transactions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final

import structlog

from plimsoll.keeper.alert_book import AlertKind
from plimsoll.keeper.config import KeeperConfig
from plimsoll.keeper.operations import Operations
from plimsoll.transact.event import Event, Notice
from plimsoll.transact.policy import Policy

log = structlog.get_logger()

#: What a person is told about a signer's transactions.
KINDS: Final = {Notice.NO_FUNDS: AlertKind.LOW_BALANCE, Notice.SPEND_CAP: AlertKind.SPEND}


def policy_of(config: KeeperConfig) -> Policy:
    """Return the bounds of a signer: the options of the section are named after them."""
    section: dict[str, Any] = config.transact.model_dump()
    known = {entry.name for entry in fields(Policy)}
    return Policy(**{name: value for name, value in section.items() if name in known})


def teller_of(ops: Operations) -> Callable[[Event], None]:
    """Return what is told of events of a signer: the log, and the alerts.

    Parameters
    ----------
    ops : Operations

    Returns
    -------
    Callable
    """

    def notify(event: Event) -> None:
        kind = KINDS.get(event.notice, AlertKind.TRANSACTION)
        log.warning("signer", notice=event.notice.value, signer=event.signer, key=event.key, reason=event.message)
        ops.alerts.tell(kind, event.signer, f"{event.notice.value}: {event.message}")

    return notify
