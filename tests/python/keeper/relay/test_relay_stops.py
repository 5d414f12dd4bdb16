"""The relayer before caps, frozen feeds, tokens that do not leave, and chains that halt."""

from __future__ import annotations

import asyncio

from helpers.relay_runs import keys_of, post_header, results_of
from helpers.two_chains import (
    AWAY_ID,
    CAP,
    DEPLOYER,
    FINAL,
    RELAYER,
    SIGNERS,
    THRESHOLD,
    WAD,
    Open,
    Relay,
    finalise,
    reorganise,
)


def test_relay__cap_full__waits_says_so_and_carries_the_rest_when_it_is_raised(pair, relay):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    supply = pair.claim.call("totalSupply")
    pair.cap(supply + 2 * WAD)
    relay.run(2)
    assert pair.held(owner) == 2 * WAD
    before = pair.sent()
    found = relay.run(3)
    assert (found.deeds, found.problems, pair.sent()) == ([], [], before)
    assert "rETH: 3000000000000000000 of the smallest unit wait, and the cap leaves room for 0" in found.alerts.values()
    # What somebody redeems makes room as a higher cap does.
    pair.redeem(owner, WAD)
    assert keys_of(relay.run()) == ["claim"]
    pair.cap(int(CAP) * WAD)
    relay.settle()
    assert (pair.held(owner), pair.owned(owner)) == (4 * WAD, WAD)


def test_relay__feed_frozen__carries_nothing_until_signers_are_set_anew(pair, relay):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    number = post_header(pair, pair.away, pair.home_feed)
    # What a quorum that breaks its rule can do: the chain changes what was final.
    reorganise(pair.away, FINAL + 2)
    pair.away.rpc("anvil_mine", hex(FINAL + 3), hex(1))
    post_header(pair, pair.away, pair.home_feed, at=hex(number))
    assert pair.home_feed.call("isFrozen")
    other = pair.wallet()
    pair.lock(other, WAD)
    finalise(pair.away)
    found = relay.run(2)
    assert found.deeds == []
    assert any("frozen until its signers are set anew" in text for text in found.alerts.values())
    pair.home_feed.send(DEPLOYER, "setSigners", [signer.address for signer in SIGNERS], THRESHOLD)
    relay.settle()
    assert pair.held(other) == WAD


def test_relay__fewer_keys_than_the_quorum__carries_on_headers_of_others(pair, tmp_path):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    relay = Relay(pair, tmp_path, keys=[SIGNERS[2], RELAYER])
    found = relay.run(2)
    assert found.deeds == []
    assert any("1 signatures missing" in text for text in found.alerts.values())
    post_header(pair, pair.away, pair.home_feed)
    assert keys_of(relay.run()) == ["claim"]
    assert pair.held(owner) == 5 * WAD


def test_relay__token_that_refuses_to_leave__is_tried_again_and_stops_nothing_else(pair, relay):
    """The token is stopped by its issuer: releases fail in their simulation, claims go on."""
    owner, other = pair.wallet(), pair.wallet()
    pair.lock(owner, 5 * WAD)
    relay.settle()
    pair.redeem(owner, 4 * WAD)
    pair.lock(other, WAD)
    finalise(pair.home, pair.away)
    code = pair.away.rpc("eth_getCode", pair.token.address, "latest")
    relay.run()
    pair.away.rpc("anvil_setCode", pair.token.address, "0xfe")
    before = pair.sent()[1]
    found = relay.run()
    assert results_of(found) == {"claim": "sent", "unlock": "failed"}
    assert (pair.held(other), pair.sent()[1]) == (WAD, before)
    pair.away.rpc("anvil_setCode", pair.token.address, code)
    relay.settle()
    assert pair.owned(owner) == 4 * WAD


def test_relay__other_chain_halts_for_a_day__is_told_and_what_waited_comes_after(pair, relay):
    owner, late = pair.wallet(), pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    relay.run(2)
    pair.lock(late, WAD)

    async def whole():
        async with Open(relay) as opened:
            alerts = []
            for sec in (0.0, 3_000.0, 86_400.0):
                pair.clock.sec = sec
                alerts.append(set((await opened.step()).alerts))
            return alerts

    first, second, third = asyncio.run(whole())
    assert (first, second) == (set(), set())
    assert f"chain {AWAY_ID} quiet" in third
    # What was claimed keeps counting; what was not waits.
    assert (pair.held(owner), pair.held(late)) == (5 * WAD, 0)
    relay.settle()
    assert pair.held(late) == WAD


def test_relay__home_chain_halts_for_a_day__headers_from_its_future_wait(pair, relay):
    """The other chain goes on: its blocks are later than this chain's clock until this one goes on too."""
    owner = pair.wallet()
    later_ts = pair.away.block_ts() + 86_400
    pair.away.rpc("evm_setNextBlockTimestamp", later_ts)
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    before = pair.sent()
    found = relay.run(2)
    assert results_of(found) == {"header": "failed"}
    assert any("FromTheFuture" in deed.reason for deed in found.deeds)
    assert pair.sent() == before
    pair.home.rpc("evm_setNextBlockTimestamp", later_ts)
    relay.settle()
    assert pair.held(owner) == 5 * WAD
