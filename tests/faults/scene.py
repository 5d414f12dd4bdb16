"""A crash on a real chain, the keepers that see it through a node with faults, and what they made of it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
import pytest
from files import write_key, write_options
from mined import Mined, read_mined
from report import Row
from sqlalchemy import Engine, func, select

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.node import Node
from plimsoll.index.follow import Index
from plimsoll.index.verifier import Verifier
from plimsoll.keeper import operations, runner
from plimsoll.keeper.calls import call_data
from plimsoll.keeper.config import load_config
from plimsoll.keeper.shutdown import Shutdown
from plimsoll.storage import open_database, upgrade
from plimsoll.transact.tables import JOURNAL

STEP_SEC = 0.1
#: A keeper starts within this on a machine that has nothing else to do; where it takes longer, bounds are longer too.
START_SEC = 8.0
#: How call data of the start of an auction begin.
START = "0x" + call_data("Auction", "start", 0)[:4].hex()
#: So many questions a keeper puts to contracts only when it has read the events: what it checks before takes a dozen.
LOOKED_CALLS = 20
#: Deeper than any chain here: what becomes final is read once more and put right, and an index is judged as it is.
NEVER_FINAL = 1_000_000


class Quiet(Shutdown):
    """Ends a keeper that is a thread of the tests: no signals, and no end of the whole process."""

    made: list[Quiet]

    def __init__(self, stop_sec: float) -> None:
        super().__init__(stop_sec, leave=lambda _code: None)
        Quiet.made.append(self)

    def install(self) -> None:
        self._loop = asyncio.get_running_loop()


def silence(monkeypatch) -> None:
    """Let keepers run beside the tests in one process."""
    Quiet.made = []
    monkeypatch.setattr(operations, "Shutdown", Quiet)


@contextmanager
def deadline(longest_sec: int) -> Iterator[None]:
    """Fail what hangs, so that the others have their turn."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"the case took longer than {longest_sec} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(longest_sec)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Thread:
    """A whole keeper as a thread of this process."""

    asked = 0

    def __init__(self, path) -> None:
        self.lines: list[str] = []
        self.problem: BaseException | None = None
        self._loaded = load_config(path, ())
        known = len(Quiet.made)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        until(lambda: self.problem or len(Quiet.made) > known, "the keeper opens its database")
        self._shutdown = Quiet.made[known] if self.problem is None else None

    def _run(self) -> None:
        try:
            asyncio.run(runner.run(self._loaded, self.lines.append))
        except BaseException as problem:
            # Whoever waits for the keeper sees it.
            self.problem = problem

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> None:
        """Stop in order; what ended it otherwise is raised."""
        if self._shutdown is not None:
            self._shutdown.ask()
        self._thread.join(40)
        assert not self._thread.is_alive(), "the keeper did not stop"
        if self.problem is not None:
            raise self.problem


