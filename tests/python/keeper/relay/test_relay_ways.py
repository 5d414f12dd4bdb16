"""The relayer on two real chains: what is locked is claimed, what is redeemed is released, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from helpers.relay_runs import keys_of
from helpers.two_chains import (
    DEPLOYER,
    RULE,
    WAD,
    Open,
    Relay,
    finalise,
)

from plimsoll.chain.contracts import create


def test_relay__lock_and_redeem__are_carried_once_and_then_nothing_is_sent(pair, relay):
    owner, receiver = pair.wallet(), pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    assert keys_of(relay.run()) == ["header"]
    assert keys_of(relay.run()) == ["claim"]
    assert pair.held(owner) == 5 * WAD
    pair.redeem(owner, 3 * WAD, receiver)
    finalise(pair.home)
    assert keys_of(relay.run()) == ["header"]
    assert keys_of(relay.run()) == ["unlock"]
    assert (pair.owned(receiver), pair.held(owner)) == (3 * WAD, 2 * WAD)
    finalise(pair.home, pair.away)
    before = pair.sent()
    assert [relay.run(2).deeds for _ in range(2)] == [[], []]
    assert pair.sent() == before


def test_relay__before_finality__sends_nothing(pair, relay):
    pair.lock(pair.wallet(), 5 * WAD)
    assert relay.run(2).deeds == []


def test_relay__dust__is_left_to_its_owner_until_it_is_more(pair, tmp_path):
    owner = pair.wallet()
    picky = Relay(pair, tmp_path, rule=replace(RULE, least=1.0))
    pair.lock(owner, WAD - 1)
    finalise(pair.away)
    assert picky.run(2).deeds == []
    pair.lock(owner, 1)
    finalise(pair.away)
    picky.run(2)
    assert pair.held(owner) == WAD


def test_relay__token_without_a_claim__is_left_alone(pair, relay):
    owner, junk = pair.wallet(), pair.wallet()
    other, _ = create(pair.away, DEPLOYER, "LocalToken", "Junk", "JUNK", 18)
    other.send(junk, "mint", junk.address, WAD)
    other.send(junk, "approve", pair.escrow.address, WAD)
    pair.escrow.send(junk, "lock", other.address, WAD, junk.address)
    pair.lock(owner, WAD)
    finalise(pair.away)
    found = relay.run(2)
    assert [key for key in keys_of(found) if key == "claim"] == ["claim"]
    assert (pair.held(owner), found.problems) == (WAD, [])


def test_relay__headers__come_at_most_once_in_their_time(pair, tmp_path):
    slow = Relay(pair, tmp_path, rule=replace(RULE, header_sec=100.0))

    async def whole():
        async with Open(slow) as opened:
            keys = []
            for sec in (0.0, 50.0, 101.0):
                pair.lock(pair.wallet(), WAD)
                finalise(pair.away)
                pair.clock.sec = sec
                keys.append(keys_of(await opened.step()))
            return keys

    first, second, third = asyncio.run(whole())
    assert (first, second, sorted(third)) == (["header"], ["claim"], ["header"])
