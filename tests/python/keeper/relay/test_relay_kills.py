"""The relayer killed with -9 at every step: nothing twice, nothing lost."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from helpers.kills import die, die_at, killed
from helpers.two_chains import (
    WAD,
    Open,
    Relay,
    finalise,
    reorganise,
)

POINTS = [(kind, count) for kind in ("before write", "after write", "before send", "after send") for count in (1, 2)]


@pytest.mark.parametrize("side", ["home", "away"])
@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[0]} {point[1]}".replace(" ", "-"))
def test_relay__killed_at_every_step__nothing_twice_and_nothing_lost(pair, tmp_path, side, point):
    """From lock to release in processes of which the first one dies at a write of the journal or a send."""
    owner, relay = pair.wallet(), Relay(pair, tmp_path)
    pair.lock(owner, 5 * WAD)
    if side == "away":
        relay.settle()
        pair.redeem(owner, 4 * WAD)
    finalise(pair.home, pair.away)
    before = pair.sent()

    async def first():
        async with Open(relay) as opened:
            transactor = opened.here if side == "home" else opened.there
            die_at(SimpleNamespace(transactor=transactor), point)
            for _ in range(6):
                await opened.step()
                finalise(pair.home, pair.away)

    assert killed(first)
    relay.settle()
    assert (pair.held(owner), pair.owned(owner)) == ((5 * WAD, 0) if side == "home" else (WAD, 4 * WAD))
    # A header and a proof, each once.
    spent = [after - sent for after, sent in zip(pair.sent(), before, strict=True)]
    assert spent == ([2, 0] if side == "home" else [0, 2])


def test_relay__killed_and_reorganised__nothing_twice_and_nothing_lost(pair, tmp_path):
    owner, relay = pair.wallet(), Relay(pair, tmp_path)
    pair.lock(owner, 5 * WAD)
    finalise(pair.home, pair.away)

    async def first():
        async with Open(relay) as opened:
            await opened.step()
            await opened.step()
            die()

    assert killed(first)
    assert pair.held(owner) == 5 * WAD
    reorganise(pair.home, 2)
    assert pair.held(owner) == 0
    relay.settle()
    assert pair.held(owner) == 5 * WAD
