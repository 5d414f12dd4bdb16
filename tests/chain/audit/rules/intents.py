"""Signed outcomes and the solvers that fill them."""

from __future__ import annotations

from typing import Any

from plimsoll.chain.revert import RevertError
from plimsoll.chain.signing import domain_of, sign, struct_types
from plimsoll.chain.words import unpack
from plimsoll.model import Kind
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.orders import fill
from tests.chain.audit.rules.registry import SHORT, excess, owner_of, rule
from tests.chain.helpers.delegation import PERP
from tests.chain.invariants.world import ETH, FAR, STRANGER, WAD

LIFE_SEC = 3_600
STEP = 10**10


def _signed(m: Machine, function: str, signer: Any, *values: Any) -> tuple[Any, ...]:
    """An intent of ``values`` with nonce, time and signer, and its signature."""
    world, contract = m.world, m.at["Intents"]
    world.nonce += 1
    count = m.at["Accounts"].call("transferCountOf", values[0])
    intent = (*values, count, world.nonce, world.now + LIFE_SEC, signer.address)
    primary, types = struct_types(contract, function)
    message = dict(zip((entry["name"] for entry in types[primary]), intent, strict=True))
    return intent, sign(signer, domain_of(contract), primary, types, message)


def _quote(m: Machine, account: int, is_buy: bool, quantity_wad: int, price_wad: int) -> tuple[Any, ...]:
    """A perpetual, quoted by the maker to one account."""
    leg = (m.world.instrument(Kind.PERP, 0, 0), is_buy, quantity_wad, price_wad)
    quote, signature, *_ = m.world.quote(m.maker, account, [leg])
    return quote, signature


def _perp(m: Machine, account: int) -> int:
    words = map(unpack, m.snapshot(account).positions)
    return sum(word.quantity_wad for word in words if word.kind == Kind.PERP)


def _price(m: Machine) -> int:
    """Around the mark, now and then far off."""
    return int(m.world.spot * m.rng.choice([0.97, 0.999, 1, 1.001, 1.03]) * 10**8) * STEP


def _delta(m: Machine, account: int) -> tuple[int, int] | None:
    """Delta and market equity; None without a margin number."""
    try:
        margin, details = m.at["MarginEngine"].call("evaluateDetailed", m.at["Accounts"].call("snapshotOf", account))
    except RevertError:
        return None
    return (details[0].deltaWad if details else 0), margin.marketEquityWad


@rule("user", 4)
def intent_of_delta(m: Machine) -> None:
    """Halve the delta by a perpetual; what passes ended as signed, and passes once."""
    account = m.rng.choice(m.traders)
    owner = owner_of(m, account)
    if not _perp(m, account):
        fill(m, (account, m.maker), Kind.PERP, 0.5)
    found = _delta(m, account)
    if found is None or abs(found[0]) < 10**9:
        return
    m.call(owner, "Accounts", "approve", m.at["Intents"].address, account, bystanders=True)
    delta, equity = found
    half, slack = delta // 2, abs(delta) // 50 + 1
    most = abs(half) * int(m.world.spot) // 10 ** m.rng.randint(1, 4)
    terms = (account, ETH, PERP, half - slack, half + slack, most, -FAR)
    intent, signature = _signed(m, "fillDelta", owner, *terms)
    quantity = abs(delta - half) + m.rng.choice([0, 0, 0, 3 * slack])
    price = _price(m)
    args = (intent, signature, *_quote(m, account, delta > 0, quantity, price))
    may = {"Intents__CostAbove", "Intents__DeltaMissed"} | SHORT
    done = m.call(STRANGER, "Intents", "fillDelta", *args, may=may, own=[account, m.maker], bystanders=True)
    if not done.passed:
        return
    now = _delta(m, account)
    assert now is not None
    ended = half - slack <= now[0] <= half + slack and equity - now[1] <= most
    m.require(ended, "I-17", f"delta {delta} to {now[0]}, equity {equity} to {now[1]}, most {most}")
    digest = "0x" + m.at["Intents"].call("hashOfDelta", intent).hex()
    m.require(digest in m.world.state.intents, "I-09", f"intent {digest} is not among those rebuilt")
    again = (*args[:2], *_quote(m, account, delta > 0, quantity, price))
    m.call(STRANGER, "Intents", "fillDelta", *again, must="Intents__Filled")


def _own_margin(m: Machine, account: int) -> Any:
    """What an intent is judged by: the account's margin without guarantee lines, or the error in its place."""
    try:
        return m.at["MarginEngine"].call("evaluate", m.at["Accounts"].call("snapshotOf", account))
    except RevertError as reverted:
        return reverted


@rule("user", 3)
def intent_to_close(m: Machine) -> None:
    """Close what is below a bound; above it nobody can."""
    account = m.rng.choice(m.traders)
    owner, margin = owner_of(m, account), _own_margin(m, account)
    held = _perp(m, account)
    if isinstance(margin, RevertError) or not held:
        return
    m.call(owner, "Accounts", "approve", m.at["Intents"].address, account, bystanders=True)
    left, price = excess(margin, "initialWad"), int(m.world.spot) * WAD
    calm, signature = _signed(m, "fillClose", owner, account, left, FAR)
    quote = _quote(m, account, held > 0, abs(held), price)
    m.call(STRANGER, "Intents", "fillClose", calm, signature, *quote, must="Intents__NotTriggered")
    bound = left + m.rng.randint(1, int(margin.initialWad) + 1)
    intent, signature = _signed(m, "fillClose", owner, account, bound, abs(held) * price // WAD // 10)
    more = _quote(m, account, held > 0, abs(held) + 1, price)
    m.call(STRANGER, "Intents", "fillClose", intent, signature, *more, must="Intents__NotReducing")
    may = {"Intents__CostAbove", "Intents__ExcessMissed"} | SHORT
    args = (intent, signature, *_quote(m, account, held > 0, abs(held), price))
    if not m.call(STRANGER, "Intents", "fillClose", *args, may=may, own=[account, m.maker]).passed:
        return
    after = _own_margin(m, account)
    safe = not m.snapshot(account).positions or excess(after, "initialWad") >= bound
    m.require(safe, "I-17", f"account {account}: bound {bound}, {after}")


@rule("attacker", 4)
def forge_an_intent(m: Machine) -> None:
    """Another's signature, another account, a cancelled nonce, no approval."""
    account = m.rng.choice(m.traders)
    owner, found = owner_of(m, account), _delta(m, account)
    if found is None:
        return
    bounds = (found[0] + 1, found[0] + WAD)
    terms = (account, ETH, PERP, *bounds, FAR, -FAR)
    quote = _quote(m, account, False, WAD // 2, int(m.world.spot) * WAD)
    fill_ = (STRANGER, "Intents", "fillDelta")
    mine, signature = _signed(m, "fillDelta", STRANGER, *terms)
    m.call(*fill_, mine, signature, *quote, must="Intents__NotAuthorised")
    m.call(*fill_, (*mine[:-1], owner.address), signature, *quote, must="Intents__BadSignature")
    late, signature = _signed(m, "fillDelta", owner, *terms)
    m.call(*fill_, (*late[:-2], m.world.now - 1, late[-1]), signature, *quote, must="Intents__Expired")
    m.call(owner, "Accounts", "approve", "0x" + "0" * 40, account)
    m.call(*fill_, late, signature, *quote, must="Delegation__NotDelegate")
    m.call(owner, "Exchange", "cancel", late[-3])
    m.call(*fill_, late, signature, *quote, must="Intents__Cancelled")
