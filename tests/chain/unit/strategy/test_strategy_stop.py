"""When trading stops, and how positions are closed without a trader key."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.stack import PERP
from tests.chain.helpers.strategy import AHEAD_SEC, RETURNED, WEEK, call

WAD = 10**18


@pytest.fixture
def losing(running):
    """A vault whose shares are worth 0.77, held in perpetuals and short calls."""
    running.trade(1_000, 1_900.0)
    running.trade(-100, 55.0, call(running.expiry, 2_000))
    running.round(1_670)
    return running


def test_stop__price_above_the_floor__refused(running):
    house = running
    house.trade(1_000, 1_900.0)
    house.round(1_705)
    price, _, floor = house.strategy.priceNow()
    assert floor == 8 * WAD // 10 < price
    with reverts_with("StrategyVault__NotDue", price, floor):
        house.strategy.stop({"from": house.stranger})


def test_stop__price_below_the_floor__anybody_ends_the_grant(losing):
    house = losing
    assert house.price() < 8 * WAD // 10
    house.strategy.stop({"from": house.stranger})
    assert house.strategy.isStopped()
    assert int(house.strategy.trader(), 16) == 0
    with reverts_with("Delegation__NotDelegate"):
        house.trade(-1, 1_670.0)
    for function in ("stop", "renew"):
        with reverts_with("StrategyVault__IsStopped"):
            getattr(house.strategy, function)({"from": house.stranger})
    for function, arguments in (("setTrader", (house.key,)), ("halt", ())):
        with reverts_with("StrategyVault__IsStopped"):
            getattr(house.strategy, function)(*arguments, {"from": house.stack.admin})


def test_stop__highest_price__the_floor_follows_it_up(running):
    house = running
    house.trade(1_000, 1_900.0)
    house.ask_in(house.bert, 1)
    house.settle(2_100)
    _, high, floor = house.strategy.priceNow()
    assert high > WAD
    assert 0 <= high * 8 // 10 - floor < 10**12
    house.round(1_950)
    assert WAD < house.price() < floor + 10**17
    house.round(1_840)
    house.strategy.stop({"from": house.stranger})


def test_settle__price_below_the_floor__stops_and_returns_deposits(losing):
    house = losing
    house.ask_in(house.bert, 1_000)
    house.settle()
    assert house.strategy.isStopped()
    assert house.epoch(2).status == RETURNED


def test_stop__redemption_unpaid_for_a_week__anybody_ends_the_grant(running):
    house = running
    house.trade(-1_000, 1_900.0)
    house.ask_out(house.anna)
    house.settle()
    assert house.epoch(2).left > 0
    with reverts_with("StrategyVault__NotDue"):
        house.strategy.stop({"from": house.stranger})
    house.stack.chain.sleep(WEEK + AHEAD_SEC + 1)
    house.strategy.stop({"from": house.stranger})
    assert house.strategy.isStopped()


def test_stop__round_stale_and_redemption_unsettled_for_a_week__needs_no_price(running):
    house = running
    house.trade(-10, 1_900.0)
    house.ask_out(house.anna)
    house.stack.chain.sleep(WEEK + AHEAD_SEC + 10)
    house.stack.chain.mine()
    with reverts_with("Oracle__Stale"):
        house.stack.engine.marginOf(house.id)
    house.strategy.stop({"from": house.stranger})
    house.strategy.cancelRedeem(house.anna, house.anna, {"from": house.anna})


def test_halt__governance__stops_without_a_price(running):
    running.stack.chain.sleep(WEEK + AHEAD_SEC + 1)
    running.strategy.halt({"from": running.stack.admin})
    assert running.strategy.isStopped()


def test_resume__governance__from_the_price_of_now(losing):
    house = losing
    with reverts_with("StrategyVault__NotStopped"):
        house.strategy.resume({"from": house.stack.admin})
    house.strategy.stop({"from": house.stranger})
    house.strategy.resume({"from": house.stack.admin})
    price, high, floor = house.strategy.priceNow()
    assert floor == price * 8 // 10
    assert high >= WAD
    house.strategy.setTrader(house.key, {"from": house.stack.admin})
    house.trade(-1, 1_670.0)
    with reverts_with("StrategyVault__NotDue"):
        house.strategy.stop({"from": house.stranger})


def test_close__not_stopped__refused(running):
    house = running
    house.trade(10, 1_900.0)
    with reverts_with("StrategyCloser__NotStopped"):
        house.stack.closer.close(house.strategy, *house.offer([(PERP, True, WAD, 1_900 * WAD)]), {"from": house.carl})


def test_close__at_the_mark__anybody_brings_the_quote_and_all_is_paid(losing):
    house = losing
    house.strategy.stop({"from": house.stranger})
    calls = call(house.expiry, 2_000)
    mark = house.stack.engine.marginOf(house.id)[3] - 1_000 * (1_670 - 1_900) * WAD
    legs = [(PERP, True, 1_000 * WAD, 1_670 * WAD), (calls, False, 100 * WAD, -mark // 100 + 10**12)]
    before = house.value()
    house.stack.closer.close(house.strategy, *house.offer(legs), {"from": house.carl})
    after = house.value()
    assert after.is_flat
    assert after.cost == 0
    assert after.exit >= before.exit
    paid = house.leave(house.anna)
    assert 0 <= after.exit - paid <= 1


def test_close__dearer_than_the_cost_it_saves__refused_to_the_wei_step(losing):
    house = losing
    house.strategy.stop({"from": house.stranger})
    # A tenth of a per cent of notional is what closing is taken to cost.
    saved = 1_670 * WAD // 1_000
    cheap = house.offer([(PERP, True, 10 * WAD, 1_670 * WAD - saved - 10**10)])
    with reverts_with("StrategyCloser__CostsMore"):
        house.stack.closer.close(house.strategy, *cheap, {"from": house.carl})
    fair = house.offer([(PERP, True, 10 * WAD, 1_670 * WAD - saved + 10**10)])
    house.stack.closer.close(house.strategy, *fair, {"from": house.carl})


def test_close__more_than_is_held_or_the_other_side__refused(losing):
    house = losing
    house.strategy.stop({"from": house.stranger})
    for legs, limit in (
        ([(PERP, True, 1_001 * WAD, 1_700 * WAD)], 1_000 * WAD),
        ([(PERP, False, WAD, 1_600 * WAD)], 0),
        ([(call(house.expiry, 2_200), True, WAD, 100 * WAD)], 0),
    ):
        with reverts_with("StrategyCloser__NotReducing", legs[0][2], limit):
            house.stack.closer.close(house.strategy, *house.offer(legs), {"from": house.carl})


def test_close__somebody_who_lies_about_the_account__refused(losing):
    house = losing
    house.strategy.stop({"from": house.stranger})
    liar = house.stack.admin.deploy(house.stack.project.StrategyLiar, house.id)
    gift = house.offer([(PERP, True, 1_000 * WAD, 10**10)])
    with reverts_with("StrategyCloser__NotOwner", liar.address.lower(), house.strategy.address.lower()):
        house.stack.closer.close(liar, *gift, {"from": house.carl})
    assert house.usdc.balanceOf(house.strategy) == 0
