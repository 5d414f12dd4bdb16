"""Leader and standby as processes with one database, one of which is killed again and again."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import psycopg
from scene import Process

#: Seconds between a kill and the next start.
AWAY_SEC = (0.5, 5.0)
#: Code of a start that found its node or database away.
UNAVAILABLE = 3


class Pair:
    """Two keepers.

    Parameters
    ----------
    files : tuple of Path
        One file of options each; the stem is the keeper's name.
    folder : Path
        For their logs.
    database_url : str
        Of the common database.
    rng : random.Random
    """

    def __init__(self, files: tuple[Path, ...], folder: Path, database_url: str, rng: random.Random) -> None:
        self._files, self._folder, self._rng = files, folder, rng
        self._url = database_url.replace("+psycopg", "")
        self._starts = self.kills = self.leader_kills = self.refused = 0
        self.died: list[str] = []
        self.logs: list[Path] = []
        self.running: dict[str, Process] = {}
        #: Resident memory in bytes by name of the keeper: seconds since its start, and bytes.
        self.memory: dict[str, list[tuple[float, int]]] = {path.stem: [] for path in files}
        self._since: dict[str, float] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start both."""
        for path in self._files:
            self._start(path)

    def keep_killing(self, every_sec: float) -> None:
        """Kill one at a time, the one that acts in two of three cases, and start it again."""

        def work() -> None:
            while not self._ending.wait(every_sec):
                self.kill_one()

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def stop_killing(self) -> None:
        """Leave them alone."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(30)

    def kill_one(self) -> None:
        """Kill -9, and start again a little later."""
        leader = self.leader()
        others = [path.stem for path in self._files if path.stem != leader]
        name = leader if leader and self._rng.random() < 2 / 3 else others[0]
        # A pair survives the loss of one: on a busy machine a start may take longer than the time between two kills.
        while not self._is_up(next(path.stem for path in self._files if path.stem != name)):
            if self._ending.wait(0.5):
                return
        with self._lock:
            if name not in self.running:
                return
            self.running.pop(name).kill()
        self.kills += 1
        self.leader_kills += name == leader
        self._ending.wait(self._rng.uniform(*AWAY_SEC))
        self._start(next(path for path in self._files if path.stem == name))

    def _is_up(self, name: str) -> bool:
        """Whether a keeper has come so far that it looks, and could take over."""
        with self._lock:
            keeper = self.running.get(name)
        return (
            keeper is not None and keeper.is_running and "reading events" in keeper.text.partition("keeper started")[2]
        )

    def leader(self) -> str:
        """Return who holds the lease, empty where the database does not say."""
        try:
            with psycopg.connect(self._url, connect_timeout=2) as connection:
                row = connection.execute("SELECT holder FROM lease").fetchone()
        except psycopg.Error:
            return ""
        return next((path.stem for path in self._files if row is not None and path.stem in row[0]), "")

    def sample(self) -> int:
        """Note the memory of both, and who died by itself; return the bytes of the larger one."""
        largest = 0
        with self._lock:
            for name, keeper in list(self.running.items()):
                if not keeper.is_running:
                    self._ended(name, keeper)
                    continue
                pages = int(Path(f"/proc/{keeper.process.pid}/statm").read_text().split()[1])
                self.memory[name].append((time.monotonic() - self._since[name], pages * 4_096))
                largest = max(largest, pages * 4_096)
        return largest

    def end(self) -> None:
        """Stop both in order: each must end with code 0."""
        for keeper in self.running.values():
            keeper.end()

    def kill_all(self) -> None:
        """Leave nothing behind."""
        for keeper in self.running.values():
            if keeper.is_running:
                keeper.kill()

    def _ended(self, name: str, keeper: Process) -> None:
        """Start again what found its node or database away at the start, as whoever keeps services up does."""
        code = keeper.process.returncode
        del self.running[name]
        if code == UNAVAILABLE and "keeper started" not in keeper.text:
            self.refused += 1
            self._launch(next(path for path in self._files if path.stem == name))
        else:
            self.died.append(f"{name} ended with {code}: {keeper.text[-1_000:]}")

    def _start(self, path: Path) -> None:
        with self._lock:
            self._launch(path)

    def _launch(self, path: Path) -> None:
        """Start one; the lock is held."""
        log = self._folder / f"{path.stem}-{self._starts}.log"
        self._starts += 1
        self.logs.append(log)
        self.running[path.stem] = Process(path, log)
        self._since[path.stem] = time.monotonic()
