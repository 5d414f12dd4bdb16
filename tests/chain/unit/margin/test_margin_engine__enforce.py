"""MarginEngine.enforce and preview: below the limit only what lowers the risk, at the cost of an honest close."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD, post
from tests.chain.helpers.stack import ACCOUNT, PERP

KEEP_MODE = 255
#: What one perpetual at 1,900 needs, and a tenth of it: what closing it may cost.
NEED, CLOSE = 362_900 * WAD // 1_000, 36_290 * WAD // 1_000
#: Place of closeShareWad among the account's parameters.
CLOSE_SHARE = 8


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


def closed(stack, pair, held, quantity, price):
    """Open ``held`` perpetuals at 1,900 unchecked, close some at a price; return the account as it was between."""
    stack.trade(*pair, held, 1_900)
    before = stack.accounts.snapshotOf(pair[0])
    stack.trade(*reversed(pair), quantity, price)
    return before


def share_of_all(stack):
    """Let a close cost all of the margin that it sets free."""
    params = (*ACCOUNT[:CLOSE_SHARE], WAD, *ACCOUNT[CLOSE_SHARE + 1 :])
    stack.book.setAccountParams(params, {"from": stack.admin})


@pytest.mark.parametrize("held", [3, 5])
def test_enforce__closing_within_the_share__passes(stack, pair, held):
    """Three perpetuals on 1,000 are a margin call, five are liquidatable."""
    before = closed(stack, pair, held, 1, 1_864)
    stack.engine.enforce(pair[0], before)


@pytest.mark.parametrize(("held", "price"), [(3, 1_600), (5, 1_863)])
def test_enforce__giving_equity_away__reverts_EquityFell(stack, pair, held, price):
    """Whoever has the initial margin again after a close may have paid for it what he likes."""
    before = closed(stack, pair, held, 1, price)
    with reverts_with("MarginEngine__EquityFell"):
        stack.engine.enforce(pair[0], before)


def test_enforce__the_error_names_what_was_lost_and_what_may_be(stack, pair):
    before = closed(stack, pair, 5, 1, 1_800)
    then = stack.engine.evaluate(before)
    now = stack.margin(pair[0])
    assert int(then[4]) - now.initial == pytest.approx(NEED, rel=1e-9)
    freed = (int(then[4]) - now.initial) // 10
    with reverts_with("MarginEngine__EquityFell", 100 * WAD, freed):
        stack.engine.enforce(pair[0], before)


def test_enforce__a_wei_less_at_the_same_risk__reverts_EquityFell(stack, pair):
    stack.trade(*pair, 3, 1_900)
    before = stack.accounts.snapshotOf(pair[0])
    stack.accounts.debitToken(pair[0], 0, 1, {"from": stack.admin})
    with reverts_with("MarginEngine__EquityFell", 1, 0):
        stack.engine.enforce(pair[0], before)


def test_enforce__from_a_margin_call_below_maintenance__reverts_BelowMaintenance(stack, pair):
    share_of_all(stack)
    stack.accounts.debitToken(pair[0], 0, 120 * WAD, {"from": stack.admin})
    before = closed(stack, pair, 3, 1, 1_580)
    with reverts_with("MarginEngine__BelowMaintenance"):
        stack.engine.enforce(pair[0], before)
    now = stack.margin(pair[0])
    assert now.equity < now.maintenance
    stack.accounts.creditToken(pair[0], 0, now.maintenance - now.equity, {"from": stack.admin})
    stack.engine.enforce(pair[0], before)


def test_enforce__liquidatable_and_further_below__reverts_BelowMaintenance(stack, pair):
    share_of_all(stack)
    before = closed(stack, pair, 5, 1, 1_600)
    then, now = stack.engine.evaluate(before), stack.margin(pair[0])
    over = [int(then[1]) - int(then[5]), now.equity - now.maintenance]
    assert over[1] < over[0] < 0
    with reverts_with("MarginEngine__BelowMaintenance", over[1], over[0]):
        stack.engine.enforce(pair[0], before)


def test_enforce__closing_into_insolvency__reverts(stack, pair):
    """Margin set free does not pay for a hole, even where the share would let it."""
    share_of_all(stack)
    before = closed(stack, pair, 5, 5, 1_612)
    now = stack.margin(pair[0])
    then = stack.engine.evaluate(before)
    assert now.market < 0 < int(then[2])
    assert now.equity - now.maintenance > int(then[1]) - int(then[5])
    with reverts_with("MarginEngine__BelowInitial", now.equity, now.initial):
        stack.engine.enforce(pair[0], before)


def test_enforce__after_the_requirement_rose__closing_at_a_fair_price_passes_and_giving_away_does_not(stack, pair):
    """A charge for doubt raises the requirement of who did nothing; what he may lose does not rise with it."""
    stack.trade(*pair, 2, 1_900)
    stack.price(1_900, confWad=WAD // 2)
    margin = stack.margin(pair[0])
    assert margin.maintenance < margin.equity < margin.initial
    before = stack.accounts.snapshotOf(pair[0])
    stack.trade(*reversed(pair), 1, 1_900)
    stack.engine.enforce(pair[0], before)
    # A tenth of what a perpetual needs and of the charge for it: 131.29.
    stack.accounts.debitToken(pair[0], 0, 140 * WAD, {"from": stack.admin})
    with reverts_with("MarginEngine__EquityFell"):
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


def test_require_collateral__linked_with_a_round__passes(stack):
    stack.engine.requireCollateral(1)


def test_require_collateral__linked_and_the_round_is_stale__reverts_Stale(stack, chain):
    chain.sleep(8 * 86_400)
    chain.mine()
    with reverts_with("Oracle__Stale"):
        stack.engine.requireCollateral(1)


def test_require_collateral__unlisted_unpriced_or_stale__reverts(stack, chain):
    with reverts_with("ScenarioBook__UnknownToken", 7):
        stack.engine.requireCollateral(7)
    stack.book.setCollateral(7, (True, 0, 0, 0, 0), {"from": stack.admin})
    with reverts_with("Oracle__NoTokenPrice", 7):
        stack.engine.requireCollateral(7)
    post_token(stack, 7, 5)
    stack.engine.requireCollateral(7)
    chain.sleep(8 * 86_400)
    chain.mine()
    with reverts_with("Oracle__Stale"):
        stack.engine.requireCollateral(7)


def post_token(stack, token_id, price):
    """Post the price of an unlinked token."""
    prices = {"ts": stack.chain[-1].timestamp, "tokenIds": [token_id], "pricesWad": [price * WAD]}
    post(stack.oracle, "postTokenPrices", prices, stack.admin)


def test_preview__trade__equals_the_account_after_it(stack, pair):
    change = PERP | 1_900 * 10**8 << 128 | 2 * WAD
    was, then, rows_was, rows_then = stack.engine.preview(pair[0], (KEEP_MODE, 0, [], [], [change]))
    assert was[4] == 0
    assert len(rows_was) == 0
    assert len(rows_then[0][0]) == 35
    stack.trade(*pair, 2, 1_900)
    margin = stack.margin(pair[0])
    assert (then[1], then[4], then[5]) == (margin.equity, margin.initial, margin.maintenance)


def test_preview__negative_collateral__reverts_NegativeAmount(stack, pair):
    with reverts_with("MarginEngine__NegativeAmount", 1, -WAD):
        stack.engine.preview(pair[0], (KEEP_MODE, 0, [1], [-WAD], []))
