"""Measure the decision: what is wanted of a million accounts, ten of which are in trouble; into reports/bench.json."""

from __future__ import annotations

import time
from typing import Final

import numpy as np

from plimsoll.decide import (
    LiquidationView,
    MarginCallView,
    Margins,
    decide_liquidations,
    decide_margin_calls,
    merged,
    sift,
)
from tools.bench.report import Entry, merge

ACCOUNTS: Final = 1_000_000
BAD: Final = 10
RUNS: Final = 20
#: What one pass must stay below.
DECIDE_MS: Final = 20.0


def fleet() -> Margins:
    """Make a million accounts with one and a half times their requirement, ten of them below maintenance."""
    draw = np.random.default_rng(1)
    initial = draw.uniform(1_000.0, 100_000.0, ACCOUNTS)
    equity, maintenance = 1.5 * initial, 0.8 * initial
    bad = draw.choice(ACCOUNTS, BAD, replace=False)
    equity[bad] = 0.9 * maintenance[bad]
    ids = np.arange(2, ACCOUNTS + 2)
    nobody = np.zeros(ACCOUNTS, dtype=bool)
    return Margins(ids, equity, equity.copy(), initial, maintenance, 10.0 * initial, nobody, nobody)


def decide_ms() -> float:
    """Return the shortest time of sifting and deciding, milliseconds: what else the machine does only adds to it."""
    margins, spent = fleet(), []
    for _ in range(RUNS):
        start = time.perf_counter()
        sifted = sift(margins)
        accounts = merged(sifted, {}, ())
        steps = decide_liquidations(LiquidationView(0, accounts))
        calls = decide_margin_calls(MarginCallView(accounts))
        spent.append(1e3 * (time.perf_counter() - start))
        if (len(steps), len(calls)) != (BAD, 0):
            raise AssertionError(f"{len(steps)} auctions and {len(calls)} calls of {BAD} accounts")
    return min(spent)


if __name__ == "__main__":
    measured = decide_ms()
    merge([Entry("off.decide1m", "ms", round(measured, 3), "must", DECIDE_MS, round(DECIDE_MS / measured, 2))])
    print(f"decide, {ACCOUNTS:,} accounts, {BAD} bad: {measured:.2f} ms (must {DECIDE_MS:g})")
