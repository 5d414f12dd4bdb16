"""The relayer beside others who do the same, before it, meanwhile or in parts."""

from __future__ import annotations

import asyncio

import pytest
from helpers import rpc_proxy as faults
from helpers.relay_runs import as_tuple, keys_of, post_header
from helpers.rpc_proxy import RpcProxy
from helpers.two_chains import (
    HOSTILE,
    WAD,
    Open,
    Relay,
    finalise,
)

from plimsoll.chain.revert import RevertError
from plimsoll.remote.proofs import locked_slot, prove, redeemed_slot


def test_relay__others_were_there_before__sends_only_what_is_left(pair, relay):
    owner, receiver = pair.wallet(), pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)

    post_header(pair, pair.away, pair.home_feed)
    assert keys_of(relay.run()) == ["claim"]
    assert pair.held(owner) == 5 * WAD
    pair.redeem(owner, 4 * WAD, receiver)
    finalise(pair.home)
    number = post_header(pair, pair.home, pair.away_feed)
    proof = prove(pair.home, pair.claims.address, redeemed_slot(pair.token.address, receiver.address), number)
    pair.escrow.send(HOSTILE, "release", pair.token.address, receiver.address, *as_tuple(proof))
    before = pair.sent()
    assert relay.run(2).deeds == []
    assert (pair.sent(), pair.owned(receiver)) == (before, 4 * WAD)


@pytest.mark.parametrize("step", ["header", "claim", "unlock"])
def test_relay__front_run__ends_as_done_and_not_as_failed(pair, tmp_path, step):
    """Ours is signed and journalled; the other one, of the same effect, is mined before it."""
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    plain = Relay(pair, tmp_path)
    if step == "unlock":
        plain.settle()
        pair.redeem(owner, 5 * WAD)
        finalise(pair.home)
    else:
        finalise(pair.away)
    if step != "header":
        plain.run()
    outcomes = []

    async def overtaken(relay, proxy):
        async with Open(relay) as opened:
            # What the run before has sent is followed first.
            await opened.here.advance(await opened.home.head())
            await opened.relayer.advance()
            proxy.add(faults.lost_sends(times=1))
            assert keys_of(await opened.step()) == [step]
            _do(pair, step, owner)
            for _ in range(4):
                finalise(pair.home, pair.away)
                outcomes.extend(await opened.here.advance(await opened.home.head()))
                outcomes.extend((await opened.relayer.advance())[0])

    chain = pair.away if step == "unlock" else pair.home
    with RpcProxy(chain.url) as proxy:
        where = {"urls" if step == "unlock" else "home_urls": [proxy.url]}
        asyncio.run(overtaken(Relay(pair, tmp_path, **where), proxy))
    ours = [(one.key.split(":")[0], str(one.result)) for one in outcomes if str(one.result) != "done"]
    assert ours == [(step, "already done")]
    plain.settle()
    assert pair.held(owner) + pair.owned(owner) == 5 * WAD


def _do(pair, step, owner):
    """Do by hand what a relayer would."""
    token, to = pair.token.address, owner.address
    if step == "header":
        post_header(pair, pair.away, pair.home_feed)
    elif step == "claim":
        number = pair.home_feed.call("newest")
        proof = prove(pair.away, pair.escrow.address, locked_slot(token, to), number)
        pair.claims.send(HOSTILE, "claim", token, to, as_tuple(proof))
    else:
        number = pair.away_feed.call("newest")
        proof = prove(pair.home, pair.claims.address, redeemed_slot(token, to), number)
        pair.escrow.send(HOSTILE, "release", token, to, *as_tuple(proof))


def test_relay__overtaken_by_a_smaller_proof__carries_the_difference(pair, relay):
    owner, token = pair.wallet(), pair.token.address
    pair.lock(owner, 2 * WAD)
    finalise(pair.away)
    number = post_header(pair, pair.away, pair.home_feed)
    old = prove(pair.away, pair.escrow.address, locked_slot(token, owner.address), number)
    pair.lock(owner, 3 * WAD)
    finalise(pair.away)
    newer = post_header(pair, pair.away, pair.home_feed)
    assert newer > number
    pair.claims.send(HOSTILE, "claim", token, owner.address, as_tuple(old))
    assert keys_of(relay.run()) == ["claim"]
    assert pair.held(owner) == 5 * WAD
    with pytest.raises(RevertError, match="RemoteClaims__NothingNew"):
        pair.claims.send(HOSTILE, "claim", token, owner.address, as_tuple(old))
