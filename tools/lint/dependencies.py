"""Fail when code imports what pyproject.toml does not declare, or the package declares what it never imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
#: Declared and never imported, with the reason.
UNSEEN: Final = {
    "coincurve": "eth-keys signs and recovers with it instead of with plain Python",
    "clarabel": "cvxpy loads its solver by name",
}
#: Extras of tools around the package, which it never imports itself.
ASIDE: Final = ("dev", "docs")
#: Imported for the type checker alone; no distribution at run time.
TYPES_ALONE: Final = frozenset(("_typeshed",))
#: Modules of the project itself: the package, the tools, the tests and what they put on the path.
OWN: Final = frozenset(("plimsoll", "tools", "tests", "helpers", "oracle")) | {
    path.stem for path in (ROOT / "tests" / "faults").iterdir()
}


def imported(folder: Path) -> dict[str, Path]:
    """Return the foreign top-level modules of every file below a folder, each with one file that imports it."""
    found: dict[str, Path] = {}
    for source in sorted(folder.rglob("*.py")):
        for name in _names(ast.parse(source.read_text(encoding="utf-8"))):
            if name not in sys.stdlib_module_names and name not in OWN | TYPES_ALONE:
                found.setdefault(name, source)
    return found


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def normal(requirement: str) -> str:
    """Return the name of a requirement as indexes compare it: ``SQLAlchemy>=2.0`` is ``sqlalchemy``."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", match.group() if match else requirement).lower()


def faults(
    project: Mapping[str, Any],
    package: Mapping[str, Path],
    others: Mapping[str, Path],
    homes: Mapping[str, Iterable[str]],
) -> list[str]:
    """Return what is imported undeclared and declared unused.

    Parameters
    ----------
    project : mapping
        Table ``project`` of pyproject.toml.
    package, others : mapping
        Modules that the package, and that tools and tests import, each with a file.
    homes : mapping
        Distributions of every installed module.
    """
    extras = project.get("optional-dependencies", {})
    run = {normal(entry) for entry in project["dependencies"]}
    run |= {normal(entry) for name, entries in extras.items() if name not in ASIDE for entry in entries}
    every = run | {normal(entry) for name in ASIDE for entry in extras.get(name, ())}
    # What is not installed here, like the builder of the site, goes by its own name.
    used = {module: {normal(name) for name in homes.get(module, (module,))} for module in {**package, **others}}
    found = [
        f"{path}: imports {module}, which is not declared" for module, path in package.items() if not used[module] & run
    ]
    found += [
        f"{path}: imports {module}, which no extra declares"
        for module, path in others.items()
        if module not in package and not used[module] & every
    ]
    seen = set().union(*(used[module] for module in package))
    found += [f"pyproject.toml: {name} is declared and never imported" for name in sorted(run - seen - set(UNSEEN))]
    return found


def main(root: Path = ROOT) -> int:
    """Print every fault; return the exit code."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    others = {**imported(root / "tools"), **imported(root / "tests")}
    found = faults(project, imported(root / "offchain"), others, packages_distributions())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
