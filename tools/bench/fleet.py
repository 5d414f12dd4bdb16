"""Measure the mirror at scale beside its anchors, in one process and one run; the figures go into reports/bench.json.

A figure of a shared machine says little; its ratio to the anchor that was measured between its own repeats says much.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numba
import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import ndtr

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plimsoll.mirror.fleet import Fleet
from plimsoll.mirror.fleet.node_scan import NodeScan
from plimsoll.mirror.kernels import price_and_greeks
from plimsoll.mirror.threads import in_parts
from plimsoll.model import Mode
from plimsoll.params import Params
from tools.bench.fleets import NAMES, bench_columns, bench_market
from tools.bench.report import Entry, merge

OPTIONS: Final = 1_000_000
ACCOUNTS: Final = 1_000_000
HELD: Final = 20
INSTRUMENTS: Final = 2_000
ROWS: Final = 16
REPEATS: Final = 5
#: Accounts of the comparison on Ray, and of the figures by mode.
SOME: Final = 100_000
RAY_TURNS: Final = 31


@dataclass(frozen=True, slots=True)
class Pair:
    """Best times of ours and of the anchor, seconds: turn and turn about, so that both meet the same neighbours.

    ``ours_core_sec`` is processor time of all threads together: what neighbours take away does not count in it.
    """

    ours_sec: float
    anchor_sec: float
    ours_core_sec: float
    anchor_core_sec: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.anchor_sec / self.ours_sec


def compared(ours: Callable[[], object], anchor: Callable[[], object], repeats: int = REPEATS) -> Pair:
    times: list[list[float]] = [[], []]
    cores: list[list[float]] = [[], []]
    for work in (ours, anchor):
        work()
    for _ in range(repeats):
        for work, spent, busy in zip((ours, anchor), times, cores, strict=True):
            start, begun = time.perf_counter(), time.process_time()
            work()
            spent.append(time.perf_counter() - start)
            busy.append(time.process_time() - begun)
    return Pair(min(times[0]), min(times[1]), min(cores[0]), min(cores[1]))


def pricing() -> Entry:
    """Price and four greeks of a million options against numpy with scipy's normal distribution."""
    draw = np.random.default_rng(1)
    forward = draw.uniform(1_000.0, 4_000.0, OPTIONS)
    strike = forward * draw.uniform(0.5, 2.0, OPTIONS)
    sigma, years = draw.uniform(0.2, 2.0, OPTIONS), draw.uniform(0.01, 1.0, OPTIONS)
    drift, is_call = np.full(OPTIONS, 0.04), draw.random(OPTIONS) < 0.5
    out = np.empty((5, OPTIONS))
    sign = np.where(is_call, 1.0, -1.0)

    def lean(begin: int, end: int) -> tuple[np.ndarray, ...]:
        """As one would write it by hand, in blocks that stay in the cache."""
        f, k, s, t, r, side = (x[begin:end] for x in (forward, strike, sigma, years, drift, sign))
        root = np.sqrt(t)
        std, discount = s * root, np.exp(-r * t)
        d1 = np.log(f / k) / std + 0.5 * std
        n1, n2 = ndtr(side * d1), ndtr(side * (d1 - std))
        density = 0.3989422804014327 * np.exp(-0.5 * d1 * d1)
        price = discount * side * (f * n1 - k * n2)
        vega = discount * f * density * root
        theta = r * price - 0.5 * vega * s / t
        return price, discount * side * n1, discount * density / (f * std), vega, theta

    pair = compared(
        lambda: price_and_greeks(is_call, forward, strike, sigma, years, drift, out=out),
        lambda: [lean(begin, begin + 8_192) for begin in range(0, OPTIONS, 8_192)],
    )
    found = np.concatenate([lean(b, b + 8_192)[0] for b in range(0, OPTIONS, 8_192)])
    worst = float(np.max(np.abs(found - out[0]) / forward))
    rate, peer = OPTIONS / pair.ours_sec / 1e6, OPTIONS / pair.anchor_sec / 1e6
    print(f"pricing      {rate:8.1f} M options/s, {pair.ratio:5.1f} x numpy; off by {worst:.1e} of the forward")
    return Entry("off.pricing", "M/s", rate, "numpy and ndtr, M/s", peer, pair.ratio)


