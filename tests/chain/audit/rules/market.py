"""What the market does, as judged calls."""

from __future__ import annotations

from typing import Any

from plimsoll.model import Round
from tests.chain.audit.machine import Machine
from tests.chain.invariants.world import ADMIN


def post(m: Machine, spot: float, **judged: Any) -> None:
    """A round and token prices a second later."""
    m.world.pass_time(1)
    market(m, spot, **judged)


def market(m: Machine, spot: float, **judged: Any) -> None:
    """A round and token prices as judged calls; no funding, see `Machine.begin`."""
    world = m.world
    ts, *calls = world.market_calls(spot)
    for data, function in zip(calls, ("postRound", "postTokenPrices"), strict=True):
        m.send(ADMIN, world.poster.address, data, f"Oracle.{function}", **judged)
    if not judged:
        (world.spot, world.round_ts) = (spot, ts)


def bare_round(m: Machine, ts: int, spot: float = 0.0) -> Round:
    return Round("ETH", ts, spot or m.world.spot, spot or m.world.spot, 1.0, ())
