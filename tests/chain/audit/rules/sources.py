"""A token that is worth what a contract says, and what becomes of accounts when that contract fails."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from plimsoll.chain.abi import creation_code, load_artifact
from plimsoll.chain.contracts import Contract, create
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.loan_spec import loan_source, loan_words
from plimsoll.deployment.spec import load_spec
from plimsoll.params import Params
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.registry import rule
from tests.chain.invariants.world import ADMIN, STRANGER
from tests.chain.profit.loans import Venue, build_venue, contracts, loan_spec

TOKEN = 1
#: Where the source stands; an address nobody else has.
SOURCE = "0x" + "5b" * 20
#: Code that fails, runs for ever, answers too little, too much, and nothing.
TOO_MUCH = "0x6110005ff3"
FAILING = ("0x", "0xfe", "0x5b5f56", "0x601f5ff3", TOO_MUCH, "0x00")
#: Of a rate model the first word is read, and the rate of zeros is one.
FAILING_RATES = tuple(code for code in FAILING if code != TOO_MUCH)
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


@contextmanager
def _worth_of(m: Machine, source: dict[str, Any]) -> Iterator[tuple[list[Any], list[Any]]]:
    """Coins are worth what a source says; gives the margins without them and with."""
    book = m.at["ScenarioBook"]
    terms = vars(book.call("collateralOf", TOKEN))
    m.call(ADMIN, "ScenarioBook", "setGrace", 0)
    m.call(ADMIN, "ScenarioBook", "setCollateral", TOKEN, terms | {"ratioWad": 0})
    m.call(STRANGER, "SourceBook", "setSource", TOKEN, source, must="AccessManagedUnauthorized")
    bare = _margins(m, without=True)
    m.require(_margins(m) == bare, "I-21", "a token without a source counts")
    m.call(ADMIN, "SourceBook", "setSource", TOKEN, source)
    held = [TOKEN in snapshot.tokenIds for snapshot in _snapshots(m)]
    bent = _margins(m)
    for account, holds, one, other in zip(m.ids, held, bent, bare, strict=True):
        m.require(holds or one == other, "I-21", f"account {account} holds none of the token: {one}, {other} without")
    yield bare, bent
    m.call(ADMIN, "SourceBook", "setSource", TOKEN, dict.fromkeys(source, 0) | {"source": "0x" + "0" * 40})
    m.call(ADMIN, "ScenarioBook", "setCollateral", TOKEN, terms)


def _fail(m: Machine, address: str, bare: list[Any], bent: list[Any], ways: tuple[str, ...] = FAILING) -> None:
    """Let a contract fail in some ways, and be well again."""
    code = m.client.rpc("eth_getCode", address, "latest")
    for failing in m.rng.sample(ways, 3):
        m.client.rpc("anvil_setCode", address, failing)
        m.require(_margins(m) == bare, "I-21", f"a source counts, or stops somebody, with {failing} at {address}")
    m.client.rpc("anvil_setCode", address, code)
    m.require(_margins(m) == bent, "I-21", "a source that is well again says something else")


@rule("attacker", 2)
def fail_a_source(m: Machine) -> None:
    """Coins become liquidity around the spot, and their source fails in every way: they count nothing, that is all."""
    roots = [math.isqrt(round(m.world.spot * share) * 10**54) for share in (0.7, 1.4)]
    code = m.client.rpc("eth_call", {"data": "0x" + creation_code("LiquidityRange", *roots).hex()}, "latest")
    m.client.rpc("anvil_setCode", SOURCE, code)
    with _worth_of(m, {"source": SOURCE, "stipendGas": STIPEND_GAS, "ceilingE6": CEILING_E6}) as (bare, bent):
        _fail(m, SOURCE, bare, bent)


@rule("attacker", 1)
def fail_a_venue(m: Machine) -> None:
    """Coins become shares of a loan at Morpho; then Morpho, its rate model and the loan's own contract fail."""
    m.client.forget_nonces()
    coin, dollars = m.at["WETH"].address, m.at["USDC"].address
    venue = build_venue(m.client, ADMIN, coin, dollars, m.world.spot, is_long=m.rng.random() < 0.5)
    entry = loan_spec(venue, ADMIN.address)
    addresses = m.base.deployment.contracts | {"USDC": dollars}
    position, _ = create(
        m.client, ADMIN, "MorphoPosition", *loan_words(entry, load_spec("local", Params()).tokens, addresses)
    )
    _borrow(m, venue, position.address)
    # A long time without an update: the rate model is asked.
    m.world.pass_time(60)
    with _worth_of(m, loan_source(entry, position.address)) as (bare, bent):
        for address in (venue.morpho, position.address):
            _fail(m, address, bare, bent)
        _fail(m, venue.irm, bare, bent, FAILING_RATES)


def _borrow(m: Machine, venue: Venue, position: str) -> None:
    """Let the loan be of one coin, and so small beside the market that no interest shows."""
    token = Contract(m.client, load_artifact("LocalToken"), venue.params[1])
    morpho = contracts(m.client, venue)["Morpho"]
    collateral, debt = (10**18, 1_000 * 10**6) if venue.is_long else (10_000 * 10**6, 10**18)
    token.send(ADMIN, "mint", ADMIN.address, collateral)
    token.send(ADMIN, "approve", venue.morpho, collateral)
    morpho.send(ADMIN, "supplyCollateral", venue.params, collateral, position, b"")
    Contract(m.client, load_artifact("MorphoPosition"), position).send(ADMIN, "take", 0, 0, debt, ADMIN.address)


def _snapshots(m: Machine) -> list[Any]:
    return list(m.at["Accounts"].call_many("snapshotOf", [[account] for account in m.ids]))
