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
    # Not the parties of other folders: a transaction equal to one of theirs would count as sent already.
    return accounts[3]


@pytest.fixture(scope="module")
def bidder(accounts):
    return accounts[4]
