"""One planted fault: a small change of the keeper's source that restores what it must not do, and who notices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
#: The package that is changed, in a copy.
SOURCE: Final = ROOT / "offchain"


class StalePlantError(Exception):
    """The source is no longer what a plant was written for."""


@dataclass(frozen=True, slots=True)
class Change:
    """One text and what stands there instead.

    Parameters
    ----------
    path : str
        File below ``offchain/plimsoll``.
    text : str
        What stands there now, exactly once.
    instead : str
        What the fault puts there.
    """

    path: str
    text: str
    instead: str


@dataclass(frozen=True, slots=True)
class Plant:
    """A fault of one line of the page.

    Parameters
    ----------
    line : str
        First cell of the line in ``docs/proof/keeper-faults.md``.
    name : str
        What the keeper does with it, as the page's column says it; the plants of a line are joined by ``; ``.
    tests : tuple of str
        Each of these must fail while it is planted.
    changes : tuple of Change
    """

    line: str
    name: str
    tests: tuple[str, ...]
    changes: tuple[Change, ...]


def planted(plant: Plant, source: Path = SOURCE) -> dict[str, str]:
    """Return the changed files of a plant.

    Parameters
    ----------
    plant : Plant
    source : Path
        Folder with the package ``plimsoll``.

    Returns
    -------
    dict of str
        New text, by path below the package.

    Raises
    ------
    StalePlantError
        When a text is not there exactly once, or what comes of it is no Python.
    """
    changed: dict[str, str] = {}
    for change in plant.changes:
        before = changed.get(change.path) or (source / "plimsoll" / change.path).read_text(encoding="utf-8")
        count = before.count(change.text)
        if count != 1:
            raise StalePlantError(f"{plant.line}: {plant.name}: {change.path} has it {count} times: {change.text}")
        changed[change.path] = before.replace(change.text, change.instead)
    for path, text in changed.items():
        try:
            compile(text, path, "exec")
        except SyntaxError as reason:
            raise StalePlantError(f"{plant.line}: {plant.name}: {path} is no Python any more: {reason}") from reason
    return changed
