"""The page that a soak leaves behind."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MIB = 1024 * 1024
#: Age at which the memory of every start is compared, seconds: kernels are compiled, the index is read.
OLD_ENOUGH_SEC = 25.0


@dataclass
class Facts:
    """Everything that was seen.

    Attributes
    ----------
    figures : dict of str to object
        What the table shows, in order.
    happened : Mapping of str to int
        How often each mishap struck.
    broken : list of str
        Promises that were not kept, a line each.
    """

    figures: dict[str, object] = field(default_factory=dict)
    happened: Mapping[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def check(self, is_kept: bool, line: str) -> None:
        """Note a promise that was not kept."""
        if not is_kept:
            self.broken.append(line)


def growth_of(samples: Sequence[tuple[float, int]]) -> float:
    """Return memory of the last third of the samples of grown-up processes over that of the first third.

    Parameters
    ----------
    samples : sequence of (float, int)
        Seconds since the start of the process, and bytes, in the order in which they were taken.

    Returns
    -------
    float
        Ratio of medians; 1 where there are too few to tell.
    """
    grown = [size for age_sec, size in samples if age_sec >= OLD_ENOUGH_SEC]
    third = len(grown) // 3
    return statistics.median(grown[-third:]) / statistics.median(grown[:third]) if third >= 5 else 1.0


def render(facts: Facts) -> str:
    """Return the page as Markdown."""
    verdict = "Every promise was kept." if not facts.broken else "Promises that were not kept:"
    lines = [
        *("# Soak", ""),
        "The demo's market at many times its speed, leader and standby on one PostgreSQL, faults of every kind, and a",
        "kill -9 again and again. The same seed gives the same prices and the same order of mishaps.",
        *("", verdict, *(f"- {line}" for line in facts.broken), ""),
        *("| what | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.figures.items()), ""),
        *("| mishap | times |", "|---|---|"),
        *(f"| {name} | {count} |" for name, count in sorted(facts.happened.items())),
    ]
    return "\n".join(lines) + "\n"
