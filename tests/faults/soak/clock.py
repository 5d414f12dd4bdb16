"""A chain that makes blocks by the clock, faster than life, and is reorganised now and then."""

from __future__ import annotations

import threading
import time

from plimsoll.chain.client import Client

#: Seconds of the chain between two blocks, as on a mainnet.
BLOCK_SEC = 12


class Ticker:
    """Mines a block every ``BLOCK_SEC`` of market time.

    Parameters
    ----------
    url : str
        Of the node itself.
    speed : float
        Seconds of the market in one second.
    """

    def __init__(self, url: str, speed: float) -> None:
        self._client, self._speed = Client(url), speed
        #: Held by whoever sends and waits: a reorganisation would take it back under them.
        self.lock = threading.Lock()
        self._ending = threading.Event()
        self._client.rpc("evm_setAutomine", False)
        self._began_ts, self._began_sec = self._client.block_ts(), time.monotonic()
        self.blocks = self.reorganised = self.number = 0
        #: First block of each reorganisation.
        self.forks: list[int] = []
        #: What ended the clock, if anything did.
        self.problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def ts(self) -> int:
        """The time of the market now, unix seconds."""
        return int(self._began_ts + self._speed * (time.monotonic() - self._began_sec))

    def start(self) -> None:
        """Let time pass."""
        self._thread.start()

    def stop(self) -> None:
        """Let no more blocks come."""
        self._ending.set()
        self._thread.join(10)

    def reorganise(self, depth: int) -> None:
        """Replace the newest blocks by empty ones."""
        with self.lock:
            self.forks.append(self._client.block_number() - depth + 1)
            self._client.rpc("anvil_reorg", depth, [])
            self.reorganised += 1

    def _run(self) -> None:
        try:
            while not self._ending.wait(BLOCK_SEC / self._speed):
                with self.lock:
                    self._client.rpc("evm_setNextBlockTimestamp", max(self.ts, self._client.block_ts() + 1))
                    self._client.rpc("evm_mine")
                    self.number = self._client.block_number()
                self.blocks += 1
        except BaseException as problem:
            self.problem = problem
