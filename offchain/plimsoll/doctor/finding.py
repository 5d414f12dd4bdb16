"""One thing that was looked at: its state, what was seen, and what to do when it is not as it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

SCHEMA: Final = "plimsoll.doctor/1"


class State(StrEnum):
    """What became of a check."""

    OK = "ok"
    MISSING = "missing"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Parameters
    ----------
    group : str
        What the line belongs to: ``installed``, ``node``, ``deployment`` or ``feed``.
    name : str
        What was looked at.
    state : State
        Whether it is there and as it should be.
    seen : str
        What was found, with the figure and, where there is one, the limit.
    advice : str
        What to do about it; empty when nothing is to be done.
    needed : bool
        Whether the command fails without it; what is optional is reported and fails nothing.
    """

    group: str
    name: str
    state: State
    seen: str
    advice: str = ""
    needed: bool = True


def is_well(findings: Sequence[Finding]) -> bool:
    """Return whether everything that is needed, or was asked for, is as it should be."""
    return all(finding.state is State.OK for finding in findings if finding.needed)


def document_of(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as a ``plimsoll.doctor/1`` document.

    Parameters
    ----------
    findings : sequence of Finding
        In the order they are shown.

    Returns
    -------
    dict
        ``isWell`` is what the exit code says.
    """
    return {"schema": SCHEMA, "isWell": is_well(findings), "findings": [asdict(finding) for finding in findings]}
