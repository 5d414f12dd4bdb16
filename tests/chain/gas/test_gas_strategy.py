"""Gas of a strategy vault, to the unit: requests, a settlement of an account of 16 options, claims."""

from __future__ import annotations

import brownie
import pytest
from brownie import accounts, chain

from tests.chain.helpers.strategy import RAW, build_house, call

OPTIONS = 16
GAS = {
    "request deposit": 146_629,
    "request redeem": 142_251,
    "settle, cash alone": 236_045,
    "settle, 16 options, entries and exits": 1_171_660,
    "claim shares": 66_118,
    "claim assets": 50_875,
    "renew": 234_486,
}


@pytest.fixture(scope="module")
def measured():
    house = build_house(brownie.project.get_loaded_projects()[0], accounts[0], chain)
    strategy, used = house.strategy, {}
    house.ask_in(house.anna, 1_000_000)
    house.round()
    used["settle, cash alone"] = strategy.settle({"from": house.stranger}).gas_used
    used["claim shares"] = strategy.deposit(10**6 * RAW, house.anna, house.anna, {"from": house.anna}).gas_used
    used["renew"] = strategy.renew({"from": house.stranger}).gas_used
    for number in range(OPTIONS):
        strike = 1_600 + 50 * number
        house.stack.trade(house.friend_id, house.id, 1, 10, instrument=call(house.expiry, strike))
    request = strategy.requestDeposit(5 * RAW, house.bert, house.bert, {"from": house.bert})
    used["request deposit"] = request.gas_used
    shares = strategy.balanceOf(house.anna) // 2
    used["request redeem"] = strategy.requestRedeem(shares, house.anna, house.anna, {"from": house.anna}).gas_used
    house.round()
    used["settle, 16 options, entries and exits"] = strategy.settle({"from": house.stranger}).gas_used
    used["claim assets"] = strategy.redeem(shares, house.anna, house.anna, {"from": house.anna}).gas_used
    return used


def test_gas_strategy__every_step__as_recorded(measured):
    assert measured == GAS
