"""The fee: a part of what a share gained above its highest price, minted before anybody enters or leaves."""

from __future__ import annotations

import brownie
import pytest
from brownie import accounts, chain

from tests.chain.helpers.strategy import FEE, RAW, VIRTUAL, build_house

WAD = 10**18


@pytest.fixture(scope="module")
def house():
    """An empty vault that takes a tenth of gains."""
    return build_house(brownie.project.get_loaded_projects()[0], accounts[0], chain)


def price_of(exit_raw, supply):
    """Price of a share on the way out, as the library has it."""
    return (exit_raw + 1) * VIRTUAL * WAD // (supply + VIRTUAL)


def shares_of(exit_raw, supply, high):
    """Shares of the fee, as the library has them."""
    gain = (price_of(exit_raw, supply) - high) * supply // (VIRTUAL * WAD)
    fee = gain * FEE // WAD
    return fee * (supply + VIRTUAL) // (exit_raw + 1 - fee)


def test_fee__gain__is_a_tenth_of_it_in_new_shares(running):
    house = running
    house.trade(100, 1_900.0)
    house.ask_in(house.bert, 1)
    house.round(2_000)
    exit_raw, supply, high = house.value().exit, house.strategy.totalSupply(), house.strategy.priceNow()[1]
    receipt = house.strategy.settle({"from": house.stranger})
    shares = house.strategy.balanceOf(house.manager)
    assert shares == shares_of(exit_raw, supply, high) == receipt.events["FeeTaken"]["shares"]
    worth = shares * (exit_raw + 1) // (supply + shares + VIRTUAL)
    assert 0 <= (exit_raw - 10**12) // 10 - worth <= 2
    assert house.strategy.priceNow()[1] > high == WAD


def test_fee__same_price_again__none(running):
    house = running
    house.trade(100, 1_900.0)
    house.ask_in(house.bert, 1)
    house.settle(2_000)
    first = house.strategy.balanceOf(house.manager)
    for who, spot in ((house.carl, 1_950), (house.stranger, 2_000)):
        house.ask_in(who, 1)
        house.settle(spot)
    assert house.strategy.balanceOf(house.manager) == first > 0


def test_fee__loss__none_and_the_highest_price_stays(running):
    house = running
    house.trade(100, 1_900.0)
    house.ask_in(house.bert, 1)
    house.settle(1_800)
    assert house.strategy.balanceOf(house.manager) == 0
    assert house.strategy.priceNow()[1] >= WAD


def test_fee__entries_and_exits_at_a_standing_price__none(running):
    house = running
    house.trade(500, 1_900.0)
    for _ in range(3):
        house.enter(house.bert, 400_000)
        house.leave(house.bert)
    assert house.price() > WAD
    house.ask_in(house.carl, 1)
    house.settle()
    assert house.strategy.balanceOf(house.manager) == 0


def test_fee__all_left__what_they_left_is_no_gain_of_who_comes(running):
    house = running
    house.trade(100, 1_900.0)
    house.round(1_912.345678)
    house.trade(-100, 1_912.345678)
    house.leave(house.anna)
    house.ask_out(house.manager)
    house.settle()
    assert house.strategy.totalSupply() == 0
    shares = house.enter(house.bert, 1_000)
    assert house.strategy.totalSupply() == shares
    assert house.leave(house.bert) >= 1_000 * RAW - 2
    assert house.strategy.totalSupply() == 0
