"""The contracts up to the auction, an account with a risk, and two sponsors."""

from __future__ import annotations

import brownie
import pytest

from tests.chain.helpers.lines import Lines
from tests.chain.helpers.stack import deploy_stack


@pytest.fixture(scope="module")
def stack(accounts, chain):
    return deploy_stack(brownie.project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def lines(stack):
    return Lines(stack=stack, contract=stack.guarantees)


@pytest.fixture(scope="module")
def trader(accounts):
    return accounts[1]


@pytest.fixture(scope="module")
def bidder(accounts):
    return accounts[2]


@pytest.fixture(scope="module")
def sponsor(accounts):
    return accounts[3]


@pytest.fixture
def long_id(stack, trader):
    """Ten perpetuals at 1,900 on 4,000 of cash: below maintenance at 1,700, worth less than nothing below 1,500."""
    account_id = stack.open(trader, 4_000)
    stack.trade(account_id, stack.open(trader, 100_000), 10, 1_900)
    return account_id


@pytest.fixture
def sponsor_id(stack, sponsor):
    return stack.open(sponsor, 20_000)


@pytest.fixture
def bidder_id(stack, bidder):
    return stack.open(bidder, 50_000)


@pytest.fixture
def at(chain):
    """Mine a block at a time."""

    def mine(ts):
        brownie.web3.provider.make_request("evm_setNextBlockTimestamp", [ts])
        chain.mine()

    return mine
