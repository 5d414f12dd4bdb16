"""The whole keeper on a real chain: from its file to what it sends, and what it says about it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time

import pytest
from helpers.local_chain import local_chain

from plimsoll.keeper.config import load_config
from plimsoll.keeper.runner import run

PASSWORD = "throw-away"  # noqa: S105


@pytest.fixture(scope="module")
def base():
    with local_chain() as chain:
        chain.maker = chain.world.open("maker", 0, 5_000_000.0, by_permit=False)
        chain.world.seed_fund(100_000.0)
        chain.traders = [
            chain.trader(f"trader {cash}", chain.maker, cash, chain.perp(20.0)) for cash in (14_000, 12_500, 60_000)
        ]
        chain.bidder = chain.world.open("bidder", 0, 200_000.0, by_permit=False)
        chain.keeper = chain.world.funded_wallet("keeper")
        yield chain


@pytest.fixture
def chain(base):
    """The same chain as before, for every test."""
    state = base.client.rpc("evm_snapshot")
    yield base
    base.client.rpc("evm_revert", state)
    base.client.forget_nonces()
    base.spot = 1_900.0


def keystore(folder, name, wallet):
    """Write a key as a wallet would, cheaply."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(wallet.encrypt(PASSWORD, kdf="pbkdf2", iterations=1)), encoding="utf-8")
    return path


@pytest.fixture
def config(chain, tmp_path):
    """Return a function that writes the file of a keeper of this chain."""
    chain.deployment.save(tmp_path / "deployment.json")
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")

    def write(wallet, *more):
        keystore(tmp_path, "liquidations", wallet)
        path = tmp_path / "keeper.toml"
        path.write_text(
            "\n".join(
                (
                    "[keeper]",
                    'deployment = "deployment.json"',
                    "[chain]",
                    f'endpoints = ["{chain.client.url}"]',
                    "[signers.liquidations]",
                    'keystore = "liquidations.json"',
                    'pass_file = "password"',
                    "[transact]",
                    "confirmations = 1",
                    "[web]",
                    'bind = "127.0.0.1:0"',
                    *more,
                )
            ),
            encoding="utf-8",
        )
        return load_config(path, ())

    return write


def made(loaded, **how):
    """Run one pass and return its lines."""
    lines: list[str] = []
    asyncio.run(run(loaded, lines.append, **how))
    return lines


def test_run__once__starts_auctions_and_calls_for_margin(chain, config):
    called, short, _ = (holder.account_id for holder in chain.traders)
    chain.post(1_600.0)
    lines = made(config(chain.keeper), once=True)
    chain.sync()
    assert set(chain.state.auctions) == {short}, lines
    assert chain.effects.called == {called}, lines
    assert f"start:{short}:0: done" in lines


def test_run__dry_run__says_what_it_would_do_and_sends_nothing(chain, config):
    _, short, _ = (holder.account_id for holder in chain.traders)
    chain.post(1_600.0)
    before = chain.client.rpc("eth_getTransactionCount", chain.keeper.address, "latest")
    lines = made(config(chain.keeper), dry_run=True)
    assert any(line.startswith(f"start:{short}:0: done, gas ") and "gwei" in line for line in lines), lines
    assert chain.client.rpc("eth_getTransactionCount", chain.keeper.address, "latest") == before
    chain.sync()
    assert not chain.state.auctions


def test_run__bidder__takes_the_slice_that_pays(chain, config):
    _, short, _ = (holder.account_id for holder in chain.traders)
    loaded = config(chain.bidder.wallet, "[liquidation]", f"bidder = {chain.bidder.account_id}")
    chain.post(1_600.0)
    made(loaded, once=True)
    chain.wait(600)
    lines = made(loaded, once=True)
    chain.sync()
    assert chain.effects.ends == {short: 1}, lines


class Process:
    """The command, running until it is told to stop."""

    def __init__(self, path, log):
        self._log = log.open("w", encoding="utf-8")
        command = [sys.executable, "-m", "plimsoll", "keeper", "run", "--config", str(path)]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        self.log = log

    def end(self, number=signal.SIGTERM):
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self._log.close()
        return code


def until(condition, what, longest_sec=60.0):
    """Wait for something to become true."""
    deadline = time.monotonic() + longest_sec
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.2)
    pytest.fail(f"not within {longest_sec:g} s: {what()}")


def receipts(chain):
    """Return the receipts of everything that the keeper sent since the fixture."""
    last = int(chain.client.rpc("eth_blockNumber"), 16)
    blocks = [chain.client.rpc("eth_getBlockByNumber", hex(number), True) for number in range(last - 60, last + 1)]
    own = [t["hash"] for block in blocks for t in block["transactions"] if t["from"] == chain.keeper.address.lower()]
    assert own
    return [chain.client.rpc("eth_getTransactionReceipt", number) for number in own]


def test_run__process__acts_on_a_new_round_survives_a_kill_and_ends_with_0(chain, config, tmp_path):
    called, short, _ = (holder.account_id for holder in chain.traders)
    config(chain.keeper)
    first = Process(tmp_path / "keeper.toml", tmp_path / "first.log")
    until(lambda: "keeper started" in first.log.read_text(), first.log.read_text)
    chain.post(1_600.0)

    def has_acted():
        chain.sync()
        return set(chain.state.auctions) == {short} and chain.effects.called == {called}

    until(has_acted, first.log.read_text)
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    second = Process(tmp_path / "keeper.toml", tmp_path / "second.log")
    until(lambda: "keeper started" in second.log.read_text(), second.log.read_text)
    chain.post(1_900.0)

    def has_ended():
        chain.sync()
        return not chain.state.auctions and not chain.effects.called

    until(has_ended, second.log.read_text)
    assert second.end() == 0, second.log.read_text()
    # Each effect once, and nothing that reverted.
    effects = chain.effects
    assert (effects.starts, effects.ends, effects.notes) == ({short: 1}, {short: 1}, {called: 2})
    assert all(receipt["status"] == "0x1" for receipt in receipts(chain))
    assert "Traceback" not in first.log.read_text() + second.log.read_text()
