"""What goes wrong in the soak: faults of nodes, a database that restarts, reorganisations, and kills."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from helpers import rpc_proxy as faulty
from helpers.rpc_proxy import Fault, RpcProxy
from soak.clock import Ticker
from soak.traders import Traders

SENDS = "eth_sendRawTransaction"
#: Name and maker of each; a maker gets the number of the newest block.
FAULTS: tuple[tuple[str, Callable[[int], Fault]], ...] = (
    ("logs three blocks behind", lambda _: faulty.lagging_logs(3)),
    ("logs left out", lambda _: faulty.lost_logs(lambda _log: True, times=3)),
    ("logs of two blocks at most", lambda _: faulty.range_limit(2)),
    ("sends lost", lambda _: faulty.lost_sends(times=2)),
    ("answers of sends lost", lambda _: faulty.lost_answer(SENDS, times=2)),
    ("receipts invisible", lambda _: faulty.hidden_receipts(times=30)),
    ("underpriced replacement", lambda _: faulty.refused_sends("replacement transaction underpriced", 3)),
    ("insufficient funds", lambda _: faulty.refused_sends("insufficient funds for gas * price + value", 3)),
    ("wrong nonces", lambda _: faulty.wrong_nonces(1, times=5)),
    ("null", lambda _: faulty.body(b"null", times=10)),
    ("every result null", lambda _: faulty.result(None, times=60)),
    ("no result", lambda _: faulty.no_result(times=30)),
    ("wrong ids", lambda _: faulty.wrong_ids(times=30)),
    ("short batches", lambda _: faulty.short_batch(times=10)),
    ("answers twice", lambda _: faulty.duplicated_answers(times=10)),
    ("half bodies", lambda _: faulty.half_body(times=10)),
    ("no batches", lambda _: faulty.no_batches()),
    ("batches of three at most", lambda _: faulty.batch_limit(3)),
    ("HTTP 429", lambda _: faulty.status(429, times=20, retry_after="0")),
    ("HTTP 520", lambda _: faulty.status(520)),
    ("-32005", lambda _: faulty.error(-32005, "limit exceeded", times=30)),
    ("head stands still", faulty.stale_head),
    ("answers late by 0.4 s", lambda _: faulty.delay(0.4)),
    ("node away", lambda _: faulty.drop()),
)
#: Seconds that one lasts, seconds between two of them, and between two reorganisations.
LASTS_SEC, PAUSE_SEC, REORGANISE_SEC = (2.0, 8.0), (3.0, 10.0), (35.0, 75.0)
DEEPEST = 3


class Mishaps:
    """Lets one thing after the other go wrong, in an order that the seed decides.

    Parameters
    ----------
    proxies : tuple of RpcProxy
        One in front of each keeper.
    clock : Ticker
    traders : Traders
    seed : int
    """

    def __init__(self, proxies: tuple[RpcProxy, ...], clock: Ticker, traders: Traders, seed: int) -> None:
        self._proxies, self._clock, self._traders, self._seed = proxies, clock, traders, seed
        self.happened: Counter[str] = Counter()
        self.now = ""
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._nodes, self._reorganisations)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let nothing more go wrong."""
        self._ending.set()
        for thread in self._threads:
            thread.join(30)

    def _nodes(self) -> None:
        rng = random.Random(f"{self._seed} faults")
        while not self._ending.wait(rng.uniform(*PAUSE_SEC)):
            name, make = rng.choice(FAULTS)
            struck = [(proxy, make(self._clock.number)) for proxy in rng.choice(self._targets())]
            for proxy, fault in struck:
                proxy.add(fault)
            self.happened[name] += 1
            self.now = name
            self._ending.wait(rng.uniform(*LASTS_SEC))
            for proxy, fault in struck:
                with suppress(ValueError):
                    proxy.faults.remove(fault)
            self.now = ""

    def _targets(self) -> tuple[tuple[RpcProxy, ...], ...]:
        """Each node alone, or all of them."""
        return (*((proxy,) for proxy in self._proxies), self._proxies)

    def _reorganisations(self) -> None:
        rng = random.Random(f"{self._seed} reorganisations")
        while not self._ending.wait(rng.uniform(*REORGANISE_SEC)):
            depth = rng.randint(1, DEEPEST)
            with self._traders.paused():
                self._clock.reorganise(depth)
            self.happened[f"reorganisation of {depth}"] += 1
