"""The report of an audit run: which rules were reached, what they did, how often they were refused as they should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chain.audit.machine import Tally
from tests.chain.invariants.properties import PROPERTIES

ROLES = ("user", "keeper", "governor", "attacker")


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a report says."""

    seed: int
    episodes: int
    calls: int
    seconds: float
    tallies: dict[str, Tally]
    mix: Counter[str]
    checks: Counter[str]
    events: Counter[str]
    never: Sequence[str]
    broken: str = ""

    @property
    def passed(self) -> int:
        return sum(tally.passed for tally in self.tallies.values())

    @property
    def refused(self) -> Counter[str]:
        """Refused calls by error."""
        total: Counter[str] = Counter()
        for tally in self.tallies.values():
            total += tally.refused
        return total

    @property
    def wanted(self) -> int:
        return sum(sum(tally.wanted.values()) for tally in self.tallies.values())


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    right = ["---" if n == 0 else "---:" for n in range(len(head))]
    return [f"| {' | '.join(map(str, row))} |" for row in (head, right, *rows)]


def _summary(run: Run) -> list[str]:
    refused, rate = sum(run.refused.values()), run.calls / max(run.seconds, 1e-9)
    verdict = f"**BROKEN**: {run.broken}" if run.broken else "Every property held after every call."
    return [
        "# Audit",
        "",
        verdict,
        "",
        f"Seed {run.seed}; again with `make audit ARGS='--seed {run.seed}'`.",
        "",
        f"{run.calls:,} calls in {run.seconds:,.0f} s ({rate:.0f} a second), {run.episodes} episodes from one start:"
        f" {run.passed:,} passed, {refused:,} were refused, {run.wanted:,} of those by the very error"
        " that the rule had asked for and the rest by one that its rule allows. A refusal of any other name,"
        " or a call that passes where it must not, ends the run.",
        "",
        "Every call is a transaction of its own, refused ones too.",
        "",
    ]


def render(run: Run) -> str:
    """Return the report as Markdown.

    Parameters
    ----------
    run : Run
        Counts.

    Returns
    -------
    str
        Summary, properties, rules by role, errors, call mix.
    """
    lines = _summary(run)
    lines += ["## Properties", ""]
    lines += _table(
        ("property", "sentence", "checks"), [(k, PROPERTIES[k], f"{n:,}") for k, n in sorted(run.checks.items())]
    )
    for role in ROLES:
        mine = [(name, t) for name, t in sorted(run.tallies.items()) if t.role == role]
        lines += ["", f"## Rules of the {role}", ""]
        rows = [
            (name, t.runs, t.calls, t.passed, ", ".join(f"{e} {n}" for e, n in t.refused.most_common()) or "-")
            for name, t in mine
        ]
        lines += _table(("rule", "runs", "calls", "passed", "refused, as it should be"), rows)
    if run.never:
        lines += ["", f"Never reached: {', '.join(run.never)}."]
    lines += ["", "## Errors met", ""]
    lines += _table(("error", "times"), [(name, f"{n:,}") for name, n in run.refused.most_common()])
    lines += ["", "## Events rebuilt", ""]
    lines += _table(("event", "times"), [(name, f"{n:,}") for name, n in run.events.most_common()])
    lines += ["", "## Call mix", ""]
    lines += _table(("function", "calls"), [(name, f"{n:,}") for name, n in run.mix.most_common()])
    return "\n".join(lines) + "\n"
