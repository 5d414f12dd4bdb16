"""Oracle.setSequencer: no price is read while the sequencer is down, nor within the grace after its return."""

from __future__ import annotations

import pytest
from brownie import AggregatorStub

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD, market_round, post

GRACE = 1_800
NOWHERE = "0x" + "0" * 40


@pytest.fixture
def feed(oracle, admin, chain):
    """A feed that says up since long ago, watched, and prices to read."""
    stub = admin.deploy(AggregatorStub, 0)
    now = chain[-1].timestamp
    stub.set(0, now - 10 * GRACE, False, {"from": admin})
    post(oracle, "postRound", market_round(now), admin)
    post(oracle, "postTokenPrices", {"ts": now, "tokenIds": [0], "pricesWad": [WAD]}, admin)
    oracle.setSequencer(stub, GRACE, {"from": admin})
    return stub


def both_revert(oracle, name, *args):
    with reverts_with(name, *args):
        oracle.roundFor(1, [])
    with reverts_with(name, *args):
        oracle.tokenPriceOf(0)


def test_sequencer__up__prices_are_read(oracle, feed):
    assert oracle.roundFor(1, [])[0][1] == 1_900 * WAD
    assert oracle.tokenPriceOf(0) == WAD
    assert list(oracle.sequencer()) == [feed, GRACE]


def test_sequencer__down__reverts_SequencerDown(oracle, feed, admin, chain):
    since = chain[-1].timestamp - 30
    feed.set(1, since, False, {"from": admin})
    both_revert(oracle, "Oracle__SequencerDown", since)


def test_sequencer__just_back__reverts_SequencerGrace_until_it_is_over(oracle, feed, admin, chain):
    feed.set(0, chain[-1].timestamp, False, {"from": admin})
    both_revert(oracle, "Oracle__SequencerGrace")
    chain.sleep(GRACE)
    chain.mine()
    assert oracle.tokenPriceOf(0) == WAD


@pytest.mark.parametrize("ts", [0, 2**40])
def test_sequencer__no_start_or_one_in_the_future__reverts_SequencerGrace(oracle, feed, admin, ts):
    feed.set(0, ts, False, {"from": admin})
    both_revert(oracle, "Oracle__SequencerGrace", 0, GRACE)


def test_sequencer__down__rounds_are_posted_all_the_same(oracle, feed, admin, chain):
    feed.set(1, chain[-1].timestamp, False, {"from": admin})
    chain.sleep(5)
    chain.mine()
    assert "RoundPosted" in post(oracle, "postRound", market_round(chain[-1].timestamp), admin).events


def test_sequencer__feed_fails__prices_are_not_read(oracle, feed, admin, chain):
    feed.set(0, 1, True, {"from": admin})
    with reverts_with("AggregatorStub__Fails", 1):
        oracle.tokenPriceOf(0)


def test_set_sequencer__zero__stops_watching(oracle, feed, admin, chain):
    feed.set(1, chain[-1].timestamp, False, {"from": admin})
    tx = oracle.setSequencer(NOWHERE, 0, {"from": admin})
    assert dict(tx.events["SequencerSet"]) == {"feed": NOWHERE, "graceSec": 0}
    assert oracle.tokenPriceOf(0) == WAD


def test_set_sequencer__grace_above_a_day_or_stranger__reverts(oracle, feed, admin, accounts):
    with reverts_with("Oracle__BadLimit", 86_401, 86_400):
        oracle.setSequencer(feed, 86_401, {"from": admin})
    with reverts_with("AccessManagedUnauthorized"):
        oracle.setSequencer(NOWHERE, 0, {"from": accounts[5]})
