"""A goal in a trader's words: ``free 5,000 IM, keep delta, at most 3 trades, cost at most 50``.

Clauses are separated by a semicolon, by ``and``, or by a comma with a blank behind it; the comma within a number has
none. Every clause is one of those in ``CLAUSES``, and what none of them reads is refused by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from plimsoll.analytics.optimise.limits import Limits
from plimsoll.errors import InputError

NUMBER: Final = r"(?P<number>[0-9][0-9,_]*(?:\.[0-9]+)?)"
#: What a clause looks like, and the part of the goal that it sets.
CLAUSES: Final = {
    "free": rf"(?:free|release) {NUMBER}(?: (?:of )?(?:im|margin|initial margin))?",
    "shortfall": rf"(?:cvar|es|shortfall) (?:below|at most) {NUMBER}",
    "keep": r"keep (?P<greek>delta|gamma|vega)",
    "trades": rf"at most {NUMBER} trades?",
    "budget": rf"cost (?:below|at most) {NUMBER}",
    "turnover": rf"turnover (?:below|at most) {NUMBER}",
    "more_margin": rf"(?:im|margin) up (?:by )?at most {NUMBER}",
}
EXAMPLES: Final = (
    "free 5,000 IM",
    "cvar below 800",
    "keep delta",
    "at most 3 trades",
    "cost at most 50",
    "turnover at most 100,000",
    "margin up at most 500",
)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted: initial margin to free or a shortfall to reach, cash; greeks that stay; limits."""

    free: float | None
    shortfall: float | None
    keep: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)


def _number(text: str, clause: str) -> float:
    """Read a number; a comma may only part thousands."""
    if "," in text and not re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", text):
        raise InputError(
            "--goal", f"{text!r} in {clause!r} is no number: a comma parts thousands, a point the decimals"
        )
    return float(text.replace(",", "").replace("_", ""))


def read_goal(text: str) -> Goal:
    """Read a goal.

    Parameters
    ----------
    text : str
        One clause or more; capitals do not matter.

    Returns
    -------
    Goal

    Raises
    ------
    InputError
        For a clause that is none of ``CLAUSES``, a clause that is there twice, or unless there is just one of margin to
        free and a shortfall to reach.
    """
    found: dict[str, Any] = {}
    keep: list[str] = []
    for clause in re.split(r"\s*;\s*|\s+and\s+|,\s+", text.strip().lower()):
        name, match = next(
            ((name, match) for name, form in CLAUSES.items() if (match := re.fullmatch(form, clause))), (None, None)
        )
        if match is None:
            raise InputError("--goal", f"{clause!r} is not understood; clauses are: {'; '.join(EXAMPLES)}")
        if name == "keep":
            keep.append(match["greek"])
        elif name in found:
            raise InputError("--goal", f"{clause!r}: this is said twice")
        else:
            found[str(name)] = _number(match["number"], clause)
    free, shortfall = found.pop("free", None), found.pop("shortfall", None)
    if (free is None) == (shortfall is None):
        raise InputError("--goal", "say either how much margin to free, or below what CVaR shall be")
    if shortfall is not None and keep:
        raise InputError("--goal", "keep goes with margin to free; a hedge that lowers CVaR changes the greeks")
    if "trades" in found:
        if found["trades"] != int(found["trades"]):
            raise InputError("--goal", f"{found['trades']:g} is no number of trades")
        found["trades"] = int(found["trades"])
    return Goal(free, shortfall, tuple(dict.fromkeys(keep)), Limits(**found))
