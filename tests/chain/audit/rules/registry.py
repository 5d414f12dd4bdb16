"""A rule is drawn by its weight and decides what its calls must do; here is its registry and what rules share.

An error is asked for by name (`must`) where the state decides it, and allowed (`may`) where the rule cannot know the
margin number beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plimsoll.chain.revert import RevertError
from tests.chain.audit.machine import Machine
from tests.chain.invariants.world import WAD_PER_RAW

#: What stands in the way of a margin number when the market is stale or a position has expired.
NO_MARGIN = frozenset({"Oracle__Stale", "Oracle__ExpiryNotInRound"})
#: Below initial an action may cost no more than it sets free, and not lose the maintenance margin.
CALLED = frozenset({"MarginEngine__EquityFell", "MarginEngine__BelowMaintenance"})
SHORT = frozenset({"MarginEngine__BelowInitial"}) | CALLED | NO_MARGIN
CASH = "USDC"
MAX_ACCOUNTS = 10
LOW, HIGH = 500.0, 8_000.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of action."""

    name: str
    role: str
    weight: int
    run: Callable[[Machine], None]


RULES: list[Rule] = []


def rule(role: str, weight: int) -> Callable[[Callable[[Machine], None]], Callable[[Machine], None]]:
    """Register a rule under the name of its function."""

    def add(run: Callable[[Machine], None]) -> Callable[[Machine], None]:
        RULES.append(Rule(run.__name__.replace("_", " ").strip(), role, weight, run))
        return run

    return add


def excess(margin: Any, requirement: str) -> int:
    return int(margin.equityWad) - int(getattr(margin, requirement))


def owner_of(m: Machine, account_id: int) -> Any:
    return m.world.owners[account_id]


def any_amount(m: Machine, most: int) -> int:
    """Between 1 and ``most``, every magnitude alike: dust and odd wei included."""
    return max(1, int(most * 10 ** -m.rng.uniform(0, 6))) if m.rng.random() < 0.8 else m.rng.randint(1, max(1, most))


def held_raw(m: Machine, account: int, token: str) -> int:
    snapshot = m.snapshot(account)
    if token == CASH:
        return max(snapshot.cashWad, 0) // WAD_PER_RAW
    return dict(zip(snapshot.tokenIds, snapshot.amountsWad, strict=True)).get(1, 0)


def is_above_cash(m: Machine, account: int, token: str, raw: int) -> bool:
    """Whether an amount, with the share of an open loss that leaves beside it, is more cash than the account has."""
    if token != CASH:
        return False
    share_wad = m.at["Vault"].call("lossShareOf", raw * WAD_PER_RAW)
    return raw * WAD_PER_RAW + share_wad > m.snapshot(account).cashWad


def refill_raw(m: Machine, token: str) -> int:
    """Most that a bucket gains until the next two calls are mined."""
    vault = m.at["Vault"]
    daily_e6 = vault.call("outflowOf", m.base.deployment.tokens[token].token_id)[2]
    held = m.at[token].call("balanceOf", vault.address)
    return held * daily_e6 * 2 // (10**6 * 86_400) + 1


def is_in_need(m: Machine, account: int) -> bool:
    """Whether an account may deposit in spite of a pause or a full cap."""
    if m.auction(account).isOpen:
        return True
    margin = m.margin(account)
    return not isinstance(margin, RevertError) and margin.equityWad < margin.initialWad


def is_free(m: Machine, account: int) -> bool:
    """Whether the account needs no margin number."""
    return not m.snapshot(account).positions and m.snapshot(account).cashWad >= 0
