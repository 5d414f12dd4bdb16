"""The table of faults: what happened, how long anybody was unattended, what was sent against what was needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One fault and how the keeper came through it.

    ``unattended_sec`` is from the block that made an account liquidatable to the block of its auction as a watcher of
    the chain saw them; ``outage_sec`` of it nobody could have acted.
    """

    fault: str
    outcome: str
    unattended_sec: float
    bound_sec: float
    outage_sec: float
    needed: int
    sent: int
    reverted: int


HEAD = """# Faults

What a whole keeper did while this happened to it, on a real chain through a real node. Unattended is the time from the
round that made an account liquidatable to its auction; the bound counts from the end of the outage, where there is one,
and is longer where the machine was so busy that a keeper took longer than 8 s to start.
Needed is what the effects on chain took; sent is what was mined of this keeper, reverted transactions among them.

| fault | outcome | unattended, s | of it outage, s | bound, s | needed | sent | reverted |
|---|---|---|---|---|---|---|---|
"""


def write_report(path: Path, rows: Sequence[Row]) -> None:
    """Write one line for each fault."""
    lines = [
        f"| {row.fault} | {row.outcome} | {row.unattended_sec:.1f} | {row.outage_sec:.1f} | {row.bound_sec:.0f} "
        f"| {row.needed} | {row.sent} | {row.reverted} |"
        for row in rows
    ]
    path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
