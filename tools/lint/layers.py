"""Fail when a contract or a module imports from a layer to its right.

On chain the folders of contracts/ read left to right as data flows; off chain the four stages do.
A call to the right goes through interfaces/; the keeper, the demo and the command line wire the stages.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
#: Folders of contracts/, left to right. Nothing imports lens; tests alone use mocks.
CONTRACT_LAYERS: Final = (
    "libraries",
    "accounts",
    "feeds",
    "risk",
    "margin",
    "exchange",
    "settlement",
    "liquidation",
    "lens",
    "mocks",
)
#: Stages of offchain/plimsoll/, left to right.
STAGES: Final = ("index", "mirror", "decide", "transact")
#: Packages that wire the stages and so stand to the right of all of them.
WIRING: Final = ("keeper", "demo", "cli", "web")
IMPORT: Final = re.compile(r'^\s*import\s+[^"\';]*["\']([^"\']+)["\']', re.M)


def violations(here: str, there: str, order: Sequence[str]) -> bool:
    """Whether ``here`` may not import ``there``: both are layers and ``there`` stands further right."""
    return here in order and there in order and order.index(there) > order.index(here)


def contract_imports(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield (file, its folder, imported folder) for every relative import between contracts."""
    for source in sorted(root.rglob("*.sol")):
        here = source.relative_to(root).parts[0]
        for target in IMPORT.findall(source.read_text(encoding="utf-8")):
            resolved = (source.parent / target).resolve()
            if target.startswith(".") and resolved.is_relative_to(root):
                yield source, here, resolved.relative_to(root).parts[0]


def module_imports(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield (file, its package, imported package) for every import inside the package, late ones included."""
    for source in sorted(root.rglob("*.py")):
        here = source.relative_to(root).parts[0]
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for parts in (name.split(".") for name in names):
                if parts[0] == root.name and len(parts) > 1:
                    yield source, here, parts[1]


def main(root: Path = ROOT) -> int:
    """Print every import that points right; return the exit code."""
    pairs = [
        *((*found, CONTRACT_LAYERS) for found in contract_imports(root / "contracts")),
        *((*found, (*STAGES, *WIRING)) for found in module_imports(root / "offchain" / "plimsoll")),
    ]
    bad = sorted(
        {
            (str(file.relative_to(root)), here, there)
            for file, here, there, order in pairs
            if violations(here, there, order) and not (here in WIRING and there in WIRING)
        }
    )
    for file, here, there in bad:
        print(f"{file}: {here} must not import {there}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
