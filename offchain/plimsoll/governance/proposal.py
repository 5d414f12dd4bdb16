"""A change of parameters on its way through the access manager: previewed, scheduled, executed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eth_account.signers.local import LocalAccount

from plimsoll.chain.client import Client
from plimsoll.deployment.record import Deployment
from plimsoll.errors import InputError
from plimsoll.governance.preview import AccountChange, open_accounts, preview_accounts
from plimsoll.protocol.parameters import Change, ParameterCall


@dataclass(frozen=True, slots=True)
class Proposal:
    """What changes, and the calls that do it."""

    deployment: Deployment
    changes: tuple[Change, ...]
    calls: tuple[ParameterCall, ...]
    accounts: tuple[AccountChange, ...]

    def below(self, requirement: str) -> list[int]:
        """Accounts that would fall below ``initial`` (and not maintenance) or ``maintenance``."""
        return [account.account_id for account in self.accounts if account.falls_below == requirement]

    def to_json(self) -> dict[str, Any]:
        """Build the plimsoll.proposal/1 document; a wallet of many signers can send its calls."""
        return {
            "schema": "plimsoll.proposal/1",
            "chainId": self.deployment.chain_id,
            "authority": self.deployment.contracts["Authority"],
            "target": self.deployment.contracts["ScenarioBook"],
            "changes": [asdict(change) for change in self.changes],
            "calls": [
                {"function": call.function, "underlying": call.underlying or None, "data": "0x" + call.data.hex()}
                for call in self.calls
            ],
            "accounts": [
                {
                    "account": account.account_id,
                    "before": asdict(account.before) if account.before else None,
                    "after": asdict(account.after) if account.after else None,
                    "fallsBelow": account.falls_below or None,
                }
                for account in self.accounts
            ],
            "fallBelowMaintenance": self.below("maintenance"),
            "fallBelowInitial": self.below("initial"),
        }


def previewed(
    client: Client, deployment: Deployment, calls: Sequence[ParameterCall], account_ids: Sequence[int], source: str
) -> tuple[AccountChange, ...]:
    """Ask the contracts what the calls would do; what the book would refuse is refused here.

    Parameters
    ----------
    client : Client
    deployment : Deployment
    calls : sequence of ParameterCall
    account_ids : sequence of int
        None for every open account.
    source : str
        Named in an error: the file.

    Returns
    -------
    tuple of AccountChange

    Raises
    ------
    InputError
        For an account that does not exist, a deployment without the lens, and calls that the book would refuse.
    """
    missing = sorted({"ParameterPreview", "ScenarioBook", "Accounts", "Lens"} - set(deployment.contracts))
    if missing:
        raise InputError("deployment", f"lacks {', '.join(missing)}")
    there = open_accounts(client, deployment)
    for account_id in account_ids:
        if account_id not in there:
            raise InputError("--account", f"{account_id} does not exist; the last is {max(there)}")
    return preview_accounts(client, deployment, [call.data for call in calls], account_ids or there, source)


def _delay_of(client: Client, deployment: Deployment, key: LocalAccount, calls: Sequence[ParameterCall]) -> int:
    """Longest delay of the key over the calls; refuse a key that may not make one of them."""
    manager, target = deployment.contract(client, "Authority"), deployment.contracts["ScenarioBook"]
    longest = 0
    for call in calls:
        immediate, delay = manager.call("canCall", key.address, target, call.data[:4])
        if not immediate and delay == 0:
            raise InputError("--keystore", f"{key.address} may not call {call.function}")
        longest = max(longest, delay)
    return longest


def schedule(client: Client, key: LocalAccount, proposal: Proposal) -> int:
    """Schedule every call at the earliest time, all or none.

    Parameters
    ----------
    client : Client
    key : LocalAccount
        The governor's.
    proposal : Proposal

    Returns
    -------
    int
        When the calls may be executed, unix seconds.

    Raises
    ------
    InputError
        When the key may not make the calls, or needs no delay.
    RevertError
        When they are scheduled already.
    """
    deployment, target = proposal.deployment, proposal.deployment.contracts["ScenarioBook"]
    if not _delay_of(client, deployment, key, proposal.calls):
        raise InputError("--schedule", f"{key.address} acts without a delay: nothing to schedule, use --execute")
    manager = deployment.contract(client, "Authority")
    manager.send(key, "multicall", [manager.encode("schedule", target, c.data, 0) for c in proposal.calls], gas=None)
    ids = [manager.call("hashOperation", key.address, target, call.data) for call in proposal.calls]
    return max(int(manager.call("getSchedule", found)) for found in ids)


def execute(client: Client, key: LocalAccount, proposal: Proposal) -> None:
    """Execute every call, all or none; with a delay they must have been scheduled and be due.

    Parameters
    ----------
    client : Client
    key : LocalAccount
        The governor's.
    proposal : Proposal

    Raises
    ------
    InputError
        When the key may not make the calls.
    RevertError
        When one is not scheduled, not due, or no longer valid.
    """
    deployment, target = proposal.deployment, proposal.deployment.contracts["ScenarioBook"]
    _delay_of(client, deployment, key, proposal.calls)
    manager = deployment.contract(client, "Authority")
    manager.send(key, "multicall", [manager.encode("execute", target, c.data) for c in proposal.calls], gas=None)
