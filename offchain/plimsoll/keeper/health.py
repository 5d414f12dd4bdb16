"""Whether the keeper makes progress (``/health``), and whether it could act now (``/ready``).

A process that runs is not healthy by that. Three things must have moved lately: each duty finished a pass, the
endpoints agreed on a head, and the index followed it. A chain that makes no blocks stands still without anybody's
fault: the same head, agreed on again, is progress, and an index that has reached it need not move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from plimsoll.keeper.config.sections import HealthSection
from plimsoll.keeper.lease import Role, boot_clock


@dataclass(frozen=True, slots=True)
class Verdict:
    """Answer of one probe.

    Parameters
    ----------
    is_ok : bool
    problems : tuple of str
        Why not, each with the observed value and the limit; empty when it is.
    facts : dict
        What the answer rests on.
    """

    is_ok: bool
    problems: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the answer as JSON shows it."""
        return {"ok": self.is_ok, "problems": list(self.problems), **self.facts}


class Progress:
    """What has moved, and when.

    Parameters
    ----------
    section : HealthSection
        Limits.
    duties : iterable of str
        Names of what must finish a pass again and again.
    clock : Callable[[], float]
        Seconds on a clock that nobody sets.
    """

    def __init__(self, section: HealthSection, duties: Iterable[str], clock: Callable[[], float] = boot_clock) -> None:
        self._section = section
        self._clock = clock
        self._started = clock()
        self._passes: dict[str, float | None] = dict.fromkeys(duties)
        self._head: tuple[int, float] | None = None
        self._head_moved = self._started
        self._index: int | None = None
        #: When the index last moved, or was level with the head.
        self._index_fine = self._started

    def duty_done(self, duty: str) -> None:
        """Note that a duty finished a pass, whether there was anything to do or not; a failed pass is none.

        Parameters
        ----------
        duty : str
            One of the names given at the start.

        Raises
        ------
        KeyError
            For another name: a duty that nobody watches is a mistake of the caller.
        """
        if duty not in self._passes:
            raise KeyError(duty)
        self._passes[duty] = self._clock()

    def head_seen(self, number: int) -> None:
        """Note a head that the endpoints agreed on just now, moved or not."""
        now = self._clock()
        if self._head is None or number != self._head[0]:
            self._head_moved = now
        if self._is_level():
            self._index_fine = now
        self._head = (number, now)

    def index_at(self, number: int) -> None:
        """Note the last block in the index; a block backwards, as in a reorganisation, is progress too."""
        is_moved, self._index = number != self._index, number
        if is_moved or self._is_level():
            self._index_fine = self._clock()

    def _is_level(self) -> bool:
        return self.lag_blocks is not None and self.lag_blocks <= 0

    @property
    def quiet_sec(self) -> float:
        """Seconds since the agreed head last moved."""
        return self._clock() - self._head_moved

    @property
    def lag_blocks(self) -> int | None:
        """Blocks from the index to the head; ``None`` before both are known."""
        return None if self._head is None or self._index is None else self._head[0] - self._index

    def health(self) -> Verdict:
        """Return whether everything that must move has moved lately."""
        problems = [*self._late_duties(), *self._late_head(), *self._late_index()]
        facts = {
            "head": self._head[0] if self._head else None,
            "index": self._index,
            "quiet_sec": round(self.quiet_sec, 1),
            "last_pass_sec": {duty: self._since(moment) for duty, moment in self._passes.items()},
        }
        return Verdict(not problems, tuple(problems), facts)

    def _since(self, moment: float | None) -> float | None:
        return None if moment is None else round(self._clock() - moment, 1)

    def _late_duties(self) -> Iterable[str]:
        now, section = self._clock(), self._section
        running_sec = now - self._started
        for duty, moment in self._passes.items():
            if moment is None:
                if running_sec > section.start_sec:
                    yield f"{duty}: no pass since the start {running_sec:.0f} s ago, limit {section.start_sec:g} s"
            elif now - moment > section.duty_sec:
                yield f"{duty}: last pass {now - moment:.0f} s ago, limit {section.duty_sec:g} s"

    def _late_head(self) -> Iterable[str]:
        seen = self._started if self._head is None else self._head[1]
        age = self._clock() - seen
        if age > self._section.head_sec:
            yield f"head: endpoints last agreed {age:.0f} s ago, limit {self._section.head_sec:g} s"

    def _late_index(self) -> Iterable[str]:
        section = self._section
        if self._index is None:
            age = self._clock() - self._started
            if age > section.start_sec:
                yield f"index: empty {age:.0f} s after the start, limit {section.start_sec:g} s"
            return
        lag, age = self.lag_blocks or 0, self._clock() - self._index_fine
        if lag > 0 and age > section.index_sec:
            yield f"index: {lag} blocks behind and unmoved for {age:.0f} s, limit {section.index_sec:g} s"


def readiness(progress: Progress, section: HealthSection, role: Role, written_sec: float, keys: bool) -> Verdict:
    """Return whether the keeper could act now, or take over.

    Parameters
    ----------
    progress : Progress
        Head and index.
    section : HealthSection
        Limits.
    role : Role
        Of the lease.
    written_sec : float
        Seconds since the database last took a write.
    keys : bool
        Whether every configured key is open.

    Returns
    -------
    Verdict
    """
    lag = progress.lag_blocks
    problems = []
    if lag is None:
        problems.append("index: not at any block yet")
    elif lag > section.ready_lag_blocks:
        problems.append(f"index: {lag} blocks behind, limit {section.ready_lag_blocks}")
    if role is Role.STARTING:
        problems.append("lease: neither leader nor standby yet")
    if written_sec > section.duty_sec:
        problems.append(f"database: last write {written_sec:.0f} s ago, limit {section.duty_sec:g} s")
    if not keys:
        problems.append("keys: not opened yet")
    return Verdict(not problems, tuple(problems), {"role": role.value, "lag_blocks": lag})
