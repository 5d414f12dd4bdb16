"""Runs tests against a copy of the package, and tells a test that failed from one that could not be run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from tests.faults.proof.plant import ROOT, SOURCE, Plant, planted

#: Longest trial of one test: the longest fault test ends itself sooner.
TEST_SEC: Final = 300


class TrialError(Exception):
    """Tests could not be run at all."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one test ended.

    Parameters
    ----------
    test : str
        As pytest is told it.
    failed : bool
        Whether the test itself failed; what fails in a fixture, or hangs, says nothing about the fault.
    reason : str
        First line of what it said.
    passed : bool
        Whether every case of it passed.
    """

    test: str
    failed: bool
    reason: str = ""
    passed: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one plant.

    Parameters
    ----------
    plant : Plant
    verdicts : list of Verdict
        One for each test.
    seconds : float
    """

    plant: Plant
    verdicts: list[Verdict] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_noticed(self) -> bool:
        """Whether every test that should notice did."""
        return bool(self.verdicts) and all(verdict.failed for verdict in self.verdicts)


@contextmanager
def copied(changed: dict[str, str]) -> Iterator[Path]:
    """Make a copy of ``offchain/`` with other files, for as long as the block lasts.

    Parameters
    ----------
    changed : dict of str
        New text, by path below the package.

    Yields
    ------
    Path
        What belongs on ``PYTHONPATH``.
    """
    with tempfile.TemporaryDirectory(prefix="plimsoll-planted-") as folder:
        copy = Path(folder) / "offchain"
        # Times of files are kept, so that compiled kernels of unchanged ones serve the copy too.
        shutil.copytree(SOURCE, copy)
        for path, text in changed.items():
            (copy / "plimsoll" / path).write_text(text, encoding="utf-8")
        yield copy


def run_tests(tests: Sequence[str], copy: Path) -> dict[str, Verdict]:
    """Run tests against a copy of the package.

    Parameters
    ----------
    tests : sequence of str
        As pytest is told them; run in one process.
    copy : Path
        From :func:`copied`.

    Returns
    -------
    dict of Verdict
        By test.

    Raises
    ------
    TrialError
        When the copy is not what would be tested, or a test was not found, or pytest itself failed.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(copy), str(ROOT))),
        "PLIMSOLL_FAULTS_REPORT": str(copy.parent / "faults.md"),
    }
    _see_copy(copy, environment)
    report = copy.parent / "report.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:pytest-brownie", "-p", "no:cacheprovider", "-q"]
    command += [f"--junitxml={report}", "-o", "junit_family=xunit1", *tests]
    ended = _run(command, environment, TEST_SEC * len(tests))
    if ended is None:
        return {test: Verdict(test, failed=False, reason=f"hangs for more than {TEST_SEC} s") for test in tests}
    code, said = ended
    if code not in (0, 1) or not report.is_file():
        raise TrialError(f"pytest ended with {code}: {said[-2_000:]}")
    return read_report(report, tests)


def attempt(plant: Plant) -> Trial:
    """Plant a fault and run the tests that should notice.

    Parameters
    ----------
    plant : Plant

    Returns
    -------
    Trial
        Tests that could not be run have not noticed it.

    Raises
    ------
    StalePlantError
        When the source is no longer what the plant was written for.
    """
    began = time.monotonic()
    found: dict[str, Verdict] = {}
    with copied(planted(plant)) as copy:
        for tests in by_room(plant.tests):
            try:
                found |= run_tests(tests, copy)
            except TrialError as problem:
                found |= {test: Verdict(test, failed=False, reason=str(problem)) for test in tests}
    return Trial(plant, [found[test] for test in plant.tests], time.monotonic() - began)


def by_room(tests: Sequence[str]) -> list[list[str]]:
    """Part tests by room, whose fixtures differ: each part runs in one process.

    Parameters
    ----------
    tests : sequence of str

    Returns
    -------
    list of list of str
    """
    rooms: dict[str, list[str]] = {}
    for test in tests:
        rooms.setdefault("/".join(test.split("/")[:2]), []).append(test)
    return list(rooms.values())


def _see_copy(copy: Path, environment: dict[str, str]) -> None:
    """Refuse to test another package than the copy."""
    command = [sys.executable, "-c", "from importlib.util import find_spec; print(find_spec('plimsoll').origin)"]
    where = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    if not Path(where.strip()).is_relative_to(copy):
        raise TrialError(f"{where.strip()} would be tested instead of {copy}")


def _run(command: Sequence[str], environment: dict[str, str], longest_sec: float) -> tuple[int, str] | None:
    """Run a command to its end; return code and output, nothing when it took too long.

    Whatever it has started, chains and keepers among it, ends with it.
    """
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=longest_sec)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return process.returncode, said


def read_report(report: Path, tests: Sequence[str]) -> dict[str, Verdict]:
    """Read a report of pytest.

    Parameters
    ----------
    report : Path
        JUnit's form, with the file of each test.
    tests : sequence of str
        As pytest was told them; one with several cases failed when each of them did.

    Returns
    -------
    dict of Verdict
        By test.

    Raises
    ------
    TrialError
        When a test is not in it.
    """
    # The report is our own pytest's.
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))  # noqa: S314
    found = {}
    for test in tests:
        path, _, name = test.partition("::")
        mine = [c for c in cases if c.get("file") == path and (c.get("name") == name or _bare(c) == name)]
        if not mine:
            raise TrialError(f"{test} was not run")
        found[test] = _verdict(test, mine)
    return found


def _bare(case: ElementTree.Element) -> str:
    return (case.get("name") or "").partition("[")[0]


def _verdict(test: str, cases: Sequence[ElementTree.Element]) -> Verdict:
    failures = [case.find("failure") for case in cases]
    messages = [found.get("message", "") for found in failures if found is not None]
    if len(messages) == len(cases):
        return Verdict(test, failed=True, reason=_first_line(messages[0]))
    errors = [found.get("message", "") for case in cases if (found := case.find("error")) is not None]
    passed = len(cases) - len(messages) - len(errors)
    said = _first_line(errors[0]) if errors else f"{passed} of {len(cases)} passed"
    return Verdict(test, failed=False, reason=said, passed=passed == len(cases))


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:160]