@numba.njit(fastmath=True, nogil=True, cache=True)
def rows_by_hand(start, instrument, quantity, loss, first, end, worst):
    """Scan as one writes it by hand: one unrolled loop over sixteen rows, kept in the cache of the core."""
    sums = np.empty(ROWS)
    for account in range(first, end):
        sums[:] = 0.0
        for entry in range(start[account], start[account + 1]):
            row, size = instrument[entry], quantity[entry]
            for i in range(ROWS):
                sums[i] += size * loss[row, i]
        worst[account] = max(0.0, sums.max())


def scanned() -> list[Entry]:
    """Worst of 16 rows of a million accounts against scipy; one instrument's change against numpy on kept sums."""
    draw = np.random.default_rng(1)
    start = np.arange(ACCOUNTS + 1, dtype=np.int64) * HELD
    instrument = draw.integers(0, INSTRUMENTS, ACCOUNTS * HELD, dtype=np.int32)
    quantity, loss = draw.standard_normal(ACCOUNTS * HELD), draw.standard_normal((INSTRUMENTS, ROWS))
    held = csr_matrix((quantity, instrument, start), shape=(ACCOUNTS, INSTRUMENTS))
    scan = NodeScan(start, instrument, quantity, loss)
    pair = compared(scan.scan, lambda: np.maximum((held @ loss).max(axis=1), 0.0), 3)
    worst = np.empty(ACCOUNTS)

    def by_hand() -> None:
        in_parts(lambda first, end: rows_by_hand(start, instrument, quantity, loss, first, end, worst), ACCOUNTS, 2)

    hand = compared(scan.scan, by_hand, 9)
    if not np.allclose(scan.worst, worst, rtol=0.0, atol=1e-12):
        raise AssertionError("the scan and the loop by hand disagree")
    rate, core = ACCOUNTS / hand.ours_sec / 1e6, ACCOUNTS / hand.ours_core_sec / 1e6
    by_scipy = ACCOUNTS / pair.anchor_sec / 1e6
    peer, peer_core = ACCOUNTS / hand.anchor_sec / 1e6, ACCOUNTS / hand.anchor_core_sec / 1e6
    print(f"node scan    {rate:8.1f} M accounts/s, {pair.ratio:5.1f} x scipy, {hand.ratio:5.2f} x numba by hand")
    print(f"             {core:8.1f} M accounts in a second of one core; numba by hand {peer_core:.1f}")
    plain = [
        Entry("off.margin1m", "M/s", rate, "scipy CSR, M/s", by_scipy, pair.ratio),
        Entry("off.margin1m.hand", "M/s", rate, "numba by hand, M/s", peer, hand.ratio),
        Entry("off.margin1m.core", "M/s a core", core, "numba by hand, M/s a core", peer_core, core / peer_core),
    ]
    scan.scan(keep=True)
    sums = held @ loss
    number = 7
    column = held.tocsc()[:, [number]].tocoo()
    holders, sizes = column.row, column.data
    rows = [draw.standard_normal(ROWS) for _ in range(2)]
    turn = iter(range(10**9))

    def by_numpy() -> np.ndarray:
        sums[holders] += sizes[:, None] * (rows[next(turn) % 2] - rows[0])
        return sums[holders].max(axis=1)

    changed = compared(lambda: scan.change(number, rows[next(turn) % 2]), by_numpy, 40)
    print(f"incremental  {changed.ours_sec * 1e3:8.3f} ms for {len(holders)} holders, {changed.ratio:5.1f} x numpy")
    return [
        *plain,
        Entry("off.incremental", "ms", changed.ours_sec * 1e3, "numpy, ms", changed.anchor_sec * 1e3, changed.ratio),
    ]


