"""A chain with the contracts on it, a migrated database, and a replayed market."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.feed_world import NOW, RELAYER, SIGNERS, World

from plimsoll.chain.anvil import running, wallet
from plimsoll.chain.client import Client
from plimsoll.feeds.samples import SampleStore
from plimsoll.market.replay import replay as replays
from plimsoll.market.replay.synthetic import START_TS
from plimsoll.session.install import install
from plimsoll.storage import open_database, upgrade


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    with running(START_TS - 3_600) as chain:
        client = Client(chain.url)
        addresses = tuple(sorted((s.address for s in SIGNERS), key=lambda a: int(a, 16)))
        record: Path = tmp_path_factory.mktemp("feeds") / "local.json"
        deployment = install(client, record, "local", addresses, lambda name: wallet(name), lambda _: None)
        client.rpc("anvil_setBalance", RELAYER.address, hex(10**24))
        world = World(client, deployment, chain.url)
        world.at(NOW)
        yield world


@pytest.fixture
def world(installed):
    """The deployment as it was installed; what a test does to it is taken back."""
    kept = installed.client.rpc("evm_snapshot")
    installed.client.forget_nonces()
    yield installed
    installed.client.rpc("evm_revert", kept)
    installed.client.forget_nonces()


@pytest.fixture
def engine(tmp_path):
    made = open_database(f"sqlite:///{tmp_path / 'feeds.sqlite'}")
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def store(engine):
    return SampleStore(engine)


@pytest.fixture(scope="session")
def replay():
    return replays._synthetic()
