"""Oracle.setAggregator: a round whose spot is far from a second, fresh opinion is refused."""

from __future__ import annotations

import pytest
from brownie import AggregatorStub

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD, market_round, post

MAX_AGE, MAX_DEVIATION = 3_600, 2 * 10**16
NOWHERE = "0x" + "0" * 40


@pytest.fixture
def feed(oracle, admin, chain):
    """1,900 with eight decimals."""
    stub = admin.deploy(AggregatorStub, 8)
    stub.set(1_900 * 10**8, chain[-1].timestamp, False, {"from": admin})
    oracle.setAggregator(1, stub, MAX_AGE, MAX_DEVIATION, {"from": admin})
    return stub


def posted(oracle, admin, chain, spot):
    chain.sleep(2)
    chain.mine()
    return post(oracle, "postRound", market_round(chain[-1].timestamp, spotWad=spot * WAD), admin)


@pytest.mark.parametrize("spot", [1_862, 1_900, 1_938])
def test_aggregator__within_the_limit__is_accepted(oracle, feed, admin, chain, spot):
    assert "RoundPosted" in posted(oracle, admin, chain, spot).events


@pytest.mark.parametrize("spot", [1_861, 1_939])
def test_aggregator__too_far__reverts_Disagreement(oracle, feed, admin, chain, spot):
    with reverts_with("Oracle__Disagreement", abs(spot - 1_900) * WAD // 1_900, MAX_DEVIATION):
        posted(oracle, admin, chain, spot)


@pytest.mark.parametrize(
    ("answer", "age", "fails"),
    [(10**11, MAX_AGE + 60, False), (0, 0, False), (2**255 - 1, 0, False), (10**11, 0, True)],
)
def test_aggregator__late_or_failing__stops_nothing(oracle, feed, admin, chain, answer, age, fails):
    feed.set(answer, chain[-1].timestamp - age, fails, {"from": admin})
    assert "RoundPosted" in posted(oracle, admin, chain, 1_900).events


def test_aggregator__of_another_underlying__is_not_asked(oracle, feed, admin, chain):
    oracle.setAggregator(1, NOWHERE, 0, 0, {"from": admin})
    oracle.setAggregator(2, feed, MAX_AGE, MAX_DEVIATION, {"from": admin})
    assert "RoundPosted" in posted(oracle, admin, chain, 1_000).events


def test_set_aggregator__is_shown_and_removed(oracle, feed, admin):
    assert list(oracle.aggregatorOf(1)) == [feed, MAX_AGE, MAX_DEVIATION]
    tx = oracle.setAggregator(1, NOWHERE, 0, 0, {"from": admin})
    assert tx.events["AggregatorSet"]["feed"] == NOWHERE
    assert list(oracle.aggregatorOf(1)) == [NOWHERE, 0, 0]


def test_set_aggregator__bad_limits_or_stranger__reverts(oracle, feed, admin, accounts):
    with reverts_with("Oracle__BadLimit", 7 * 86_400 + 1, 7 * 86_400):
        oracle.setAggregator(1, feed, 7 * 86_400 + 1, 0, {"from": admin})
    with reverts_with("Oracle__BadLimit", WAD + 1, WAD):
        oracle.setAggregator(1, feed, 0, WAD + 1, {"from": admin})
    wide = admin.deploy(AggregatorStub, 19)
    with reverts_with("Oracle__BadLimit", 19, 18):
        oracle.setAggregator(1, wide, 0, 0, {"from": admin})
    with reverts_with("AccessManagedUnauthorized"):
        oracle.setAggregator(1, feed, 0, 0, {"from": accounts[5]})
