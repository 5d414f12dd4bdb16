"""One deployment for all fault tests, as it was before for each of them, and the report at the end."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from helpers.local_chain import local_chain  # noqa: E402
from helpers.restartable import running  # noqa: E402
from helpers.rpc_proxy import RpcProxy  # noqa: E402
from report import write_report  # noqa: E402
from scene import Scene, deadline, silence  # noqa: E402

from plimsoll.keeper.config import load_config  # noqa: E402
from plimsoll.keeper.runner import run  # noqa: E402

#: The proof, whose tests fail on purpose, keeps its report apart.
REPORT = Path(os.environ.get("PLIMSOLL_FAULTS_REPORT", ROOT / "reports" / "faults.md"))
CASE_SEC = 240


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A market with a maker, a bidder, and traders of whom a crash hurts two."""
    # What a test takes back counts among the states that a node keeps, and the next one's reorganisations need theirs:
    # so a chain for each file, with room for the blocks of all its tests.
    with local_chain(states_kept=1_000) as chain:
        chain.maker = chain.world.open("maker", 0, 5_000_000.0, by_permit=False)
        chain.world.seed_fund(100_000.0)
        chain.traders = [
            chain.trader(f"trader {cash}", chain.maker, cash, chain.perp(20.0)) for cash in (14_000, 12_500, 60_000)
        ]
        chain.bidder = chain.world.open("bidder", 0, 200_000.0, by_permit=False)
        chain.keeper = chain.world.funded_wallet("keeper")
        chain.second = chain.world.funded_wallet("second keeper")
        chain.prices = chain.world.funded_wallet("keeper of prices")
        # What any keeper finds to do at first, funding and ranges of the first rounds, is not what the cases are about.
        first = Scene(chain, SimpleNamespace(url=chain.client.url), tmp_path_factory.mktemp("first"))
        loaded = load_config(first.file(wallet=chain.world.funded_wallet("first keeper"), standby__lease_sec=60), ())
        with pytest.MonkeyPatch.context() as patch:
            silence(patch)
            asyncio.run(run(loaded, lambda _: None, once=True))
        yield chain


@pytest.fixture
def chain(base):
    """The same chain as before, for every test."""
    state = base.client.rpc("evm_snapshot")
    yield base
    base.client.rpc("evm_setAutomine", True)
    base.client.rpc("evm_revert", state)
    base.client.forget_nonces()
    base.spot = 1_900.0


@pytest.fixture
def proxy(chain):
    """A node that does to a keeper what the case says."""
    with RpcProxy(chain.client.url) as found:
        yield found


@pytest.fixture
def scene(chain, proxy, tmp_path, monkeypatch, request):
    """A crash, and the keepers that see it; each leaves a row of the report."""
    silence(monkeypatch)
    made = Scene(chain, proxy, tmp_path)
    with deadline(CASE_SEC):
        try:
            yield made
        finally:
            made.close()
    if made.row is not None:
        request.config.stash[ROWS].append(made.row)


@pytest.fixture(scope="session")
def postgres_server():
    """A server that tests may stop and start."""
    with running() as found:
        yield found


ROWS = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[ROWS] = []


def pytest_sessionfinish(session):
    rows = session.config.stash[ROWS]
    if rows:
        REPORT.parent.mkdir(exist_ok=True)
        write_report(REPORT, rows)
