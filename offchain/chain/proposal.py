"""A change of parameters on its way through the access manager: previewed, scheduled, executed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from offchain.chain.client import Client
from offchain.chain.deployment import Deployment
from offchain.chain.parameters import Change, ParameterCall
from offchain.errors import InputError
from offchain.units import wad_to_float

#: IMarginEngine.State, by number.
STATES: Final = ("healthy", "margin call", "liquidatable", "insolvent")


@dataclass(frozen=True, slots=True)
class AccountEffect:
    """One account before and after; None where the contracts have no margin number."""

    account_id: int
    state_before: str | None
    state_after: str | None
    excess_before: float | None
    excess_after: float | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What changes, and the calls that do it."""

    deployment: Deployment
    changes: tuple[Change, ...]
    calls: tuple[ParameterCall, ...]
    effects: tuple[AccountEffect, ...]

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
            "accounts": [asdict(effect) for effect in self.effects],
        }


def previewed(
    client: Client, deployment: Deployment, calls: Sequence[ParameterCall], account_ids: Sequence[int]
) -> tuple[AccountEffect, ...]:
    """Ask the contracts what the calls would do; what the book would refuse is refused here.

    Parameters
    ----------
    client : Client
    deployment : Deployment
    calls : sequence of ParameterCall
    account_ids : sequence of int

    Returns
    -------
    tuple of AccountEffect

    Raises
    ------
    InputError
        For an account that does not exist.
    RevertError
        With the book's own error.
    """
    count = deployment.contract(client, "Accounts").call("nextAccountId")
    for account_id in account_ids:
        if not 0 <= account_id < count:
            raise InputError("--account", f"{account_id} does not exist; the last is {count - 1}")
    lens = deployment.contract(client, "ParameterPreview")
    effects = []
    for found in lens.call("previewParameters", [call.data for call in calls], list(account_ids)):
        sides = (
            (found.isKnownBefore, found.stateBefore, found.equityBeforeWad - found.initialBeforeWad),
            (found.isKnownAfter, found.stateAfter, found.equityAfterWad - found.initialAfterWad),
        )
        (state, excess), (state_after, excess_after) = (
            (STATES[state], wad_to_float(wad)) if known else (None, None) for known, state, wad in sides
        )
        effects.append(AccountEffect(found.accountId, state, state_after, excess, excess_after))
    return tuple(effects)


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
