"""One chain of the present for the tests of the whole keeper: three accounts, of which a fall of ETH takes two."""

from __future__ import annotations

import time

import pytest
from helpers.keeper_runs import write_config
from helpers.local_chain import local_chain

#: How long before now the chain begins: its blocks of the set-up are a second apart, and must not reach the future.
BEFORE_SEC = 3_600


@pytest.fixture(scope="session")
def world_of_now():
    with local_chain(int(time.time()) - BEFORE_SEC) as chain:
        chain.maker = chain.world.open("maker", 0, 5_000_000.0, by_permit=False)
        chain.world.seed_fund(100_000.0)
        chain.traders = [
            chain.trader(f"trader {cash}", chain.maker, cash, chain.perp(20.0)) for cash in (14_000, 12_500, 60_000)
        ]
        chain.bidder = chain.world.open("bidder", 0, 200_000.0, by_permit=False)
        chain.keeper = chain.world.funded_wallet("keeper")
        yield chain


@pytest.fixture
def keeper_chain(world_of_now):
    """The same chain as before, for every test."""
    state = world_of_now.client.rpc("evm_snapshot")
    yield world_of_now
    world_of_now.client.rpc("evm_revert", state)
    world_of_now.client.forget_nonces()
    world_of_now.spot = 1_900.0


@pytest.fixture
def config(keeper_chain, tmp_path):
    """Return a function that writes the file of a keeper of this chain and returns its path."""

    def write(wallet, *more, signer="liquidations"):
        return write_config(tmp_path, keeper_chain, wallet, *more, signer=signer)

    return write
