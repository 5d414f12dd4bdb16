"""Oracle.roundFor: only fresh surfaces of the latest round are ever read."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import DAY, WAD, market_round, numbers, post, surface

#: Every number of a slice at an end of its domain, so that each packed field is full.
EXTREMES = (
    {"forwardWad": 10**12 * WAD, "rateWad": 9 * WAD, "aWad": 1_000 * WAD, "bWad": 2 * WAD, "rhoWad": 0}
    | {"mWad": 9 * WAD, "sWad": 9 * WAD},
    {"forwardWad": 1, "rateWad": -9 * WAD, "aWad": -17 * WAD, "bWad": 2 * WAD, "rhoWad": 0}
    | {"mWad": -9 * WAD, "sWad": 9 * WAD},
    {"aWad": 0, "bWad": WAD, "rhoWad": 1 - WAD, "mWad": -1, "sWad": 1, "rateWad": -1},
    {"aWad": 0, "bWad": WAD, "rhoWad": WAD - 1, "mWad": 1, "sWad": 1, "rateWad": 1},
)


def test_round_for__no_round__reverts_NoRound(oracle):
    with reverts_with("Oracle__NoRound", 1):
        oracle.roundFor(1, [])


def test_round_for__expiry_left_out_of_latest_round__reverts_ExpiryNotInRound(oracle, relayer, chain):
    now = chain.time()
    near, far = now + DAY, now + 2 * DAY
    post(oracle, "postRound", market_round(now - 5, (near, far)), relayer)
    assert [int(s[0]) for s in oracle.roundFor(1, [far, near])[1]] == [far, near]
    post(oracle, "postRound", market_round(now, (far,)), relayer)
    assert oracle.roundFor(1, [far])[1][0][0] == far
    with reverts_with("Oracle__ExpiryNotInRound", 1, near):
        oracle.roundFor(1, [near])


@pytest.mark.parametrize("numbers_of", EXTREMES)
def test_round_for__ends_of_the_domain__read_as_posted(oracle, relayer, chain, numbers_of):
    now = chain.time()
    slice_ = surface(now + DAY, **numbers_of)
    post(oracle, "postRound", market_round(now, surfaces=[slice_]), relayer)
    assert numbers(oracle.roundFor(1, [now + DAY])[1][0]) == list(slice_.values())


@pytest.mark.parametrize("conf_wad", [0, WAD - 1, WAD])
def test_round_for__confidence__read_as_posted(oracle, relayer, chain, conf_wad):
    now = chain.time()
    post(oracle, "postRound", market_round(now - 5, confWad=WAD // 3), relayer)
    post(oracle, "postRound", market_round(now, confWad=conf_wad), relayer)
    assert oracle.roundFor(1, [])[0][3] == conf_wad


def test_round_for__after_heartbeat__reverts_Stale(oracle, relayer, chain):
    post(oracle, "postRound", market_round(chain.time()), relayer)
    oracle.roundFor(1, [])
    chain.sleep(3_700)
    chain.mine()
    with reverts_with("Oracle__Stale"):
        oracle.roundFor(1, [])