class Process:
    """The command as a process, for what only a process can meet."""

    asked = 0

    def __init__(self, path, log) -> None:
        self._out = log.open("w", encoding="utf-8")
        command = [sys.executable, "-m", "plimsoll", "keeper", "run", "--config", str(path)]
        self.process = subprocess.Popen(command, stdout=self._out, stderr=subprocess.STDOUT)
        self.log = log

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """As the operating system does when memory ends."""
        self.process.kill()
        self.process.wait(20)
        self._out.close()

    def end(self) -> None:
        """Stop in order."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(40)
        self._out.close()
        assert code == 0, self.text
        assert "Traceback" not in self.text


def until(condition: Callable[[], object], what: object, longest_sec: float = 30.0) -> float:
    """Wait for something to become true; return how long it took."""
    began = time.monotonic()
    while time.monotonic() < began + longest_sec:
        if condition():
            return time.monotonic() - began
        time.sleep(STEP_SEC)
    pytest.fail(f"not within {longest_sec:g} s: {what() if callable(what) else what}")


class Scene:
    """One market, one crash."""

    def __init__(self, chain, proxy, folder) -> None:
        self.chain, self.proxy, self.folder = chain, proxy, folder
        self.called, self.short, self.healthy = (holder.account_id for holder in chain.traders)
        self.url = f"sqlite:///{folder / 'keeper.sqlite'}"
        self.keepers: list[Thread | Process] = []
        self.senders = [chain.keeper]
        self.row: Row | None = None
        self.crashed_at = self.ended_at = 0.0
        #: How much slower than it should be this machine is just now.
        self.pace = 1.0
        self._sent_before = {w.address: self.nonce(w) for w in (chain.keeper, chain.second, chain.prices)}
        self._first_block = self.block() + 1
        chain.deployment.save(folder / "deployment.json")

    # --- keepers ------------------------------------------------------------------------------------------------------

    def key(self, name: str, wallet) -> str:
        """Write a keystore, cheaply; return the name of its file."""
        return write_key(self.folder, name, wallet)

    def file(self, name: str = "keeper", wallet=None, *, url: str = "", more: tuple[str, ...] = (), **options):
        """Write a keeper's file; options are ``section__option``, more are whole lines."""
        wallet = wallet or self.chain.keeper
        return write_options(self.folder, name, wallet, self.proxy.url, url or self.url, more, **options)

    def start(self, path=None, *, is_process: bool = False, is_ready: bool = True) -> Thread | Process:
        """Start a keeper and wait until it has looked once."""
        path = path or self.file()
        log = self.folder / f"{len(self.keepers)}.log"
        asked, began = self.proxy.seen["eth_call"], time.monotonic()
        keeper = Process(path, log) if is_process else Thread(path)
        keeper.asked = asked
        self.keepers.append(keeper)
        if is_ready:
            self.wait_ready(keeper)
            if is_process:
                self.pace = max(self.pace, (time.monotonic() - began) / START_SEC)
        return keeper

    def wait_ready(self, keeper: Thread | Process) -> None:
        """Wait until a keeper has looked once: before that it does not know yet what an order to stop means."""
        enough = keeper.asked + LOOKED_CALLS
        until(lambda: self.proxy.seen["eth_call"] > enough or not keeper.is_running, "the keeper looks", 120)

    def close(self) -> None:
        """Stop what still runs."""
        self.proxy.clear()
        for keeper in self.keepers:
            if isinstance(keeper, Process) and keeper.is_running:
                keeper.kill()
            elif keeper.is_running:
                keeper.end()

    # --- the chain ----------------------------------------------------------------------------------------------------

    def nonce(self, wallet) -> int:
        return int(self.chain.client.rpc("eth_getTransactionCount", wallet.address, "latest"), 16)

    def block(self) -> int:
        return int(self.chain.client.rpc("eth_blockNumber"), 16)

    def waiting(self, wallet) -> dict[int, dict]:
        """Return what waits in the pool of one wallet, by nonce."""
        content = self.chain.client.rpc("txpool_content")
        found = {**content["pending"], **content["queued"]}
        mine = next((items for address, items in found.items() if address.lower() == wallet.address.lower()), {})
        return {int(nonce): item for nonce, item in mine.items()}

    def crash(self, eth: float = 1_600.0) -> None:
        """Post rounds that make one account liquidatable and another one short of initial margin."""
        self.chain.post(eth)
        self.crashed_at = time.monotonic()

    def attended(self) -> bool:
        """Whether chain says that everybody is looked after."""
        self.chain.sync()
        return set(self.chain.state.auctions) == {self.short} and self.chain.effects.called == {self.called}

    def is_called(self) -> bool:
        """Whether the account that is short of initial margin is called on chain."""
        self.chain.sync()
        return self.called in self.chain.effects.called

    def wait_attended(self, longest_sec: float = 30.0) -> float:
        """Wait for auction and call; return the seconds since the crash."""
        until(self.attended, self.story, longest_sec * self.pace)
        self.ended_at = time.monotonic()
        return self.ended_at - self.crashed_at

    def wait_auction(self, longest_sec: float = 40.0) -> float:
        """Wait for the auction of the account that the crash hits; others may be under auction as well."""
        until(lambda: self.chain.sync() or self.short in self.chain.state.auctions, self.story, longest_sec)
        self.ended_at = time.monotonic()
        return self.ended_at - self.crashed_at

    def fresh(self, server) -> str:
        """Return the URL of an empty schema of a server."""
        name = f"case_{time.monotonic_ns()}"
        with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{server.url}?options=-csearch_path%3D{name}"

    def quiet(self, rest_sec: float = 1.0, longest_sec: float = 20.0) -> None:
        """Wait until keepers have nothing more to send."""
        last, since = self.block(), time.monotonic()
        while time.monotonic() < since + rest_sec:
            time.sleep(STEP_SEC)
            if self.block() != last:
                last, since = self.block(), time.monotonic()
            longest_sec -= STEP_SEC
            assert longest_sec > 0, f"keepers go on sending: {self.story()}"

    def sent(self) -> list[Mined]:
        """Return what keepers sent that was mined."""
        client, contracts = self.chain.client, self.chain.deployment.contracts
        own = {wallet.address.lower() for wallet in self.senders}
        found = []
        for number in range(self._first_block, self.block() + 1):
            for item in client.rpc("eth_getBlockByNumber", hex(number), True)["transactions"]:
                if item["from"] in own:
                    receipt = client.rpc("eth_getTransactionReceipt", item["hash"])
                    found.append(read_mined(item, receipt, contracts))
        return found

    def story(self) -> str:
        """What keepers said, for whoever reads a failed test."""
        parts = [f"auctions {set(self.chain.state.auctions)}, called {self.chain.effects.called}"]
        for keeper in self.keepers:
            parts.append(keeper.text[-4_000:] if isinstance(keeper, Process) else "\n".join(keeper.lines[-40:]))
        return "\n".join([*parts, "mined:", *map(str, self.sent())])

    # --- the verdict --------------------------------------------------------------------------------------------------

    def judge(
        self,
        fault: str,
        outcome: str,
        *,
        bound_sec: float = 15.0,
        outage_sec: float = 0.0,
        in_vain: int = 0,
        url: str = "",
        others: bool = False,
        rounds: int | None = 1,
    ) -> None:
        """See that everybody was looked after in time, nothing was sent twice, and the index is the chain's.

        ``others`` lets the case liquidate or call more accounts than the crash alone does, each once all the same.
        ``rounds`` is how often prices changed, and so how often one call may have been due; ``None`` for often, where
        the keys of the journal alone tell one from another. ``in_vain`` is how many transactions may have been mined
        and changed nothing.
        """
        for keeper in self.keepers:
            if keeper.is_running:
                keeper.end()
        self.chain.sync()
        sent = self.sent()
        raced = [item for item in sent if is_done_by_another(item, sent)]
        failed = [item for item in sent if not item.is_done and item not in raced]
        done = Counter((item.sender, item.target, item.data) for item in sent if item.is_done and item not in raced)
        twice = [key for key, count in done.items() if rounds is not None and count > rounds]
        twice += mined_twice(url or self.url)
        # Whoever sends what is done already has paid for nothing.
        own = [one for one in sent if one not in raced and not one.call.startswith("transfer")]
        idle = [one for one in own if one.is_done and not one.logs]
        unattended_sec, bound_sec = self.ended_at - self.crashed_at, bound_sec * self.pace
        self.row = Row(
            fault,
            outcome,
            unattended_sec,
            bound_sec,
            outage_sec,
            len(done),
            len(sent),
            len([item for item in sent if not item.is_done]),
        )
        effects = self.chain.effects
        assert effects.starts.get(self.short) == 1, self.story()
        assert set(effects.starts.values()) == {1}, self.story()
        if not others:
            assert (effects.starts, effects.notes) == ({self.short: 1}, {self.called: 1}), self.story()
        assert not twice, f"{twice}\n{self.story()}"
        assert len(failed) + len(idle) <= in_vain, self.story()
        assert unattended_sec - outage_sec < bound_sec, self.story()
        assert differences(url or self.url, self.chain) == []


