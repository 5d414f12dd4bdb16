"""Print how fast mirror and desk are; the desk's figures go into reports/bench.json."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plimsoll.mirror.black76 import greeks, price_and_delta
from tools.bench.desk import desk_entries
from tools.bench.report import merge

OPTIONS: Final = 1_000_000
REPEATS: Final = 3


def best_sec(work: Callable[[], object]) -> float:
    """Shortest of a few runs, in seconds; the first warms the caches."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Measure on one reproducible set of options."""
    random = np.random.default_rng(1)
    forward = random.uniform(1_000.0, 4_000.0, OPTIONS)
    strike = forward * random.uniform(0.5, 2.0, OPTIONS)
    sigma = random.uniform(0.2, 2.0, OPTIONS)
    years = random.uniform(0.01, 1.0, OPTIONS)
    rate = np.full(OPTIONS, 0.04)
    is_call = random.random(OPTIONS) < 0.5
    std, discount = sigma * np.sqrt(years), np.exp(-rate * years)
    priced = best_sec(lambda: price_and_delta(is_call, forward, strike, std, discount))
    greeked = best_sec(lambda: greeks(is_call, forward, strike, sigma, years, rate))
    print(f"price and delta   {OPTIONS / priced / 1e6:8.2f} million options a second")
    print(f"four greeks       {OPTIONS / greeked / 1e6:8.2f} million options a second")
    merge(desk_entries())


if __name__ == "__main__":
    main()
