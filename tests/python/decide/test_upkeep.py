"""What anybody may call: ranges once an hour and at the ends of days, queues that can pay, shares after the loss."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plimsoll.constants import DAY_SEC
from plimsoll.decide import (
    PayRequests,
    QueueState,
    RangeState,
    Recalibrate,
    ReleaseShare,
    ShareState,
    UpkeepView,
    decide_upkeep,
)

NOON = 20_000 * DAY_SEC + DAY_SEC // 2
MIDNIGHT = 20_001 * DAY_SEC
SEEN = RangeState("ETH", NOON + 60, 2_000.0, NOON, 1_990.0, 2_010.0)


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ({}, False),
        ({"round_ts": NOON}, False),
        ({"round_ts": NOON + 3_599}, False),
        ({"round_ts": NOON + 3_600}, True),
        ({"seen_ts": 0}, True),
        ({"spot": 2_030.0}, False),
        ({"spot": 2_031.0}, True),
        ({"spot": 1_970.0}, True),
        ({"seen_ts": MIDNIGHT - 1_200, "round_ts": MIDNIGHT - 601}, False),
        ({"seen_ts": MIDNIGHT - 1_200, "round_ts": MIDNIGHT - 600}, True),
        ({"seen_ts": MIDNIGHT - 600, "round_ts": MIDNIGHT - 10}, False),
        ({"seen_ts": MIDNIGHT - 10, "round_ts": MIDNIGHT + 5}, True),
    ],
)
def test_decide_upkeep__round__is_shown_to_the_rule_when_it_tells_something(change, due):
    state = replace(SEEN, **change)
    expected = (Recalibrate("ETH", state.round_ts),) if due else ()
    assert decide_upkeep(UpkeepView(NOON, (state,))) == expected


def test_decide_upkeep__queue__is_paid_only_while_it_pays():
    queues = (QueueState("WETH", 4, 10, 0), QueueState("USDC", 7, 50, 20))
    assert decide_upkeep(UpkeepView(NOON, queues=queues)) == (PayRequests("USDC", 7, 50),)
    assert PayRequests("USDC", 7, 50).key != PayRequests("USDC", 7, 30).key


def test_decide_upkeep__shares__wait_until_no_loss_is_open():
    view = UpkeepView(NOON, shares=(ShareState(9, 5, 1), ShareState(3, 0, 0)), is_loss_open=True)
    assert decide_upkeep(view) == ()
    assert decide_upkeep(replace(view, is_loss_open=False)) == (ReleaseShare(9, 1),)
