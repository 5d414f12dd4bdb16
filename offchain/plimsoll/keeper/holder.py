"""Who holds a lease, so exactly that a keeper which starts again can tell whether its predecessor is surely dead."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
#: Position of state and start time behind the name in /proc/PID/stat, counted from the closing bracket.
STATE_FIELD, START_FIELD = 0, 19
#: Gone, but not yet collected by its parent.
DEAD_STATES: Final = frozenset("ZXx")


@dataclass(frozen=True, slots=True)
class Holder:
    """One process.

    Parameters
    ----------
    name : str
        ``keeper.name`` of its configuration.
    machine : str
        Boot of the machine and namespace of its process ids; empty where the system does not tell.
    pid : int
        Process id.
    started : str
        Start time of the process, because ids are used again.
    """

    name: str
    machine: str
    pid: int
    started: str

    def __str__(self) -> str:
        return "|".join((self.name, self.machine, str(self.pid), self.started))

    @classmethod
    def parse(cls, text: str) -> Holder | None:
        """Read what ``str`` wrote; ``None`` for anything else."""
        parts = text.split("|")
        if len(parts) != len(cls.__slots__) or not parts[2].isdigit():
            return None
        return cls(parts[0], parts[1], int(parts[2]), parts[3])


def myself(name: str) -> Holder:
    """Return this process as a holder.

    Parameters
    ----------
    name : str
        ``keeper.name`` of the configuration.
    """
    return Holder(name, _machine(), os.getpid(), _stat(os.getpid())[1])


def is_gone(text: str, me: Holder) -> bool:
    """Return whether a holder was this keeper in an earlier life, and is surely dead.

    Parameters
    ----------
    text : str
        Holder as the lease has it.
    me : Holder
        This process.

    Returns
    -------
    bool
        Only true for the same name on the same machine whose process does not exist any more; a doubt is a no.
    """
    other = Holder.parse(text)
    if other is None or not me.machine or (other.name, other.machine) != (me.name, me.machine):
        return False
    state, started = _stat(other.pid)
    if not started:
        return not _exists(other.pid)
    return started != other.started or state in DEAD_STATES


def _machine() -> str:
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{(PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _stat(pid: int) -> tuple[str, str]:
    """Return state and start time of a process; empty texts where they cannot be read."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", ""
    fields = text[text.rindex(")") + 1 :].split()
    return fields[STATE_FIELD], fields[START_FIELD]


def _exists(pid: int) -> bool:
    """Return whether a process of this id may exist; one of another user does."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
