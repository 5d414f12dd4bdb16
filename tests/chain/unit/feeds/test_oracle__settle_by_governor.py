"""Oracle.settleByGovernor: the last way out, a day after the expiry and near what was last known."""

from __future__ import annotations

import math

import pytest

from tests.chain.helpers.errors import reverts_naming, reverts_with
from tests.chain.helpers.signed import DAY, WAD, market_round, post

#: Forward of the series' last round, spot of the latest one, and the factor of the speed limit.
FORWARD, SPOT, FACTOR = 1_905, 2_000, math.exp(0.25)


@pytest.fixture
def expiry(oracle, relayer, chain):
    """A series that no round of its window lists, a day and a minute after its expiry."""
    expiry_ts = chain.time() + 100
    post(oracle, "postRound", market_round(expiry_ts - 1_800, (expiry_ts,)), relayer)
    chain.sleep(DAY + 160)
    chain.mine()
    post(oracle, "postRound", market_round(chain[-1].timestamp, spotWad=SPOT * WAD), relayer)
    return expiry_ts


def test_settle_by_governor__within_reach__fixes_the_price(oracle, admin, expiry):
    tx = oracle.settleByGovernor(1, expiry, 1_950 * WAD, {"from": admin})
    assert (tx.events["SettlementPosted"]["priceWad"], tx.events["SettlementPosted"]["source"]) == (1_950 * WAD, 3)
    assert oracle.settlementPriceOf(1, expiry) == 1_950 * WAD
    with reverts_with("Oracle__AlreadySettled", 1, expiry):
        oracle.settleByGovernor(1, expiry, 1_950 * WAD, {"from": admin})


@pytest.mark.parametrize(("inside", "outside"), [(0.1, -0.1), (-0.1, 0.1)], ids=["low", "high"])
def test_settle_by_governor__out_of_reach__reverts_OutOfDomain(oracle, admin, expiry, inside, outside):
    edge = FORWARD / FACTOR if inside > 0 else SPOT * FACTOR
    with reverts_naming("Oracle__OutOfDomain", "settlement"):
        oracle.settleByGovernor(1, expiry, int((edge + outside) * WAD), {"from": admin})
    oracle.settleByGovernor(1, expiry, int((edge + inside) * WAD), {"from": admin})


def test_settle_by_governor__within_a_day__reverts_TooEarly(oracle, relayer, admin, chain):
    expiry_ts = chain.time() + 100
    post(oracle, "postRound", market_round(expiry_ts - 1_800, (expiry_ts,)), relayer)
    chain.sleep(DAY)
    chain.mine()
    with reverts_with("Oracle__TooEarly"):
        oracle.settleByGovernor(1, expiry_ts, 1_900 * WAD, {"from": admin})


def test_settle_by_governor__zero_or_never_listed_or_stranger__reverts(oracle, relayer, admin, expiry):
    with reverts_naming("Oracle__OutOfDomain", "settlement"):
        oracle.settleByGovernor(1, expiry, 0, {"from": admin})
    with reverts_with("Oracle__ExpiryNotInRound", 1, expiry - 1):
        oracle.settleByGovernor(1, expiry - 1, 1_900 * WAD, {"from": admin})
    with reverts_with("AccessManagedUnauthorized"):
        oracle.settleByGovernor(1, expiry, 1_900 * WAD, {"from": relayer})
