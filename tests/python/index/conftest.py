"""Databases of both kinds, and a chain that logs what a test says."""

from __future__ import annotations

import asyncio

import pytest
from helpers.emitter import Emitter, fake_deployment
from helpers.rpc_proxy import RpcProxy

from plimsoll.chain import anvil
from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.node import Node
from plimsoll.index.follow import Index
from plimsoll.storage import open_database, upgrade

GENESIS_TS = 1_770_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'index.sqlite'}"
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture(scope="session")
def _chain():
    with anvil.running(GENESIS_TS) as chain:
        yield chain


@pytest.fixture
def chain(_chain):
    """A chain at its genesis, with emitters."""
    emitter = Emitter(_chain.url)
    snapshot = emitter.client.rpc("evm_snapshot")
    yield emitter
    emitter.client.rpc("evm_revert", snapshot)


@pytest.fixture
def proxy(chain):
    with RpcProxy(chain.client.url) as running:
        yield running


class Follower:
    """Runs the asynchronous index in a test that is not."""

    def __init__(self, urls, database, *, final_depth=10_000, final_step=1, deployment=None, **options):
        self._loop = asyncio.new_event_loop()
        self.engine = open_database(database)
        upgrade(self.engine)
        self.nodes = [Node(url, timeout_sec=2.0) for url in urls]
        self.endpoints = Endpoints(self.nodes, final_depth=final_depth, use_final_tag=False, wait_sec=0.5)
        options |= {"final_step": final_step}
        self.index = Index(self.endpoints, deployment or fake_deployment(), self.engine, **options)

    def run(self, coroutine):
        return self._loop.run_until_complete(coroutine)

    def sync(self):
        return self.run(self.index.sync())

    @property
    def state(self):
        return self.index.state

    def close(self):
        self.run(self.endpoints.close())
        self.engine.dispose()
        self._loop.close()


@pytest.fixture
def follow():
    """Open indexes that are closed with the test."""
    opened = []

    def make(urls, database, **options):
        opened.append(Follower([urls] if isinstance(urls, str) else urls, database, **options))
        return opened[-1]

    yield make
    for follower in opened:
        follower.close()
