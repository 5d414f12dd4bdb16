"""A token that is worth what a contract says, and what becomes of accounts when that contract fails."""

from __future__ import annotations

import math
from typing import Any

from plimsoll.chain.abi import creation_code
from plimsoll.chain.revert import RevertError
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.registry import rule
from tests.chain.invariants.world import ADMIN, STRANGER

TOKEN = 1
#: Where the source stands; an address nobody else has.
SOURCE = "0x" + "5b" * 20
#: Code that fails, runs for ever, answers too little, too much, and nothing.
FAILING = ("0x", "0xfe", "0x5b5f56", "0x601f5ff3", "0x6110005ff3", "0x00")
STIPEND_GAS = 40_000
#: Most that one unit of liquidity is worth above its range.
CEILING_E6 = 10**8


def _numbers(margin: Any) -> Any:
    """What of a margin is cash, or the error in its place."""
    if isinstance(margin, RevertError):
        return margin.name
    return margin.equityWad, margin.marketEquityWad, int(margin.initialWad), int(margin.maintenanceWad)


def _margins(m: Machine, *, without: bool = False) -> list[Any]:
    """Margins of all accounts, or of what they hold beside the token."""
    asked = []
    for snapshot in _snapshots(m):
        held = zip(snapshot.tokenIds, snapshot.amountsWad, strict=True)
        kept = [(i, a) for i, a in held if i != TOKEN or not without]
        snapshot.tokenIds, snapshot.amountsWad = [i for i, _ in kept], [a for _, a in kept]
        asked.append([snapshot])
    # Of snapshots, and not by account: a guarantee line counts in neither.
    return [_numbers(found) for found in m.at["MarginEngine"].call_many("evaluate", asked)]


@rule("attacker", 2)
def fail_a_source(m: Machine) -> None:
    """Coins become liquidity around the spot, and their source fails in every way: they count nothing, that is all."""
    book = m.at["ScenarioBook"]
    terms = vars(book.call("collateralOf", TOKEN))
    m.call(ADMIN, "ScenarioBook", "setGrace", 0)
    m.call(ADMIN, "ScenarioBook", "setCollateral", TOKEN, terms | {"ratioWad": 0})
    roots = [math.isqrt(round(m.world.spot * share) * 10**54) for share in (0.7, 1.4)]
    code = m.client.rpc("eth_call", {"data": "0x" + creation_code("LiquidityRange", *roots).hex()}, "latest")
    m.client.rpc("anvil_setCode", SOURCE, code)
    source = {"source": SOURCE, "stipendGas": STIPEND_GAS, "ceilingE6": CEILING_E6}
    m.call(STRANGER, "SourceBook", "setSource", TOKEN, source, must="AccessManagedUnauthorized")
    bare = _margins(m, without=True)
    m.require(_margins(m) == bare, "I-21", "a token without a source counts")
    m.call(ADMIN, "SourceBook", "setSource", TOKEN, source)
    held = [TOKEN in snapshot.tokenIds for snapshot in _snapshots(m)]
    bent = _margins(m)
    for account, holds, one, other in zip(m.ids, held, bent, bare, strict=True):
        m.require(holds or one == other, "I-21", f"account {account} holds none of the token: {one}, {other} without")
    for failing in m.rng.sample(FAILING, 3):
        m.client.rpc("anvil_setCode", SOURCE, failing)
        m.require(_margins(m) == bare, "I-21", f"a source of code {failing} counts, or stops somebody")
    m.client.rpc("anvil_setCode", SOURCE, code)
    m.require(_margins(m) == bent, "I-21", "a source that is well again says something else")
    m.call(ADMIN, "SourceBook", "setSource", TOKEN, dict.fromkeys(source, 0) | {"source": "0x" + "0" * 40})
    m.call(ADMIN, "ScenarioBook", "setCollateral", TOKEN, terms)


def _snapshots(m: Machine) -> list[Any]:
    return list(m.at["Accounts"].call_many("snapshotOf", [[account] for account in m.ids]))
