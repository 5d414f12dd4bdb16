"""What every Brownie test shares: an own chain, one deployment per module, a clean state per function."""

from __future__ import annotations

import gc
import inspect
import socket
import sys
import time
from pathlib import Path

import brownie
import pytest
from web3.exceptions import TransactionNotFound

from plimsoll.chain.anvil import STATES_KEPT
from tests.chain.helpers.coverage import collect, prepare_brownie, save, table
from tests.chain.helpers.mocks import use_mocks

use_mocks()

# The 50-digit implementation lives with the tests that need no chain.
sys.path.append(str(Path(__file__).resolve().parents[1] / "python"))

#: Room for deployments and for batched differential calls; gas tests state limits of their own.
BLOCK_GAS_LIMIT = 100_000_000
ACCOUNTS = 20
COVERAGE_REPORT = Path("reports") / "coverage.json"
LOOKUPS, LOOKUP_PAUSE_SEC = 50, 0.1


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
def traces():
    """Make traces fit for coverage, when that is wanted; Brownie is connected by now."""
    if "--coverage" in sys.argv:
        prepare_brownie()


def _asking_again(find):
    def found(transaction_hash):
        for _ in range(LOOKUPS):
            try:
                return find(transaction_hash)
            except TransactionNotFound:
                time.sleep(LOOKUP_PAUSE_SEC)
        return find(transaction_hash)

    return found


@pytest.fixture(scope="session", autouse=True)
def patient_lookup():
    """Ask again: anvil counts a transaction a moment before it finds it, which Brownie takes for a dropped one."""
    eth = brownie.web3.eth
    eth.get_transaction = _asking_again(eth.get_transaction)
    eth.get_transaction_receipt = _asking_again(eth.get_transaction_receipt)


def _forget_what_is_gone(container, height):
    """Drop the contracts that a return to ``height`` undid; Brownie asks for the code of every other one too."""
    for contract in list(container._contracts):
        born = contract.tx.block_number if contract.tx else None
        if born > height if born is not None else not brownie.web3.eth.get_code(contract.address):
            container.remove(contract)
            contract._reverted = True


@pytest.fixture(scope="session", autouse=True)
def swift_isolation():
    """Isolate each test in milliseconds: Brownie walks the call stack and collects all garbage at every snapshot.

    The walk only serves a warning about who calls. The garbage it looks for is among what a test made; the project
    that was loaded before (a gigabyte of syntax trees) lives as long as the run and is set aside.
    """
    rpc = type(brownie.rpc)
    for name in ("sleep", "mine", "snapshot", "revert"):
        setattr(rpc, name, inspect.getclosurevars(getattr(rpc, name)).nonlocals["fn"])
    (project,) = brownie.project.get_loaded_projects()
    type(next(iter(project)))._revert = _forget_what_is_gone
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def isolate_module(traces, patient_lookup, swift_isolation, module_isolation):
    """Reset the chain around each module; without it a module's deployment would vanish."""


@pytest.fixture(autouse=True)
def isolate_function(isolate_module, fn_isolation):
    """Return to the module's deployment after each test."""
