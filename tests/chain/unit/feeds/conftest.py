"""An oracle with two of three signers."""

from __future__ import annotations

import pytest

from tests.chain.helpers.signed import SIGNERS, WAD


@pytest.fixture(scope="module")
def oracle(Authority, Oracle, accounts):
    authority = accounts[0].deploy(Authority, accounts[0])
    contract = accounts[0].deploy(Oracle, authority, 3_600, WAD // 4, 7 * WAD // 10)
    contract.setSigners([signer.address for signer in SIGNERS], 2, {"from": accounts[0]})
    return contract


@pytest.fixture
def relayer(accounts):
    return accounts[5]


@pytest.fixture(autouse=True)
def in_step(isolate_function, chain):
    """Set Brownie's clock by the chain's: tests of other modules that moved time and undid it leave it ahead."""
    chain.mine()


@pytest.fixture(scope="module")
def admin(accounts):
    return accounts[0]
