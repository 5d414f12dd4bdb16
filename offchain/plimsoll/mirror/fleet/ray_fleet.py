"""A fleet on a Ray cluster: accounts are divided among workers, unit arrays are made once and sent to all.

The division is by account id, so that an account stays where it is; results are those of one process to the last bit,
because an account is computed alone wherever it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from plimsoll.errors import InputError, UnavailableError
from plimsoll.mirror.fleet.book_kernels import locate
from plimsoll.mirror.fleet.books import owners_of
from plimsoll.mirror.fleet.catalogue import Additions, Catalogue
from plimsoll.mirror.fleet.columns import AccountColumns, Columns, Names
from plimsoll.mirror.fleet.desk import Changed, Desk, Tables
from plimsoll.mirror.fleet.margins import FleetMargins, joined
from plimsoll.mirror.fleet.shard import Shard
from plimsoll.model import Market, Round
from plimsoll.params import Params

Longs = npt.NDArray[np.int64]

#: Threads of a worker for each processor that it asks for. Its accounts are a fixed part, so that the core which others
#: use most would decide when all are done: several threads go wherever there is room, and take small parts in turn.
THREADS_EACH: Final = 4


class WorkerLostError(UnavailableError):
    """A worker does not answer: its accounts are gone, and the fleet has to be made anew."""


class ShardWorker:
    """One shard in a process of its own."""

    def __init__(self, threads: int) -> None:
        self._catalogue = Catalogue()
        self._shard = Shard(self._catalogue, threads)

    def put(self, additions: Additions, columns: Columns) -> int:
        """Learn what is new, take what accounts hold; return the number of accounts."""
        self._catalogue.learn(additions)
        self._shard.put(Columns.of(columns))
        return len(self._shard.books)

    def refresh(self, tables: Tables, changed: Changed, exact: Longs | None, everybody: bool) -> FleetMargins:
        """Compute what changed; what came through the object store cannot be written to and is copied."""
        found = self._shard.refresh(tables.copied(), changed, None if exact is None else exact.copy())
        return self._shard.margins() if everybody else found


class RayFleet:
    """The same as :class:`plimsoll.mirror.fleet.fleet.Fleet`, on workers; ``ray.init`` has been called before.

    Parameters
    ----------
    names : Names
    workers : int
        At least 1; each takes ``processors`` of the cluster.
    processors : int
        At least 1.
    timeout_sec : float
        Longest wait for all workers.

    Raises
    ------
    InputError
        When there is no worker to be.
    """

    def __init__(self, names: Names, workers: int, processors: int = 1, timeout_sec: float = 300.0) -> None:
        if workers < 1 or processors < 1:
            raise InputError("workers", f"{workers} workers of {processors} processors; each must be at least 1")
        # Late, because it takes a second and most who import the mirror have no cluster.
        import ray

        self._ray = ray
        self._timeout_sec = timeout_sec
        self._desk = Desk(names)
        self._ids: Longs = np.zeros(0, dtype=np.int64)
        self._order: Longs | None = None
        remote: Any = ray.remote(num_cpus=processors)(ShardWorker)
        self._workers = [remote.remote(THREADS_EACH * processors) for _ in range(workers)]
        self._sent: tuple[Tables, Any] | None = None

    @classmethod
    def from_columns(
        cls, columns: AccountColumns, names: Names, workers: int, processors: int = 1, timeout_sec: float = 300.0
    ) -> RayFleet:
        """Make a fleet of all accounts; see the class and :meth:`update`."""
        fleet = cls(names, workers, processors, timeout_sec)
        fleet.update(columns)
        return fleet

    def __len__(self) -> int:
        return len(self._ids)

    def update(self, columns: AccountColumns) -> None:
        """Take what some accounts hold now; see :meth:`plimsoll.mirror.fleet.fleet.Fleet.update`.

        Raises
        ------
        InputError
            When the columns do not belong together.
        WorkerLostError
            When a worker does not answer: the fleet has to be made anew.
        """
        checked = Columns.of(columns)
        # Refused here, before any worker has changed anything.
        owners_of(checked)
        before = self._desk.catalogue.sizes
        self._desk.catalogue.see(checked)
        additions, count = self._desk.catalogue.since(before), len(self._workers)
        self._all([w.put.remote(additions, checked.share(part, count)) for part, w in enumerate(self._workers)])
        order = np.argsort(self._ids, kind="stable").astype(np.int64)
        new = locate(self._ids[order], order, checked.account_ids) < 0
        if new.any():
            self._ids, self._order = np.concatenate((self._ids, checked.account_ids[new])), None

    def evaluate(self, market: Market, params: Params) -> FleetMargins:
        """Margin of every account, in the order in which accounts came."""
        return self._in_order(self._ask(market, params, None, everybody=True))

    def refresh(self, market: Market, params: Params) -> FleetMargins:
        """Margin of the accounts that may have changed since the last call, worker by worker."""
        return self._ask(market, params, None, everybody=False)

    def watch(self, market: Market, params: Params, exact: Iterable[int], *, everybody: bool = False) -> FleetMargins:
        """See :meth:`plimsoll.mirror.fleet.fleet.Fleet.watch`."""
        found = self._ask(market, params, np.fromiter(exact, dtype=np.int64), everybody=everybody)
        return self._in_order(found) if everybody else found

    def _in_order(self, found: FleetMargins) -> FleetMargins:
        """Return margins of all in the order in which accounts came; workers answer in one order until more come."""
        if self._order is None:
            order = np.argsort(found.account_ids, kind="stable").astype(np.int64)
            self._order = locate(found.account_ids[order], order, self._ids)
        return found.of(self._order)

    def reprice(self, round_: Round) -> FleetMargins:
        """Margin of the accounts that hold an underlying which has a new round."""
        return self.refresh(*self._desk.later(round_))

    def listed(self, names: Names) -> None:
        """Take the symbols of what was listed since."""
        self._desk.names = names

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            self._ray.kill(worker)
        self._workers = []

    def _ask(self, market: Market, params: Params, exact: Longs | None, *, everybody: bool) -> FleetMargins:
        tables, changed = self._desk.tables(market, params)
        if self._sent is None or self._sent[0] is not tables:
            self._sent = (tables, self._ray.put(tables))
        sent = self._sent[1]
        return joined(self._all([w.refresh.remote(sent, changed, exact, everybody) for w in self._workers]))

    def _all(self, answers: list[Any]) -> list[Any]:
        """Wait for every worker."""
        try:
            found: list[Any] = self._ray.get(answers, timeout=self._timeout_sec)
        except self._ray.exceptions.RayTaskError as problem:
            cause = problem.cause if isinstance(problem.cause, InputError) else None
            raise cause or UnavailableError("ray", f"a worker failed: {problem.cause!r}") from None
        except self._ray.exceptions.RayError as problem:
            raise WorkerLostError("ray", f"a worker is lost: {type(problem).__name__}") from None
        return found
