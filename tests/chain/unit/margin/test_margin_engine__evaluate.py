"""MarginEngine.evaluate: modes, charges and states on a book simple enough for mental arithmetic."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import CROSS, PERP, SINGLE, STANDARD

HEALTHY, MARGIN_CALL, LIQUIDATABLE, INSOLVENT = range(4)
# One perpetual at 1,900: the range of 0.189, at every node below it the same, plus basis 0.002.
SCAN, NETTED = 0.189 * 1_900, 0.191 * 1_900
DEBT_RATE = 0.003


def perps(quantity, entry=1_900):
    price = entry * 10**8 << 128
    return PERP | price | (quantity * WAD) % 2**128


def snapshot(cash=0, quantity=1, mode=SINGLE, weth=0):
    tokens, amounts = ([1], [weth * WAD]) if weth else ([], [])
    return (mode, cash * WAD, tokens, amounts, [perps(quantity)] if quantity else [])


@pytest.mark.parametrize("mode", [SINGLE, CROSS, STANDARD])
def test_evaluate__one_perp__requirement_is_the_same_in_every_mode(stack, mode):
    _, equity, market, _, im, mm, debt, _ = stack.engine.evaluate(snapshot(1_000, mode=mode))
    assert equity == market == 1_000 * WAD
    assert im / WAD == pytest.approx(NETTED, rel=1e-9)
    assert mm / WAD == pytest.approx(NETTED * 0.8, rel=1e-9)
    assert debt == 0


@pytest.mark.parametrize("mode", [SINGLE, CROSS, STANDARD])
def test_evaluate__two_opposite_perps__are_netted_but_in_standard(stack, mode):
    im = stack.engine.evaluate((mode, 1_000 * WAD, [], [], [perps(1), perps(-1, 1_901)]))[4]
    assert im / WAD == pytest.approx(2 * NETTED if mode == STANDARD else 0.0, rel=1e-9)


@pytest.mark.parametrize("mode", [SINGLE, CROSS, STANDARD])
def test_evaluate__debt__is_charged_once_and_scaled_like_the_requirement(stack, mode):
    margin = stack.engine.evaluate(snapshot(-1_000, mode=mode, weth=2))
    alone = stack.engine.evaluate(snapshot(0, mode=mode, weth=2))
    assert margin[6] / WAD == pytest.approx(DEBT_RATE * 1_000, rel=1e-12)
    assert (margin[4] - alone[4]) / WAD == pytest.approx(DEBT_RATE * 1_000, rel=1e-9)
    assert (margin[5] - alone[5]) / WAD == pytest.approx(0.8 * DEBT_RATE * 1_000, rel=1e-9)
    assert alone[6] == 0


def test_evaluate__linked_collateral__offsets_the_scan_and_carries_the_smaller_haircut(stack):
    _, equity, market, _, im, _, _, parts = stack.engine.evaluate(snapshot(0, quantity=-1, weth=1))
    assert equity / WAD == pytest.approx(0.98 * 1_900)
    assert market == 1_900 * WAD
    assert parts[0][1] == 0
    assert im / WAD == pytest.approx(0.002 * 1_900, rel=1e-9)


def test_evaluate__linked_collateral_in_standard__is_valued_as_after_a_fall_and_offsets_nothing(stack):
    _, equity, market, _, im, _, _, _ = stack.engine.evaluate(snapshot(0, quantity=-1, weth=1, mode=STANDARD))
    # The smaller haircut of 0.02 and the range of 0.189 are more than the full haircut of 0.2.
    assert equity / WAD == pytest.approx((1 - 0.209) * 1_900)
    assert market == 1_900 * WAD
    assert im / WAD == pytest.approx(NETTED, rel=1e-9)


def test_evaluate__linked_collateral__follows_the_round_and_nothing_else(stack):
    stack.price(1_800)
    assert stack.engine.evaluate(snapshot(0, quantity=0, weth=1))[2] == 1_800 * WAD
    with reverts_with("Oracle__NoTokenPrice", 1):
        stack.oracle.tokenPriceOf(1)


def test_evaluate__low_confidence__adds_the_charge_to_initial_only(stack):
    stack.price(1_900, confWad=WAD // 2)
    _, _, _, _, im, mm, _, _ = stack.engine.evaluate(snapshot(1_000))
    assert im / WAD == pytest.approx(NETTED + 0.5 * 1_900, rel=1e-9)
    assert mm / WAD == pytest.approx(0.8 * NETTED, rel=1e-9)


@pytest.mark.parametrize(
    ("cash", "state"), [(363, HEALTHY), (362, MARGIN_CALL), (291, MARGIN_CALL), (290, LIQUIDATABLE), (-1, INSOLVENT)]
)
def test_evaluate__around_the_limits__state(stack, cash, state):
    assert stack.engine.evaluate(snapshot(cash))[0] == state


def test_evaluate__cash_only__needs_no_round(stack, chain):
    chain.sleep(30 * 86_400)
    chain.mine()
    assert stack.engine.evaluate(snapshot(5, quantity=0))[1] == 5 * WAD
    with reverts_with("Oracle__Stale"):
        stack.engine.evaluate(snapshot(5))


def test_evaluate__malformed__reverts(stack):
    with reverts_with("MarginEngine__UnknownMode", 3, 2):
        stack.engine.evaluate(snapshot(mode=3))
    with reverts_with("MarginEngine__BadLength", 0, 1):
        stack.engine.evaluate((SINGLE, 0, [1], [], []))
    with reverts_with("MarginEngine__TooManyPositions", 129, 128):
        stack.engine.evaluate((SINGLE, 0, [], [], [perps(1)] * 129))
    with reverts_with("ScenarioBook__UnknownToken", 7):
        stack.engine.evaluate((SINGLE, 0, [7], [WAD], []))


def test_evaluate_detailed__rows__are_weighted_and_worst_is_lowest(stack):
    (margin, details) = stack.engine.evaluateDetailed(snapshot(1_000))
    rows, delta = details[0][0], details[0][1]
    assert len(rows) == 15 + 6 + 14
    worst = margin[7][0][10]
    assert float(rows[worst]) == pytest.approx(float(min(rows)), rel=1e-15)
    assert -rows[worst] / WAD == pytest.approx(SCAN, rel=1e-9)
    # The grid from the lowest price up, every price in three vol states; the tails likewise; the skew pairs by place.
    assert [row / WAD for row in rows[0:15:3]] == pytest.approx([n * SCAN for n in (-1, -0.4, 0, 0.4, 1)], abs=1e-6)
    assert [row / WAD for row in rows[15:21]] == pytest.approx([-SCAN] * 3 + [SCAN] * 3, rel=1e-8)
    assert delta == WAD
