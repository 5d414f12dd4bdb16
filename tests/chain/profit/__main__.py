"""The profit machine: attackers with many accounts and one purse against honest people on a local chain."""

from __future__ import annotations

import argparse
import sys

from plimsoll.chain import anvil
from tests.chain.profit.bridge import EPOCH_BLOCKS
from tests.chain.profit.judge import SENTENCES
from tests.chain.profit.machine import run
from tests.chain.profit.plays import PLAYS
from tests.chain.profit.world import build

START_TS = 1_770_000_000
#: The same run on every machine, so that a failure is a change of the code.
SEED = 20_261_128
EPISODES = 120


def main(arguments: list[str] | None = None) -> int:
    """Run; return 1 when a property fell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--episodes", type=int, default=EPISODES)
    parser.add_argument("--play", default="", help="only plays whose name contains this")
    parser.add_argument("--all", action="store_true", help="go on after a property fell")
    options = parser.parse_args(arguments)
    plans = [plan for plan in PLAYS if options.play in plan.name]
    with anvil.running(START_TS, epoch_blocks=EPOCH_BLOCKS) as chain:
        result = run(build(chain.url), plans, options.episodes, options.seed, keep_going=options.all)
    calls = sum(result.calls.values())
    passed = sum(count for name, count in result.calls.items() if name.endswith("passed"))
    print(f"{result.episodes} episodes, {calls:,} calls ({passed:,} passed) in {result.seconds:,.0f} s")
    for key, sentence in SENTENCES.items():
        print(f"  {key} {sentence}: {result.checks[key]:,} checks")
    if options.play:
        print(dict(sorted(result.calls.items())))
    for name, found in result.broken.items():
        print(f"error: {name}: {found}", file=sys.stderr)
    return 1 if result.broken else 0


if __name__ == "__main__":
    sys.exit(main())
