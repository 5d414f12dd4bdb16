"""The whole keeper on a local chain: its file, one pass of it in this process, and the command as a process."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plimsoll.keeper.config import load_config
from plimsoll.keeper.runner import run

PASSWORD = "throw-away"  # noqa: S105


def keystore(folder: Path, name: str, wallet) -> Path:
    """Write a key as a wallet would, cheaply."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(wallet.encrypt(PASSWORD, kdf="pbkdf2", iterations=1)), encoding="utf-8")
    return path


def write_config(folder: Path, chain, wallet, *more: str, signer: str = "liquidations") -> Path:
    """Write the file of a keeper of a chain that sends with one wallet; ``more`` are lines of it."""
    chain.deployment.save(folder / "deployment.json")
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    keystore(folder, signer, wallet)
    path = folder / "keeper.toml"
    lines = (
        "[keeper]",
        'deployment = "deployment.json"',
        "[chain]",
        f'endpoints = ["{chain.client.url}"]',
        f"[signers.{signer}]",
        f'keystore = "{signer}.json"',
        'pass_file = "password"',
        "[transact]",
        "confirmations = 1",
        "[web]",
        'bind = "127.0.0.1:0"',
        *more,
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def made(path: Path, **how) -> list[str]:
    """Run one pass and return its lines."""
    lines: list[str] = []
    asyncio.run(run(load_config(path, ()), lines.append, hosted=True, **how))
    return lines


class Process:
    """The command, running until it is told to stop."""

    def __init__(self, path: Path, log: Path, *more: str) -> None:
        self._file = log.open("w", encoding="utf-8")
        command = [sys.executable, "-m", "plimsoll", "keeper", "run", "--config", str(path), *more]
        self.process = subprocess.Popen(command, stdout=self._file, stderr=subprocess.STDOUT)
        self.log = log

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self._file.close()
        return code


def until(condition, what, longest_sec: float = 60.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + longest_sec
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.2)
    pytest.fail(f"not within {longest_sec:g} s: {what()}")


def receipts(chain, wallet, blocks: int = 60) -> list[dict]:
    """Return the receipts of everything that a wallet sent in the last blocks."""
    last = int(chain.client.rpc("eth_blockNumber"), 16)
    found = [chain.client.rpc("eth_getBlockByNumber", hex(n), True) for n in range(max(0, last - blocks), last + 1)]
    own = [t["hash"] for block in found for t in block["transactions"] if t["from"] == wallet.address.lower()]
    return [chain.client.rpc("eth_getTransactionReceipt", tx_hash) for tx_hash in own]
