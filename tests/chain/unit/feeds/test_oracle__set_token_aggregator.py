"""Oracle.setTokenAggregator: a token price far from a second, fresh opinion is refused."""

from __future__ import annotations

import pytest
from brownie import AggregatorStub

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD, post

TOKEN, MAX_AGE, MAX_DEVIATION = 4, 3_600, 2 * 10**16
NOWHERE = "0x" + "0" * 40


@pytest.fixture
def feed(oracle, admin, chain):
    """1 with eight decimals."""
    stub = admin.deploy(AggregatorStub, 8)
    stub.set(10**8, chain[-1].timestamp, False, {"from": admin})
    oracle.setTokenAggregator(TOKEN, stub, MAX_AGE, MAX_DEVIATION, {"from": admin})
    return stub


def posted(oracle, admin, chain, price_wad, token=TOKEN):
    message = {"ts": chain[-1].timestamp, "tokenIds": [token], "pricesWad": [price_wad]}
    return post(oracle, "postTokenPrices", message, admin)


@pytest.mark.parametrize("apart", [-MAX_DEVIATION, 0, MAX_DEVIATION])
def test_token_aggregator__within_the_limit__is_accepted(oracle, feed, admin, chain, apart):
    assert "TokenPricePosted" in posted(oracle, admin, chain, WAD + apart).events


@pytest.mark.parametrize("sign", [-1, 1])
def test_token_aggregator__too_far__reverts_Disagreement(oracle, feed, admin, chain, sign):
    with reverts_with("Oracle__Disagreement", MAX_DEVIATION + 1, MAX_DEVIATION):
        posted(oracle, admin, chain, WAD + sign * (MAX_DEVIATION + 1))


@pytest.mark.parametrize(
    ("answer", "age", "fails"),
    [(10**11, MAX_AGE + 60, False), (0, 0, False), (-1, 0, False), (2**255 - 1, 0, False), (10**11, 0, True)],
)
def test_token_aggregator__late_or_failing__stops_nothing(oracle, feed, admin, chain, answer, age, fails):
    feed.set(answer, chain[-1].timestamp - age, fails, {"from": admin})
    assert "TokenPricePosted" in posted(oracle, admin, chain, WAD).events


def test_token_aggregator__other_tokens__are_not_asked(oracle, feed, admin, chain):
    assert "TokenPricePosted" in posted(oracle, admin, chain, 5 * WAD, TOKEN + 1).events
    oracle.setAggregator(TOKEN, feed, MAX_AGE, MAX_DEVIATION, {"from": admin})
    oracle.setTokenAggregator(TOKEN, NOWHERE, 0, 0, {"from": admin})
    assert "TokenPricePosted" in posted(oracle, admin, chain, 5 * WAD).events


def test_set_token_aggregator__is_shown(oracle, feed, admin):
    assert list(oracle.tokenAggregatorOf(TOKEN)) == [feed, MAX_AGE, MAX_DEVIATION]
    tx = oracle.setTokenAggregator(TOKEN, NOWHERE, 0, 0, {"from": admin})
    assert (tx.events["TokenAggregatorSet"]["tokenId"], tx.events["TokenAggregatorSet"]["feed"]) == (TOKEN, NOWHERE)


def test_set_token_aggregator__bad_limit_or_stranger__reverts(oracle, feed, admin, relayer):
    with reverts_with("Oracle__BadLimit", WAD + 1, WAD):
        oracle.setTokenAggregator(TOKEN, feed, 0, WAD + 1, {"from": admin})
    with reverts_with("AccessManagedUnauthorized"):
        oracle.setTokenAggregator(TOKEN, feed, 0, 0, {"from": relayer})
