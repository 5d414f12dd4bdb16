"""Oracle.setLimits: governance only, every limit inside its interval."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD

WEEK = 7 * 86_400
GOOD = (60, WAD // 10, WAD // 5)


def test_set_limits__good__are_shown(oracle, admin):
    tx = oracle.setLimits(*GOOD, {"from": admin})
    assert tuple(tx.events["LimitsSet"].values()) == GOOD
    assert (oracle.heartbeatSec(), oracle.maxMoveWad(), oracle.maxVarianceMoveWad()) == GOOD
    # The threshold shares their word.
    assert oracle.threshold() == 2


@pytest.mark.parametrize(
    ("place", "value", "limit"),
    [
        *((0, 0, WEEK), (0, WEEK + 1, WEEK), (1, 0, 10 * WAD), (1, 10 * WAD + 1, 10 * WAD)),
        *((2, 0, 10 * WAD), (2, 10 * WAD + 1, 10 * WAD)),
    ],
)
def test_set_limits__outside__reverts_BadLimit(oracle, admin, place, value, limit):
    values = [*GOOD[:place], value, *GOOD[place + 1 :]]
    with reverts_with("Oracle__BadLimit", value, limit):
        oracle.setLimits(*values, {"from": admin})


def test_set_limits__stranger__reverts(oracle, relayer):
    with reverts_with("AccessManagedUnauthorized"):
        oracle.setLimits(*GOOD, {"from": relayer})
