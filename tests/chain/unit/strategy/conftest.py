"""A strategy vault whose key has limits for what the vault is worth."""

from __future__ import annotations

import brownie
import pytest
from brownie import accounts, chain

from tests.chain.helpers.strategy import build_house


@pytest.fixture(scope="module")
def house():
    """An empty vault that takes no fee."""
    return build_house(brownie.project.get_loaded_projects()[0], accounts[0], chain, fee=0)


@pytest.fixture
def running(house):
    """A vault of 1,000,000 in cash, all of it Anna's, whose key may trade."""
    house.enter(house.anna, 1_000_000)
    house.strategy.renew({"from": house.stranger})
    return house


@pytest.fixture(autouse=True)
def quiet_market(house):
    """The chain is set back after each test, and so is what is remembered of its market."""
    house.spot = 1_900.0
