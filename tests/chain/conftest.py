"""What every Brownie test shares: an own chain, one deployment per module, a clean state per function."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import brownie
import pytest

from plimsoll.chain.anvil import STATES_KEPT
from tests.chain.helpers import swift
from tests.chain.helpers.coverage import collect, prepare_brownie, save, table
from tests.chain.helpers.mocks import use_mocks

use_mocks()
swift.parse_nothing()

# The 50-digit implementation lives with the tests that need no chain.
sys.path.append(str(Path(__file__).resolve().parents[1] / "python"))

#: Room for deployments and for batched differential calls; gas tests state limits of their own.
BLOCK_GAS_LIMIT = 100_000_000
ACCOUNTS = 20
COVERAGE_REPORT = Path("reports") / "coverage.json"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# (Importing brownie._config by name would stop Brownie: it parses what tests import, and that is a binary.)
# Brownie starts anvil after this file is read. A port of its own keeps runs side by side apart;
# on a fixed port a second run would silently attach to the chain of the first.
network = brownie._config.CONFIG.networks["development"]
# Older states would fill gigabytes under .brownie.
network["cmd"] += f" --prune-history {STATES_KEPT}"
network["cmd_settings"].update(
    port=_free_port(),
    evm_version="prague",
    gas_limit=BLOCK_GAS_LIMIT,
    accounts=ACCOUNTS,
    base_fee=0,
    # Coverage is read off the trace of every transaction; without it there is none, and tests run faster.
    steps_tracing="--coverage" in sys.argv,
)


def pytest_collection_modifyitems(items):
    """Leave views as they are: Brownie would send each as a transaction, which moves the clock and may be dropped."""
    for item in items:
        item.add_marker(pytest.mark.no_call_coverage)


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter):
    """Report coverage per file, in the place of Brownie's report."""
    argv = brownie._config.CONFIG.argv
    if not argv["coverage"]:
        return
    (project,) = brownie.project.get_loaded_projects()
    files = collect((build for _, build in project._build.items()), brownie.test.coverage.get_coverage_eval().values())
    save(files, COVERAGE_REPORT)
    terminalreporter.section("Coverage of the contracts")
    for line in table(files):
        terminalreporter.write_line(line)
    argv["coverage"] = False


@pytest.fixture(scope="session", autouse=True)
def swift_brownie():
    """Make Brownie fast, and its traces fit for coverage when that is wanted; it is connected by now."""
    coverage = "--coverage" in sys.argv
    if coverage:
        prepare_brownie()
    swift.install(coverage=coverage)


@pytest.fixture(scope="module", autouse=True)
def isolate_module(swift_brownie):
    """Undo each module's deployment at its end."""
    with swift.undone():
        yield


@pytest.fixture(autouse=True)
def isolate_function(isolate_module):
    """Return to the module's deployment after each test."""
    with swift.undone():
        yield
