"""Oracle.settleFromRounds: anyone, by the last round of the window, when no samples came."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import DAY, WAD, market_round, post

HOUR = 3_600


@pytest.fixture
def expiry(chain):
    """An expiry ten minutes ago: a round of its window is still fresh."""
    return chain.time() - 600


def wait_until(chain, ts):
    chain.sleep(ts - chain.time())
    chain.mine()


def in_window(oracle, relayer, expiry, left, mean, spot=1_900):
    message = market_round(expiry - left, (expiry, expiry + DAY), meanWad=mean * WAD, spotWad=spot * WAD)
    return post(oracle, "postRound", message, relayer)


def price(left, mean, spot=1_900):
    return (mean * (1_800 - left) + spot * left) * WAD // 1_800


@pytest.mark.parametrize("later", [False, True], ids=["the latest round", "a round after it"])
def test_settle_from_rounds__last_round_near_the_end__two_hours_after_the_expiry(oracle, relayer, chain, expiry, later):
    in_window(oracle, relayer, expiry, 900, 1_800)
    in_window(oracle, relayer, expiry, 300, 1_910)
    if later:
        post(oracle, "postRound", market_round(expiry + 5, (expiry + DAY,)), relayer)
        post(oracle, "postRound", market_round(expiry + 10), relayer)
    wait_until(chain, expiry + 2 * HOUR - 60)
    with reverts_with("Oracle__TooEarly"):
        oracle.settleFromRounds(1, expiry, {"from": relayer})
    wait_until(chain, expiry + 2 * HOUR)
    tx = oracle.settleFromRounds(1, expiry, {"from": relayer})
    assert (tx.events["SettlementPosted"]["priceWad"], tx.events["SettlementPosted"]["source"]) == (
        price(300, 1_910),
        2,
    )
    assert oracle.settlementPriceOf(1, expiry) == price(300, 1_910)


def test_settle_from_rounds__last_round_far_from_the_end__four_hours_after(oracle, relayer, chain, expiry):
    in_window(oracle, relayer, expiry, 301, 1_910)
    wait_until(chain, expiry + 4 * HOUR - 60)
    with reverts_with("Oracle__TooEarly"):
        oracle.settleFromRounds(1, expiry, {"from": relayer})
    wait_until(chain, expiry + 4 * HOUR)
    oracle.settleFromRounds(1, expiry, {"from": relayer})
    assert oracle.settlementPriceOf(1, expiry) == price(301, 1_910)


def test_settle_from_rounds__round_at_the_expiry__is_its_mean(oracle, relayer, chain, expiry):
    in_window(oracle, relayer, expiry, 0, 1_910, 2_000)
    wait_until(chain, expiry + 2 * HOUR)
    oracle.settleFromRounds(1, expiry, {"from": relayer})
    assert oracle.settlementPriceOf(1, expiry) == 1_910 * WAD


def test_settle_from_rounds__window_left_and_entered_again__last_round_counts(oracle, relayer, chain, expiry):
    in_window(oracle, relayer, expiry, 900, 1_800)
    post(oracle, "postRound", market_round(expiry - 800), relayer)
    in_window(oracle, relayer, expiry, 200, 1_850)
    post(oracle, "postRound", market_round(expiry + 10), relayer)
    wait_until(chain, expiry + 2 * HOUR)
    oracle.settleFromRounds(1, expiry, {"from": relayer})
    assert oracle.settlementPriceOf(1, expiry) == price(200, 1_850)


def test_settle_from_rounds__window_of_the_next_expiry__is_not_taken_for_it(oracle, relayer, chain, expiry):
    second = expiry + 1_800
    post(oracle, "postRound", market_round(expiry - 100, (expiry, second), meanWad=1_850 * WAD), relayer)
    post(oracle, "postRound", market_round(expiry + 100, (second,), meanWad=1_950 * WAD), relayer)
    wait_until(chain, expiry + 8 * HOUR)
    for at, expected in ((expiry, price(100, 1_850)), (second, price(1_700, 1_950))):
        oracle.settleFromRounds(1, at, {"from": relayer})
        assert oracle.settlementPriceOf(1, at) == expected


def test_settle_from_rounds__no_round_in_the_window__reverts(oracle, relayer, chain, expiry):
    post(oracle, "postRound", market_round(expiry - 1_800, (expiry,)), relayer)
    post(oracle, "postRound", market_round(expiry + 5, (expiry + DAY,)), relayer)
    wait_until(chain, expiry + 8 * HOUR)
    for at in (expiry, expiry + DAY, 5):
        with reverts_with("Oracle__NoRoundInWindow", 1, at):
            oracle.settleFromRounds(1, at, {"from": relayer})


def test_settle_from_rounds__settled_or_paused__reverts(oracle, relayer, admin, chain, expiry):
    in_window(oracle, relayer, expiry, 100, 1_910)
    wait_until(chain, expiry + 2 * HOUR)
    oracle.pause({"from": admin})
    with reverts_with("ExpiringPause__Paused"):
        oracle.settleFromRounds(1, expiry, {"from": relayer})
    oracle.unpause({"from": admin})
    oracle.settleFromRounds(1, expiry, {"from": relayer})
    with reverts_with("Oracle__AlreadySettled", 1, expiry):
        oracle.settleFromRounds(1, expiry, {"from": relayer})
