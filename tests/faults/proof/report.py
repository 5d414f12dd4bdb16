"""The table of a proof: fault, plant, test, noticed or missed, seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.faults.proof.trial import Trial

HEAD: Final = """# Faults planted in the keeper, one at a time

Each line restores one thing that peers' keepers or the first keeper did, and names the tests that failed of it and what
they said. The same tests pass without the plant.

| fault | plant | test | noticed | seconds |
|---|---|---|---|---|
"""


def render(trials: Sequence[Trial]) -> str:
    """Return the report."""
    rows = [
        f"| {trial.plant.line} | {trial.plant.name} | `{verdict.test}` | {_said(verdict.failed, verdict.reason)} "
        f"| {trial.seconds:.0f} |"
        for trial in trials
        for verdict in trial.verdicts
    ]
    return HEAD + "\n".join(rows) + "\n"


def write_report(path: Path, trials: Sequence[Trial]) -> None:
    """Write the report into a file."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(render(trials), encoding="utf-8")


def _said(failed: bool, reason: str) -> str:
    text = reason.replace("|", "\\|")
    return f"yes: {text}" if failed else f"**missed**: {text}"
