"""A local chain: the native anvil binary on a port of this machine, ended with the block that started it."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from plimsoll.chain.client import Client
from plimsoll.errors import UnavailableError

ROOT = Path(__file__).resolve().parents[3]
START_TIMEOUT_SEC = 20.0
PORT_ATTEMPTS = 3
#: What development tools call a local chain, and how many blocks make an epoch: two later a block is final.
CHAIN_ID, EPOCH_BLOCKS = 31_337, 32
#: The rules that the contracts are compiled for.
HARD_FORK = "prague"
#: Reasons of reverts are asked for on the state of the parent block.
STATES_KEPT = 64


@dataclass(frozen=True, slots=True)
class Anvil:
    """A running local chain.

    Parameters
    ----------
    url : str
        HTTP address of its JSON-RPC.
    process : subprocess.Popen
        The native process; ending it ends the chain.
    """

    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End the chain and wait until the process is gone."""
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def find_binary() -> Path:
    """Locate the native anvil: ``PLIMSOLL_ANVIL``, then the npm platform package, then the search path.

    Returns
    -------
    Path
        An executable file.

    Raises
    ------
    UnavailableError
        When none of the three places holds it.
    """
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), platform.system().lower())
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    packaged = ROOT / "node_modules" / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / "anvil"
    named = os.environ.get("PLIMSOLL_ANVIL")
    found = shutil.which("anvil")
    for candidate in (Path(named) if named else None, packaged, Path(found) if found else None):
        if candidate is not None and os.access(candidate, os.X_OK):
            return candidate
    raise UnavailableError("anvil", "no native binary found; run `make setup` or set PLIMSOLL_ANVIL")


def _free_port() -> int:
    """Ask the system for a port nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _require_free(port: int) -> None:
    """Refuse a port that somebody listens on: the answers of another chain would be taken for those of this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the chain itself binds: what a chain that has just ended leaves behind is no listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            reason = f"port {port} of 127.0.0.1 cannot be used ({problem.strerror}); end what listens there"
            raise UnavailableError("anvil", f"{reason}, or choose another port, 0 for any free one") from None


def _launch(binary: Path, timestamp: int, port: int, options: Sequence[str]) -> Anvil:
    """Start one process and wait until it answers."""
    arguments = [
        *(str(binary), "--port", str(port), "--timestamp", str(timestamp)),
        *("--accounts", "40", "--gas-limit", "1000000000", "--base-fee", "0"),
        *("--silent", "--order", "fifo", "--no-request-size-limit"),
        *options,
    ]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 (our own binary)
    chain = Anvil(f"http://127.0.0.1:{port}", process)
    deadline = time.monotonic() + START_TIMEOUT_SEC
    while time.monotonic() < deadline and process.poll() is None:
        try:
            Client(chain.url).rpc("eth_chainId")
        except UnavailableError:
            time.sleep(0.02)
        else:
            return chain
    chain.stop()
    raise UnavailableError("anvil", f"did not answer on port {port} within {START_TIMEOUT_SEC:.0f} seconds")


def start(
    timestamp: int,
    *,
    any_size: bool = False,
    port: int = 0,
    chain_id: int = CHAIN_ID,
    epoch_blocks: int = EPOCH_BLOCKS,
    states_kept: int = STATES_KEPT,
    hard_fork: str = HARD_FORK,
) -> Anvil:
    """Start a local chain whose first block carries ``timestamp``.

    Parameters
    ----------
    timestamp : int
        Unix seconds of the genesis block.
    any_size : bool
        Take contracts of any size.
    port : int
        Port of 127.0.0.1, for wallets that remember a node by its address; 0 takes any free one.
    chain_id : int
        Another one for a second chain beside the first.
    epoch_blocks : int
        Blocks are final once twice as many follow them.
    states_kept : int
        How many blocks' states can be asked for, those of blocks that were taken back among them. All of them would
        fill gigabytes of the user's disk and stay there.
    hard_fork : str
        Rules of the chain, by the name that anvil gives them.

    Returns
    -------
    Anvil
        The caller must ``stop`` it; prefer :func:`running`.

    Raises
    ------
    UnavailableError
        When the binary is missing or does not answer, or the port is taken.
    """
    binary = find_binary()
    options = ["--chain-id", str(chain_id), "--slots-in-an-epoch", str(epoch_blocks)]
    options += ["--prune-history", str(states_kept), "--hardfork", hard_fork]
    if any_size:
        options.append("--disable-code-size-limit")
    if port:
        _require_free(port)
        return _launch(binary, timestamp, port, options)
    for attempt in range(PORT_ATTEMPTS):
        try:
            return _launch(binary, timestamp, _free_port(), options)
        except UnavailableError:
            # Another process may have taken the port between probing and listening.
            if attempt == PORT_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


@contextmanager
def running(
    timestamp: int,
    *,
    any_size: bool = False,
    port: int = 0,
    chain_id: int = CHAIN_ID,
    epoch_blocks: int = EPOCH_BLOCKS,
    states_kept: int = STATES_KEPT,
    hard_fork: str = HARD_FORK,
) -> Iterator[Anvil]:
    """Keep a local chain for the length of a ``with`` block.

    Parameters
    ----------
    timestamp : int
        Unix seconds of the genesis block.
    any_size : bool
        Take contracts of any size: code without the optimizer is larger than a chain allows.
    port, chain_id, epoch_blocks, states_kept, hard_fork
        See :func:`start`.

    Yields
    ------
    Anvil
        The running chain.
    """
    chain = start(
        timestamp,
        any_size=any_size,
        port=port,
        chain_id=chain_id,
        epoch_blocks=epoch_blocks,
        states_kept=states_kept,
        hard_fork=hard_fork,
    )
    try:
        yield chain
    finally:
        chain.stop()


def wallet(seed: str) -> LocalAccount:
    """Make a throw-away account for local chains from a public seed.

    Parameters
    ----------
    seed : str
        Anything; the key is its hash, so it must never hold value.

    Returns
    -------
    LocalAccount
        The same account for the same seed.
    """
    account: LocalAccount = Account.from_key(keccak(text=f"plimsoll local wallet {seed}"))
    return account