def is_done_by_another(one: Mined, sent: Sequence[Mined]) -> bool:
    """Whether a transaction came to nothing because another key had the same call mined before it.

    Two keepers that know nothing of each other see one head and send at once. The second start, call or look at a range
    reverts, and the second funding update of a round succeeds without effect; neither is a double send.
    """
    if one.is_done and one.logs:
        return False
    call = (one.target, one.data)
    before = sent[: sent.index(one)]
    return any((o.target, o.data) == call and o.sender != one.sender and o.is_done and o.logs for o in before)


def mined_twice(url: str) -> list[str]:
    """Return the intents that a journal says were achieved twice by one signer."""
    engine = open_database(url)
    kept = JOURNAL.c.succeeded & JOURNAL.c.state.in_(("included", "done")) & ~JOURNAL.c.key.like("fill:%")
    query = select(JOURNAL.c.key).where(kept).group_by(JOURNAL.c.signer, JOURNAL.c.key).having(func.count() > 1)
    try:
        with engine.connect() as connection:
            return list(connection.scalars(query))
    finally:
        engine.dispose()


def journal_keys(url: str) -> list[str]:
    """Return the intents of a journal, each as often as it was begun."""
    engine = open_database(url)
    try:
        with engine.connect() as connection:
            return list(connection.scalars(select(JOURNAL.c.key)))
    finally:
        engine.dispose()


def differences(url: str, chain) -> list[object]:
    """Compare an index with every view of the chain, as its keeper has left it."""
    engine = open_database(url)
    upgrade(engine)
    try:
        return asyncio.run(_differences(engine, chain))
    finally:
        engine.dispose()


async def _differences(engine: Engine, chain) -> list[object]:
    endpoints = Endpoints([Node(chain.client.url)], 1, final_depth=NEVER_FINAL, use_final_tag=False)
    try:
        await endpoints.head()
        index = await asyncio.to_thread(Index, endpoints, chain.deployment, engine)
        await index.sync()
        checked = await Verifier(index, endpoints, chain.deployment).check_all()
        return [difference for part in checked for difference in part.differences]
    finally:
        await endpoints.close()