def whole() -> list[Entry]:
    """Measure the whole requirement: by mode, and a million accounts within two gigabytes."""
    entries = []
    market, later = bench_market(), bench_market(1.01)
    for mode in Mode:
        fleet = Fleet.from_columns(bench_columns(SOME, HELD, mode), NAMES)
        fleet.evaluate(market, Params())
        spent, busy = [], []
        for now in (later, market, later):
            start, begun = time.perf_counter(), time.process_time()
            fleet.refresh(now, Params())
            spent.append(time.perf_counter() - start)
            busy.append(time.process_time() - begun)
        rate, core = SOME / min(spent) / 1e6, SOME / min(busy) / 1e6
        print(f"requirement  {rate:8.3f} M accounts/s in {mode.name}, a new round for all; {core:.3f} M a core")
        entries.append(Entry(f"off.requirement.{mode.name.lower()}", "M/s", rate))
    columns = bench_columns(ACCOUNTS, HELD)
    start = time.perf_counter()
    fleet = Fleet.from_columns(columns, NAMES)
    built = time.perf_counter() - start
    fleet.evaluate(market, Params())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    start = time.perf_counter()
    fleet.update(columns_of_few(columns))
    few = fleet.refresh(market, Params())
    traded = time.perf_counter() - start
    print(f"a million    {built:8.2f} s to build, {peak:.2f} GiB at most; {len(few)} traded: {traded * 1e3:.1f} ms")
    return [*entries, Entry("off.memory1m", "GiB", peak), Entry("off.traded", "ms", traded * 1e3)]


def columns_of_few(columns, accounts: int = 10):
    """Return the first accounts of columns that are sorted by account."""
    positions = slice(0, accounts * HELD)
    pledged = np.searchsorted(columns.collateral_account, columns.account_ids[accounts])
    tables = (slice(0, accounts), positions, slice(0, pledged))
    sizes = {len(columns.account_ids): 0, len(columns.position_account): 1, len(columns.collateral_account): 2}
    names = columns.__dataclass_fields__
    return type(columns)(**{n: getattr(columns, n)[tables[sizes[len(getattr(columns, n))]]].copy() for n in names})


def medians(ours: Callable[[object], object], anchor: Callable[[object], object]) -> tuple[float, float, float]:
    """Return the middle times of ours and of the anchor, turn and turn about with two markets, and the worst of ours.

    The middle and not the best: what a worker waits for another, and for its turn on a core, belongs to the figure.
    """
    markets, times = (bench_market(), bench_market(1.01)), ([], [])
    for turn in range(-4, RAY_TURNS):
        for work, spent in zip((ours, anchor), times, strict=True):
            start = time.perf_counter()
            work(markets[turn % 2])
            if turn >= 0:
                spent.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1]), max(times[0])


def on_ray() -> list[Entry]:
    """Two workers on Ray against two threads here: margins of everybody, a keeper's look, and a fleet that is small."""
    # As the keeper sets it: by default the workers would give way to whatever else runs.
    os.environ.setdefault("RAY_worker_niceness", "0")
    import ray

    from plimsoll.mirror.fleet.ray_fleet import RayFleet

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    entries = []
    for suffix, accounts, is_watched in (("", SOME, False), (".watch", SOME, True), (".small", SOME // 10, False)):
        columns = bench_columns(accounts, HELD)
        here, there = Fleet.from_columns(columns, NAMES, threads=2), RayFleet.from_columns(columns, NAMES, workers=2)

        def ask(fleet: Fleet | RayFleet, market: object, is_watched: bool = is_watched) -> object:
            return fleet.watch(market, Params(), ()) if is_watched else fleet.evaluate(market, Params())

        ours, anchor, worst = medians(partial(ask, there), partial(ask, here))
        there.close()
        about = f"{accounts:,} accounts{', watched' if is_watched else ''}"
        print(f"ray          {ours * 1e3:8.1f} ms, {ours / anchor:5.2f} x one process ({worst * 1e3:.1f} ms); {about}")
        entries.append(Entry(f"off.ray{suffix}", "ms", ours * 1e3, "one process, ms", anchor * 1e3, anchor / ours))
    ray.shutdown()
    return entries


def main() -> None:
    """Measure all; each part writes its own figures."""
    # The largest comes first: the peak of memory is that of the process.
    for part in (whole, lambda: [pricing()], scanned, on_ray):
        merge(part())


if __name__ == "__main__":
    main()
