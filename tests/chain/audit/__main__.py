"""``make audit``: a local chain, the property machine, and a report in reports/audit.md."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from plimsoll.chain import anvil
from tests.chain.audit.machine import BrokenError, Machine, Tally
from tests.chain.audit.report import Run, render
from tests.chain.audit.rules import RULES
from tests.chain.helpers.mocks import use_mocks
from tests.chain.invariants.world import build

REPORT = Path("reports") / "audit.md"
START_TS = 1_770_000_000
#: The same run on every machine, so that a failure is a change of the code.
SEED = 20_260_203
CALLS, EPISODE_CALLS = 24_000, 250
#: Events without which a run proves little.
REACHED = (
    *("BidFilled, solvent", "BidFilled, insolvent", "LossCovered", "LossSocialised", "AuctionEnded", "MarginCalled"),
    *("MarginCallMet", "SettlementPosted", "ModeChanged"),
)
SAY_EVERY_SEC = 15.0


def play(machine: Machine, calls: int) -> int:
    """Draw rules until enough calls are made; return the number of episodes."""
    episodes, weights = 0, [rule.weight for rule in RULES]
    said, started = time.monotonic(), time.monotonic()
    while machine.calls < calls:
        machine.begin()
        episodes += 1
        until = machine.calls + EPISODE_CALLS
        while machine.calls < min(until, calls):
            rule = machine.rng.choices(RULES, weights)[0]
            machine.rule = rule.name
            machine.tallies.setdefault(rule.name, Tally(rule.role)).runs += 1
            rule.run(machine)
            if time.monotonic() - said > SAY_EVERY_SEC:
                said = time.monotonic()
                rate = machine.calls / (said - started)
                print(f"   {machine.calls:,} calls, {rate:.1f} a second", file=sys.stderr, flush=True)
        machine.end()
    return episodes


def main(arguments: list[str] | None = None) -> int:
    """Run, write the report, return 1 when a property broke or a rule was never reached."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--calls", type=int, default=CALLS)
    options = parser.parse_args(arguments)
    use_mocks()
    print(f"seed {options.seed}; {options.calls:,} calls", file=sys.stderr, flush=True)
    started, broken, episodes = time.monotonic(), "", 0
    with anvil.running(START_TS) as chain:
        machine = Machine(build(chain.url), options.seed)
        try:
            episodes = play(machine, options.calls)
        except BrokenError as found:
            broken = str(found)
    missed = sorted({rule.name for rule in RULES} - set(machine.tallies)) + [
        e for e in REACHED if not machine.events[e]
    ]
    # A short run is a test of the rules; only a whole one has the calls to reach everything.
    never = missed if not broken and options.calls >= CALLS else []
    run = Run(
        *(options.seed, episodes, machine.calls, time.monotonic() - started, machine.tallies, machine.mix),
        *(machine.checks, machine.events, never, broken),
    )
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(render(run), encoding="utf-8")
    print(f"{machine.calls:,} calls in {run.seconds:,.0f} s, {run.passed:,} passed; {REPORT}")
    for problem in filter(None, (broken, f"never reached: {', '.join(never)}" if never else "")):
        print(f"error: {problem}", file=sys.stderr)
    return 1 if broken or never else 0


if __name__ == "__main__":
    sys.exit(main())
