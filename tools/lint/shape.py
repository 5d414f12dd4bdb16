"""Fail when a Solidity file has a shape that Brownie's reader mistakes.

Brownie finds contract names with a regular expression, so every file of contracts/ and interfaces/ holds
exactly one contract, library or interface, named as the file, and ends with its closing brace.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
COMMENT_OR_STRING: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|//[^\n]*|/\*.*?\*/', re.S)
DECLARATION: Final = re.compile(r"(?:^|[;}])\s*(?:abstract\s+)?(?:contract|library|interface)\s+(\w+)", re.M)
PRAGMA: Final = "pragma solidity ^0.8.30;"
LICENCE: Final = "// SPDX-License-Identifier: MIT"


def faults(path: Path) -> Iterator[str]:
    """Yield what is wrong with the shape of one file."""
    text = path.read_text(encoding="utf-8")
    if any(token[0] in "\"'" and "//" in token for token in COMMENT_OR_STRING.findall(text)):
        yield "`//` inside a string literal hides the contract from Brownie"
    code = COMMENT_OR_STRING.sub(lambda found: '""' if found[0][0] in "\"'" else " ", text)
    names = DECLARATION.findall(code)
    if names != [path.stem]:
        yield f"declares {', '.join(names) or 'nothing'}, must declare exactly {path.stem}"
    if not text.rstrip().endswith("}"):
        yield "must end with the closing brace of its declaration"
    if not text.endswith("\n"):
        yield "must end with a newline"
    if re.search(r"\busing\s*\{", code):
        yield "`using {function} for` crashes Brownie's reader; use `using Library for`"
    if re.search(r"\busing\b[^;]*\bglobal\s*;", code):
        yield "`using ... global` hides the file from Brownie"
    if text.splitlines()[:1] != [LICENCE]:
        yield f"first line must be `{LICENCE}`"
    if PRAGMA not in code:
        yield f"must say `{PRAGMA}`"


def main(root: Path = ROOT) -> int:
    """Print every fault; return the exit code."""
    sources = sorted([*(root / "contracts").rglob("*.sol"), *(root / "interfaces").rglob("*.sol")])
    found = [f"{path.relative_to(root)}: {fault}" for path in sources for fault in faults(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
