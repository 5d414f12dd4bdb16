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


def test_preview__trade__equals_the_account_after_it(stack, pair):
    change = PERP | 1_900 * 10**8 << 128 | 2 * WAD
    was, then, rows_was, rows_then = stack.engine.preview(pair[0], (KEEP_MODE, 0, [], [], [change]))
    assert was[4] == 0
    assert len(rows_was) == 0
    assert len(rows_then[0][0]) == 31
    stack.trade(*pair, 2, 1_900)
    margin = stack.margin(pair[0])
    assert (then[1], then[4], then[5]) == (margin.equity, margin.initial, margin.maintenance)


def test_preview__negative_collateral__reverts_NegativeAmount(stack, pair):
    with reverts_with("MarginEngine__NegativeAmount", 1, -WAD):
        stack.engine.preview(pair[0], (KEEP_MODE, 0, [1], [-WAD], []))
