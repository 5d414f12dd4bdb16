"""A whole venue as its own process on a real chain, and traders with accounts on it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers import shifted_clock
from helpers.keeper_runs import PASSWORD, keystore, until
from helpers.local_chain import LocalChain

from plimsoll.chain.anvil import wallet
from plimsoll.client import Trader, VenueError, connect_venue
from plimsoll.model import Mode

SETTLER = wallet("venue settler")


def write_venue(folder: Path, chain: LocalChain, *more: str, url: str | None = None, database: str = "") -> Path:
    """Write the file of a venue; ``more`` are lines of it."""
    chain.world.funded_wallet("venue settler")
    chain.deployment.save(folder / "deployment.json")
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    keystore(folder, "settler", SETTLER)
    path = folder / "venue.toml"
    lines = (
        "[venue]",
        'deployment = "deployment.json"',
        "[chain]",
        f'endpoints = ["{url or chain.client.url}"]',
        "[settler.key]",
        'keystore = "settler.json"',
        'pass_file = "password"',
        "[database]",
        f'url = "{database or "sqlite:///venue.sqlite"}"',
        "[web]",
        'bind = "127.0.0.1:0"',
        *more,
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


class VenueProcess:
    """The command, running until it is told to stop or killed.

    Parameters
    ----------
    path : Path
        Its file.
    clock : Path, optional
        File with the seconds by which its clock is wrong; see ``shifted_clock``.
    """

    def __init__(self, path: Path, clock: Path | None = None) -> None:
        self.path = path
        self._how = ["-m", "plimsoll"] if clock is None else [shifted_clock.__file__, str(clock)]
        self.log = path.with_suffix(".log")
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> str:
        """Start it; return its address when it takes requests."""
        command = [sys.executable, *self._how, "venue", "run", "--config", str(self.path)]
        with self.log.open("a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        line = self.process.stdout.readline().strip() if self.process.stdout else ""
        if not line:
            raise AssertionError(self.log.read_text(encoding="utf-8")[-4_000:])
        self.url = line
        # The same address after a restart, as in life.
        text = self.path.read_text(encoding="utf-8")
        self.path.write_text(text.replace("127.0.0.1:0", line.removeprefix("http://")), encoding="utf-8")
        return line

    def tail(self) -> str:
        """Return the end of what it logged."""
        return self.log.read_text(encoding="utf-8")[-2_000:]

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal; return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def venue(path: Path, clock: Path | None = None) -> Iterator[VenueProcess]:
    """Keep a venue for the length of a ``with`` block."""
    running = VenueProcess(path, clock)
    running.start()
    try:
        yield running
    finally:
        if running.process is not None and running.process.poll() is None:
            running.end(signal.SIGKILL)


def trader(url: str, chain: LocalChain, name: str, cash: float = 1_000_000.0) -> Trader:
    """Open an account, wait until the venue knows it, and log in."""
    holder = chain.world.open(name, Mode.SINGLE, cash, by_permit=False)
    client = connect_venue(url)
    until(lambda: holder.account_id in client.accounts_of(holder.wallet.address), lambda: f"{name} is unknown")
    return client.trade_as(holder.wallet, holder.account_id)


def refusal(work: Any) -> VenueError:
    """Return how the venue refuses."""
    try:
        work()
    except VenueError as problem:
        return problem
    raise AssertionError("it was not refused")


def settled(one: Trader, count: int, longest_sec: float = 30.0) -> list[Any]:
    """Wait until so many fills of an account are on chain; return them."""

    def on_chain() -> list[Any]:
        return [fill for fill in one.fills().fills if fill.state in ("settled", "final")]

    until(
        lambda: len(on_chain()) >= count, lambda: json.dumps([f.model_dump() for f in one.fills().fills]), longest_sec
    )
    return on_chain()
