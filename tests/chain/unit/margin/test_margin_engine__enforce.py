"""MarginEngine.enforce and preview: below the limit only what lowers the risk passes."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import PERP

KEEP_MODE = 255


@pytest.fixture
def pair(stack, trader):
    return stack.open(trader, 1_000), stack.open(trader, 100_000)


def test_enforce__above_initial__passes_without_looking_back(stack, pair):
    before = stack.accounts.snapshotOf(pair[0])
    stack.trade(*pair, 2, 1_900)
    # A nonsense past would revert, if it were read.
    stack.engine.enforce(pair[0], (9, *before[1:]))


def test_enforce__more_risk_below_initial__reverts_BelowInitial(stack, pair):
    before = stack.accounts.snapshotOf(pair[0])
    stack.trade(*pair, 3, 1_900)
    margin = stack.margin(pair[0])
    with reverts_with("MarginEngine__BelowInitial", margin.equity, margin.initial):
        stack.engine.enforce(pair[0], before)


def test_enforce__less_risk_below_initial__passes(stack, pair):
    stack.trade(*pair, 5, 1_900)
    before = stack.accounts.snapshotOf(pair[0])
    stack.trade(*reversed(pair), 1, 1_900)
    margin = stack.margin(pair[0])
    assert margin.equity < margin.initial
    stack.engine.enforce(pair[0], before)


def test_enforce__closing_at_a_loss_beyond_the_equity__reverts_BelowInitial(stack, pair):
    stack.trade(*pair, 5, 1_900)
    before = stack.accounts.snapshotOf(pair[0])
    then = stack.margin(pair[0])
    stack.trade(*reversed(pair), 5, 1_600)
    assert then.equity - then.initial < -500 * WAD  # the excess rose, and yet
    with reverts_with("MarginEngine__BelowInitial", -500 * WAD, 0):
        stack.engine.enforce(pair[0], before)


def test_enforce__stale_feed__stops_only_who_owes(stack, pair, trader, chain):
    saver = stack.open(trader, 5)
    stack.trade(*pair, 1, 1_900)
    chain.sleep(8 * 86_400)
    chain.mine()
    nothing = (0, 0, [], [], [])
    stack.engine.enforce(saver, nothing)
    with reverts_with("Oracle__Stale"):
        stack.engine.enforce(pair[0], nothing)


def test_require_collateral__listed_and_priced__passes(stack):
    stack.engine.requireCollateral(1)


def test_require_collateral__unlisted_or_unpriced__reverts(stack):
    with reverts_with("ScenarioBook__UnknownToken", 7):
        stack.engine.requireCollateral(7)
    stack.book.setCollateral(7, (True, 0, 0, 0, 0), {"from": stack.admin})
    with reverts_with("Oracle__NoTokenPrice", 7):
        stack.engine.requireCollateral(7)


def test_preview__trade__equals_the_account_after_it(stack, pair):
    change = PERP | 1_900 * 10**8 << 128 | 2 * WAD
    was, then, rows_was, rows_then = stack.engine.preview(pair[0], (KEEP_MODE, 0, [], [], [change]))
    assert was[4] == 0
    assert len(rows_was) == 0
    assert len(rows_then[0][0]) == 39
    stack.trade(*pair, 2, 1_900)
    margin = stack.margin(pair[0])
    assert (then[1], then[4], then[5]) == (margin.equity, margin.initial, margin.maintenance)


def test_preview__negative_collateral__reverts_NegativeAmount(stack, pair):
    with reverts_with("MarginEngine__NegativeAmount", 1, -WAD):
        stack.engine.preview(pair[0], (KEEP_MODE, 0, [1], [-WAD], []))
