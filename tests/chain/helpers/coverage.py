"""Contract coverage per source file, from what Brownie saw in the traces.

Brownie's own report adds up contracts and not files, and stops on its own cache; the figures here are the same
statements and branches, each counted once over all contracts that a library was compiled into.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brownie

OWN, MOCKS = "contracts/", "contracts/mocks/"


def prepare_brownie() -> None:
    """Make Brownie find its way back from instructions to source lines."""
    # Immutables make deployed code differ from compiled code; Brownie would then forget where its instructions
    # come from, and every contract with an immutable would count as never reached.
    brownie.network.contract._verify_deployed_code = lambda *_: True


@dataclass(slots=True)
class FileCoverage:
    """Places of one file, by offset: all, and those reached."""

    statements: set[tuple[int, int]] = field(default_factory=set)
    reached: set[tuple[int, int]] = field(default_factory=set)
    #: Every branch has two ways, so two entries.
    ways: set[tuple[int, int, bool]] = field(default_factory=set)
    taken: set[tuple[int, int, bool]] = field(default_factory=set)


def collect(builds: Iterable[Mapping[str, Any]], evaluated: Iterable[Mapping[str, Any]]) -> dict[str, FileCoverage]:
    """Add up statements and branches per source file.

    Parameters
    ----------
    builds : iterable of mapping
        Brownie's build of every contract of the project.
    evaluated : iterable of mapping
        Per transaction: contract -> path id -> [statements, branches not taken, branches taken].

    Returns
    -------
    dict[str, FileCoverage]
        By path; mocks and dependencies are left out.
    """
    seen = _merged(evaluated)
    files: dict[str, FileCoverage] = defaultdict(FileCoverage)
    for build in builds:
        # An interface has neither code nor map.
        if "coverageMap" not in build:
            continue
        names = build["allSourcePaths"]
        for kind in ("statements", "branches"):
            for path, functions in build["coverageMap"][kind].items():
                name = names[path]
                if not name.startswith(OWN) or name.startswith(MOCKS):
                    continue
                hit = seen.get((build["contractName"], path), (set(), set(), set()))
                for places in functions.values():
                    _add(files[name], kind, places, hit)
    return dict(files)


def _merged(evaluated: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[set[int], set[int], set[int]]]:
    """Unite transactions; by contract and path."""
    seen: dict[tuple[str, str], tuple[set[int], set[int], set[int]]] = defaultdict(lambda: (set(), set(), set()))
    for transaction in evaluated:
        for contract, paths in transaction.items():
            for path, parts in paths.items():
                for total, part in zip(seen[contract, path], parts, strict=True):
                    total.update(part)
    return seen


def _add(target: FileCoverage, kind: str, places: Mapping[str, Any], hit: tuple[set[int], set[int], set[int]]) -> None:
    for number, (start, stop, *_) in places.items():
        if kind == "statements":
            target.statements.add((start, stop))
            if int(number) in hit[0]:
                target.reached.add((start, stop))
            continue
        for way, numbers in ((False, hit[1]), (True, hit[2])):
            target.ways.add((start, stop, way))
            if int(number) in numbers:
                target.taken.add((start, stop, way))


def table(files: Mapping[str, FileCoverage]) -> list[str]:
    """Return one line per file that was reached, and a total over these.

    Parameters
    ----------
    files : mapping
        From ``collect``.

    Returns
    -------
    list[str]
        Lines for the terminal.
    """
    width = max(map(len, files), default=0)
    lines = [f"{'file':<{width}}  statements      branches"]
    files = {name: found for name, found in files.items() if found.reached}
    for name, found in sorted(files.items()):
        lines.append(f"{name:<{width}}  {_share(found.reached, found.statements)}  {_share(found.taken, found.ways)}")
    reached, statements, taken, ways = (
        {(name, *place) for name, found in files.items() for place in getattr(found, key)}
        for key in ("reached", "statements", "taken", "ways")
    )
    return [*lines, f"{'all':<{width}}  {_share(reached, statements)}  {_share(taken, ways)}"]


def _share(part: set[Any], whole: set[Any]) -> str:
    return f"{len(part):4}/{len(whole):<4} {len(part) / len(whole) if whole else 1.0:4.0%}"


def save(files: Mapping[str, FileCoverage], target: Path) -> None:
    """Write the figures as JSON.

    Parameters
    ----------
    files : mapping
        From ``collect``.
    target : Path
        File to write.
    """
    figures = {
        name: {
            "statements": len(found.statements),
            "statementsReached": len(found.reached),
            "branchWays": len(found.ways),
            "branchWaysTaken": len(found.taken),
        }
        for name, found in sorted(files.items())
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
