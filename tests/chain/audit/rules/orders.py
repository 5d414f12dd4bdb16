"""Orders that both sides signed."""

from __future__ import annotations

from typing import Any

from plimsoll.model import Kind
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.registry import SHORT
from tests.chain.invariants.world import STRANGER, WAD


def fill(m: Machine, pair: Any, kind: Kind, load: float, expiry: int = 0) -> bool:
    """Both sign; a stranger settles."""
    found = signed_fill(m, pair, kind, load, expiry)
    if found is None:
        return False
    return m.call(STRANGER, "Exchange", "settle", *found, may=SHORT, own=pair, bystanders=True).passed


def signed_fill(m: Machine, pair: Any, kind: Kind, load: float, expiry: int = 0) -> tuple[Any, ...] | None:
    world, (buyer, seller) = m.world, pair
    if kind is not Kind.PERP and not expiry:
        expiry = m.rng.choice(world.expiries)
    if kind is not Kind.PERP and expiry <= world.now + 60:
        return None
    is_option = kind in (Kind.CALL, Kind.PUT)
    instrument = world.instrument(kind, expiry, m.rng.choice([1_800, 2_000, 2_200]) if is_option else 0)
    trader = seller if buyer == m.maker else buyer
    quantity = int(load * max(m.snapshot(trader).cashWad, WAD) / (0.25 * world.spot)) + m.rng.randint(1, 10**9)
    price = int(world.spot * (0.03 if is_option else 1)) * WAD + m.rng.randint(0, 10**7) * 10**10
    return world.fill(buyer, seller, instrument, quantity, price)
