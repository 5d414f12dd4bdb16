"""Three signer services over real HTTP, each with its own key, source, database and look at the chain."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import uvicorn
from helpers.feed_world import SIGNERS, Market, World, reading

from plimsoll.feeds.samples import SampleStore
from plimsoll.feeds.signed_store import SignedStore
from plimsoll.feeds.signer import Signer
from plimsoll.feeds.signer_app import SignerOptions, signer_app
from plimsoll.storage import open_database, upgrade


@dataclass
class Service:
    """One running signer."""

    url: str
    signer: Signer
    source: Market
    server: uvicorn.Server


def opened_signer(world: World, account, source, database: str, **changes) -> Signer:
    """A signer over a database; ``read_every_sec`` 0 so that a test's change of a source is seen at once."""
    engine = open_database(database)
    upgrade(engine)
    options = {"read_every_sec": 0.0, **changes}
    return Signer(account, source, world.view(), world.messages(), SignedStore(engine), SampleStore(engine), **options)


@contextmanager
def running_signer(signer: Signer, **options):
    """Serve a signer by uvicorn in a thread; yields its address and server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    chosen = {"requests_per_sec": 1_000.0, "burst": 1_000, **options}
    app = signer_app(signer, SignerOptions(port=port, **chosen))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    assert server.started
    try:
        yield f"http://127.0.0.1:{port}", server
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def three_services(world: World, folder):
    """All signers of the deployment, each seeing the same market through a source of its own."""
    with ExitStack() as stack:
        found = []
        for number, account in enumerate(SIGNERS):
            source = Market(f"source {number}", reading(world.now))
            signer = opened_signer(world, account, source, f"sqlite:///{folder / f'signer-{number}.sqlite'}")
            url, server = stack.enter_context(running_signer(signer))
            found.append(Service(url, signer, source, server))
        yield found
