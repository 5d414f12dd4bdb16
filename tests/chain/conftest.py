"""What every Brownie test shares: an own chain, one deployment per module, a clean state per function."""

from __future__ import annotations

import socket

import brownie
import pytest

#: Room for deployments and for batched differential calls; gas tests state limits of their own.
BLOCK_GAS_LIMIT = 100_000_000
ACCOUNTS = 20


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# (Importing brownie._config by name would stop Brownie: it parses what tests import, and that is a binary.)
# Brownie starts anvil after this file is read. A port of its own keeps runs side by side apart;
# on a fixed port a second run would silently attach to the chain of the first.
brownie._config.CONFIG.networks["development"]["cmd_settings"].update(
    port=_free_port(), evm_version="prague", gas_limit=BLOCK_GAS_LIMIT, accounts=ACCOUNTS, base_fee=0
)


@pytest.fixture(scope="module", autouse=True)
def isolate_module(module_isolation):
    """Reset the chain around each module; without it a module's deployment would vanish."""


@pytest.fixture(autouse=True)
def isolate_function(isolate_module, fn_isolation):
    """Return to the module's deployment after each test."""
