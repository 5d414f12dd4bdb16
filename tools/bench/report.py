"""One file of measurements, reports/bench.json: every benchmark replaces its own entries and keeps the others."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

REPORT: Final = Path(__file__).resolve().parents[2] / "reports" / "bench.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One measurement beside the best peer's; ``ratio`` is the peer's value over ours."""

    name: str
    unit: str
    value: float
    peer: str | None = None
    peerValue: float | None = None
    ratio: float | None = None


def merge(entries: Iterable[Entry], report: Path = REPORT) -> None:
    """Write entries by name into the report, sorted, next to those of other benchmarks."""
    present = json.loads(report.read_text(encoding="utf-8")) if report.exists() else []
    by_name = {item["name"]: item for item in present} | {entry.name: asdict(entry) for entry in entries}
    report.parent.mkdir(exist_ok=True)
    text = json.dumps([by_name[name] for name in sorted(by_name)], indent=1)
    report.write_text(text + "\n", encoding="utf-8")
