"""``make faults-proof``: plant every fault in the keeper, one at a time, and see its tests fail.

The tests pass first without any plant; otherwise a failure would prove nothing. The table goes to
``reports/faults-proof.md``.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.faults.proof.first_keeper import PLANTS as FIRST_KEEPER
from tests.faults.proof.peers import PLANTS as PEERS
from tests.faults.proof.plant import ROOT, Plant, StalePlantError, planted
from tests.faults.proof.report import write_report
from tests.faults.proof.trial import Trial, TrialError, Verdict, attempt, by_room, copied, run_tests

REPORT = ROOT / "reports" / "faults-proof.md"
PLANTS = (*PEERS, *FIRST_KEEPER)


def wanted(part: str) -> list[Plant]:
    """Return the plants whose line or name holds a text."""
    return [plant for plant in PLANTS if part.lower() in f"{plant.line}: {plant.name}".lower()]


def check_sound(plants: list[Plant]) -> list[str]:
    """Run the tests of plants without any, once more what failed on a busy machine; return what does not pass."""
    tests = sorted({test for plant in plants for test in plant.tests})
    with copied({}) as copy:
        doubtful = [found.test for found in _run_rooms(tests, copy) if not found.passed]
        return [f"{found.test}: {found.reason}" for found in _run_rooms(doubtful, copy) if not found.passed]


def _run_rooms(tests: list[str], copy: Path) -> list[Verdict]:
    """Run tests, those of one room in one process."""
    return [found for some in by_room(tests) for found in run_tests(some, copy).values()]


def main(arguments: list[str] | None = None) -> int:
    """Run the proof; return 1 when a plant was missed, 2 when it cannot be run."""
    parser = argparse.ArgumentParser(prog="make faults-proof", description=__doc__)
    parser.add_argument("-k", default="", metavar="TEXT", help="only the plants whose line or name holds the text")
    parser.add_argument("--planted-only", action="store_true", help="do not run the tests without a plant first")
    options = parser.parse_args(arguments)
    plants = wanted(options.k)
    if not plants:
        print(f"error: -k {options.k!r}: no line and no plant holds it", file=sys.stderr)
        return 2
    try:
        for plant in plants:
            planted(plant)
        if not options.planted_only:
            _say(f"{len({test for plant in plants for test in plant.tests})} tests without a plant")
            failed = check_sound(plants)
            if failed:
                raise TrialError("fails without any plant: " + "; ".join(failed))
        trials = _try_all(plants)
    except (StalePlantError, TrialError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    if len(plants) == len(PLANTS):
        write_report(REPORT, trials)
    missed = [trial.plant for trial in trials if not trial.is_noticed]
    for plant in missed:
        print(f"error: {plant.line}: {plant.name}: was not noticed", file=sys.stderr)
    return 1 if missed else 0


def _try_all(plants: list[Plant]) -> list[Trial]:
    """Try each plant, with a line of progress."""
    trials = []
    for place, plant in enumerate(plants, 1):
        trial = attempt(plant)
        trials.append(trial)
        said = "noticed" if trial.is_noticed else "MISSED"
        _say(f"{place:>2}/{len(plants)}  {plant.line}: {plant.name}: {said}, {trial.seconds:.0f} s")
        for verdict in trial.verdicts:
            _say(
                f"        {'failed' if verdict.failed else 'NOT'}: {verdict.test.partition('::')[2]}: {verdict.reason}"
            )
    return trials


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
