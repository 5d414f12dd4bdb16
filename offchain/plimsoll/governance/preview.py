"""What a change of parameters would do to every account on chain; asked of ``ParameterPreview``, nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from plimsoll.chain.client import Client
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.record import Deployment
from plimsoll.errors import InputError
from plimsoll.protocol.margin_engine import STATE_NAMES
from plimsoll.units import wad_to_float

NOBODY: Final = "0x" + "0" * 40
#: Accounts listed in one call, and margined in one: each is margined twice, by the live and by the draft book.
LIST_PAGE, PAGE = 500, 8


@dataclass(frozen=True, slots=True)
class Side:
    """An account under one set of parameters, cash."""

    state: str
    equity: float
    initial: float
    maintenance: float


@dataclass(frozen=True, slots=True)
class AccountChange:
    """An account before and after; ``None`` where no margin number can be had."""

    account_id: int
    before: Side | None
    after: Side | None

    @property
    def falls_below(self) -> str:
        """Requirement that equity covers before and no longer after: ``maintenance``, ``initial`` or none."""
        if self.before is None or self.after is None:
            return ""
        for name in ("maintenance", "initial"):
            fell = self.before.equity >= getattr(self.before, name) and self.after.equity < getattr(self.after, name)
            if fell:
                return name
        return ""


def open_accounts(client: Client, deployment: Deployment) -> list[int]:
    """List the accounts that are not closed.

    Parameters
    ----------
    client : Client
    deployment : Deployment

    Returns
    -------
    list of int
        Ids, ascending.
    """
    lens, count = deployment.contract(client, "Lens"), deployment.contract(client, "Accounts").call("nextAccountId")
    pages = lens.call_many("accountsOf", [(first, LIST_PAGE) for first in range(0, count, LIST_PAGE)])
    listed = []
    for page in pages:
        if isinstance(page, RevertError):
            raise page
        listed += page
    return [entry.accountId for entry in listed if entry.owner != NOBODY]


def preview_accounts(
    client: Client, deployment: Deployment, calls: Sequence[bytes], account_ids: Sequence[int], source: str
) -> tuple[AccountChange, ...]:
    """Ask the contracts what calls of the scenario book would do.

    Parameters
    ----------
    client : Client
    deployment : Deployment
    calls : sequence of bytes
        Call data, as the access manager would schedule it.
    account_ids : sequence of int
    source : str
        Named in an error: the file.

    Returns
    -------
    tuple of AccountChange
        In the order of the ids.

    Raises
    ------
    InputError
        With the book's own error, when it would refuse a call.
    """
    pages = [[calls, account_ids[first : first + PAGE]] for first in range(0, len(account_ids), PAGE)]
    found: list[AccountChange] = []
    for answer in deployment.contract(client, "ParameterPreview").call_many("previewParameters", pages):
        if isinstance(answer, RevertError):
            raise InputError(source, f"the book would refuse this: {answer.message}")
        found += [_account(entry) for entry in answer]
    return tuple(found)


def _account(entry: Any) -> AccountChange:
    def side(known: bool, state: int, *values: int) -> Side | None:
        return Side(STATE_NAMES[state], *(wad_to_float(value) for value in values)) if known else None

    before = side(
        entry.isKnownBefore,
        entry.stateBefore,
        entry.equityBeforeWad,
        entry.initialBeforeWad,
        entry.maintenanceBeforeWad,
    )
    after = side(
        entry.isKnownAfter, entry.stateAfter, entry.equityAfterWad, entry.initialAfterWad, entry.maintenanceAfterWad
    )
    return AccountChange(entry.accountId, before, after)
