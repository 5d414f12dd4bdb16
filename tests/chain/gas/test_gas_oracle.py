"""Gas of a round by one signer, to the unit, without the base cost of its transaction; every time is set."""

from __future__ import annotations

import pytest

from tests.chain.helpers.signed import DAY, SIGNERS, WAD, market_round, post

#: Seconds between two rounds.
STEP = 60
START = 1_900_000_000
EXPIRIES = tuple(START + days * DAY for days in (3, 10, 30, 90, 180, 270))
GAS = {
    "no expiry": 33_789,
    "first expiry": 58_154,
    "next expiry": 22_003,
    "six expiries": 168_171,
    "in the window": 56_500,
    "token price": 23_979,
}


@pytest.fixture(scope="module")
def world(Authority, Oracle, accounts, chain):
    authority = accounts[0].deploy(Authority, accounts[0])
    oracle = accounts[0].deploy(Oracle, authority, 7_200, WAD // 4, 7 * WAD // 10)
    oracle.setSigners([SIGNERS[0].address], 1, {"from": accounts[0]})
    return oracle, accounts[0], chain


def net(receipt):
    """Gas without the base cost."""
    data = bytes.fromhex(receipt.input[2:])
    zeros = data.count(0)
    return receipt.gas_used - 21_000 - 4 * zeros - 16 * (len(data) - zeros)


def posted(world, ts, function, message):
    oracle, admin, chain = world
    chain.sleep(ts - chain.time())
    chain.mine()
    return net(post(oracle, function, message, admin, signers=SIGNERS[:1]))


def test_gas_oracle__every_message__as_recorded(world):
    ts, found = START, {}

    def a_round(count, at, **changed):
        return posted(world, at, "postRound", market_round(at, EXPIRIES[:count], **changed))

    for _ in range(2):
        ts += STEP
        a_round(6, ts)
    for name, count in (("no expiry", 0), ("first expiry", 1), ("six expiries", 6)):
        # The round before is of the same expiries: all are as old as the last round.
        a_round(count, ts + STEP)
        ts += 2 * STEP
        found[name] = a_round(count, ts)
    found["next expiry"] = (found["six expiries"] - found["first expiry"]) // 5
    for left in (900, 900 - STEP):
        found["in the window"] = a_round(1, EXPIRIES[0] - left, meanWad=1_901 * WAD)
    for left in (300, 300 - STEP):
        message = {"ts": EXPIRIES[0] - left, "tokenIds": [0], "pricesWad": [WAD]}
        found["token price"] = posted(world, message["ts"], "postTokenPrices", message)
    assert found == GAS
    assert found["first expiry"] <= 90_000
