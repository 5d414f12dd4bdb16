"""Oracle.roundFor: only fresh surfaces of the latest round are ever read."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import DAY, market_round, post


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


def test_round_for__after_heartbeat__reverts_Stale(oracle, relayer, chain):
    post(oracle, "postRound", market_round(chain.time()), relayer)
    oracle.roundFor(1, [])
    chain.sleep(3_700)
    chain.mine()
    with reverts_with("Oracle__Stale"):
        oracle.roundFor(1, [])
