"""The contracts up to the auction, and two parties."""

from __future__ import annotations

import brownie
import pytest

from tests.chain.helpers.stack import deploy_stack


@pytest.fixture(scope="module")
def stack(accounts, chain):
    return deploy_stack(brownie.project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def trader(accounts):
    return accounts[1]


@pytest.fixture(scope="module")
def bidder(accounts):
    return accounts[2]


@pytest.fixture
def long_id(stack, trader):
    """Ten perpetuals at 1,900 on 4,000 of cash: liquidatable at 1,700, insolvent at 1,400."""
    account_id = stack.open(trader, 4_000)
    stack.trade(account_id, stack.open(trader, 100_000), 10, 1_900)
    return account_id


@pytest.fixture
def bidder_id(stack, bidder):
    return stack.open(bidder, 50_000)


@pytest.fixture
def mine_at(chain):
    """Mine a block at a time."""

    def mine(ts):
        brownie.web3.provider.make_request("evm_setNextBlockTimestamp", [ts])
        chain.mine()

    return mine
