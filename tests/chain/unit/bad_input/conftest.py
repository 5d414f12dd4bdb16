"""Contracts, people and what they sign."""

from __future__ import annotations

import pytest
from brownie import chain

from tests.chain.helpers.bad_input import HOUR, World


@pytest.fixture
def world(
    governor, module, stranger, trader, maker, ledger, vault, exchange, delegation, usdc, weth, buyer, seller, expiry
):
    made = World(**{k: v for k, v in locals().items() if k != "expiry"}, expiry=expiry // HOUR * HOUR)
    made.start = chain[-1].timestamp
    made.contracts = [ledger, vault, exchange, delegation, usdc, weth]
    return made
