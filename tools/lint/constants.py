"""Fail when a shared number is defined twice.

A second ``WAD`` is right until somebody changes the first. Off chain scales, durations, the agreement bound, the
most samples of a settlement and reserved accounts live in ``plimsoll/constants.py``; on chain in
``libraries/Units.sol``, from which a contract may derive a short name of its own (``WAD = Units.UWAD``).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
#: Numbers that stand for a shared constant wherever they are written out.
NUMBERS: Final = {86_400: "DAY_SEC", 31_536_000: "YEAR_SEC"}
NAMES: Final = {"WAD", "E8", "DAY_SEC", "YEAR_SEC", "AGREEMENT_BOUND", "MAX_SAMPLES", "CLEARING_ID", "FUND_ID"}
#: Constants of Solidity whose value is written out.
SCALES: Final = re.compile(r"constant (\w+) = (?:1e18|365 days|31_?536_?000);")
RESERVED: Final = re.compile(r"constant (CLEARING|FUND) = \d+;")


def is_wad(node: ast.AST) -> bool:
    """Whether an expression is ``10**18``."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and ast.unparse(node) == "10 ** 18"


def written_out(node: ast.AST) -> str | None:
    """Name of the shared constant whose value an expression spells out."""
    if is_wad(node):
        return "WAD"
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return NUMBERS.get(node.value)
    return None


def defined(node: ast.AST) -> str | None:
    """Name of the shared constant that a statement defines anew."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return next((target.id for target in targets if isinstance(target, ast.Name) and target.id in NAMES), None)


def python_faults(package: Path) -> Iterator[str]:
    """Yield every place of the package that has a number of its own."""
    for source in sorted(package.rglob("*.py")):
        if source == package / "constants.py":
            continue
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            name = written_out(node) or defined(node)
            if name is not None:
                where = f"{source.relative_to(package.parent)}:{getattr(node, 'lineno', 0)}"
                yield f"{where}: {name} is defined in plimsoll/constants.py; import it"


def solidity_faults(contracts: Path) -> Iterator[str]:
    """Yield every constant of a contract that Units has."""
    for source in sorted(contracts.rglob("*.sol")):
        if source.name == "Units.sol" or "mocks" in source.parts:
            continue
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
            found = SCALES.search(line) or RESERVED.search(line)
            if found:
                where = f"{source.relative_to(contracts.parent)}:{number}"
                yield f"{where}: {found.group(1)} has a value that libraries/Units.sol defines; derive it from there"


def main(root: Path = ROOT) -> int:
    """Print every second definition; return the exit code."""
    faults = [*python_faults(root / "offchain" / "plimsoll"), *solidity_faults(root / "contracts")]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
