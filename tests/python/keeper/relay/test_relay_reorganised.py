"""The relayer while either chain takes back what was done on it."""

from __future__ import annotations

import asyncio

import pytest
from helpers.relay_runs import as_tuple, keys_of, post_header
from helpers.two_chains import (
    FINAL,
    HOSTILE,
    WAD,
    Open,
    finalise,
    reorganise,
)

from plimsoll.remote.proofs import locked_slot, prove


@pytest.mark.parametrize("undone", ["header", "claim", "both"])
def test_relay__home_chain_undoes_what_was_sent__is_sent_again(pair, relay, undone):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    relay.run()
    if undone == "header":
        reorganise(pair.home, 1)
        assert relay.run().problems == []
    relay.run()
    if undone != "header":
        reorganise(pair.home, 1 if undone == "claim" else 2)
        assert pair.held(owner) == 0
    relay.settle()
    assert pair.held(owner) == 5 * WAD
    assert pair.claims.call("claimedRaw", pair.token.address, owner.address) == 5 * WAD


@pytest.mark.parametrize("undone", ["header", "release", "both"])
def test_relay__other_chain_undoes_what_was_sent__is_sent_again(pair, relay, undone):
    owner, receiver = pair.wallet(), pair.wallet()
    pair.lock(owner, 5 * WAD)
    relay.settle()
    pair.redeem(owner, 4 * WAD, receiver)
    finalise(pair.home)
    relay.run()
    if undone == "header":
        reorganise(pair.away, 1)
    relay.run()
    if undone != "header":
        reorganise(pair.away, 1 if undone == "release" else 2)
        assert pair.owned(receiver) == 0
    relay.settle()
    assert pair.owned(receiver) == 4 * WAD


def test_relay__lock_undone_before_it_is_final__is_never_claimed(pair, relay):
    owner = pair.wallet()
    finalise(pair.away)
    pair.lock(owner, 5 * WAD)
    relay.run(2)
    reorganise(pair.away, FINAL - 1)
    relay.settle()
    assert (pair.held(owner), pair.escrow.call("lockedRaw", pair.token.address, owner.address)) == (0, 0)


def test_relay__redemption_undone_before_it_is_final__is_never_released(pair, relay):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    relay.settle()
    finalise(pair.home)
    pair.redeem(owner, 5 * WAD)
    relay.run(2)
    reorganise(pair.home, FINAL - 1)
    relay.settle()
    assert (pair.held(owner), pair.owned(owner)) == (5 * WAD, 0)


def test_relay__claim_of_another_is_undone__is_made_by_this_one(pair, relay):
    """It saw the claim in a block that is not final, and whoever made it does not come back."""
    owner, token = pair.wallet(), pair.token.address
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    number = post_header(pair, pair.away, pair.home_feed)
    finalise(pair.home)
    proof = prove(pair.away, pair.escrow.address, locked_slot(token, owner.address), number)
    pair.claims.send(HOSTILE, "claim", token, owner.address, as_tuple(proof))

    async def whole():
        async with Open(relay) as opened:
            assert (await opened.step()).deeds == []
            reorganise(pair.home, 1)
            assert pair.held(owner) == 0
            assert keys_of(await opened.step()) == ["claim"]

    asyncio.run(whole())
    assert pair.held(owner) == 5 * WAD
