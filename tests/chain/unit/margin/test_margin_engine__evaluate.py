"""MarginEngine.evaluate: modes, charges and states on a book simple enough for mental arithmetic."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import CROSS, PERP, SINGLE, STANDARD

HEALTHY, MARGIN_CALL, LIQUIDATABLE, INSOLVENT = range(4)
# One perpetual at 1,900: tail 3 * 0.18 * 0.35 beats the grid, plus basis 0.002.
SCAN, NETTED = 0.189 * 1_900, 0.191 * 1_900


def perps(quantity, entry=1_900):
    price = entry * 10**8 << 128
    return PERP | price | (quantity * WAD) % 2**128


def snapshot(cash=0, quantity=1, mode=SINGLE, weth=0):
    tokens, amounts = ([1], [weth * WAD]) if weth else ([], [])
    return (mode, cash * WAD, tokens, amounts, [perps(quantity)] if quantity else [])


@pytest.mark.parametrize(("mode", "initial"), [(SINGLE, NETTED), (CROSS, NETTED), (STANDARD, 190.0)])
def test_evaluate__one_perp__requirement_by_mode(stack, mode, initial):
    _, equity, market, _, im, mm, _ = stack.engine.evaluate(snapshot(1_000, mode=mode))
    assert equity == market == 1_000 * WAD
    assert im / WAD == pytest.approx(initial, rel=1e-9)
    assert mm / WAD == pytest.approx(initial * (0.65 if mode == STANDARD else 0.8), rel=1e-9)


def test_evaluate__linked_collateral__offsets_the_scan_and_carries_the_smaller_haircut(stack):
    _, equity, market, _, im, _, parts = stack.engine.evaluate(snapshot(0, quantity=-1, weth=1))
    assert equity / WAD == pytest.approx(0.98 * 1_900)
    assert market == 1_900 * WAD
    assert parts[0][1] == 0
    assert im / WAD == pytest.approx(0.002 * 1_900, rel=1e-9)
    standard = stack.engine.evaluate(snapshot(0, quantity=-1, weth=1, mode=STANDARD))
    assert standard[1] / WAD == pytest.approx(0.8 * 1_900)


def test_evaluate__low_confidence__adds_the_charge_to_initial_only(stack):
    stack.price(1_900, confWad=WAD // 2)
    _, _, _, _, im, mm, _ = stack.engine.evaluate(snapshot(1_000))
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
    assert len(rows) == 31
    assert min(rows) == rows[margin[6][0][8]] == rows[30]
    assert -rows[30] / WAD == pytest.approx(SCAN, rel=1e-9)
    assert delta == WAD
