"""Fail when code decides by an instrument kind outside the files that say what a kind is.

``if kind is Kind.PERP`` is right until somebody adds a kind. What a kind is stands in ``plimsoll/model.py`` off chain,
in ``PositionWord.sol`` on chain, and on the wallet page in ``kinds.ts``, which is written from the first; what a linear
one is worth in ``mirror/linear.py``, ``LinearUnit.sol`` and ``SettlementMath.sol``. Everybody else asks these
(``kind.has_expiry``). To name a kind where one is made (``Position("ETH", Kind.PERP, ...)``) decides nothing. The list
of files that a new kind touches, ``docs/reference/changes.md``, is true as long as this holds.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
#: Files that may decide, and why; everything else of the three languages is read.
HOMES: Final = {
    "offchain/plimsoll/model.py": "what a kind is",
    "offchain/plimsoll/mirror/linear.py": "what a unit of a linear kind is worth",
    "contracts/libraries/PositionWord.sol": "what a kind is",
    "contracts/libraries/LinearUnit.sol": "what a unit of a linear kind is worth",
    "contracts/libraries/SettlementMath.sol": "what a kind pays",
    # In assembly: calls and puts of a strike are one group, a perpetual has no expiry.
    "contracts/libraries/PositionGroups.sol": "which positions are priced together",
    "web/src/chain/kinds.ts": "what a kind is, written from model.py",
}
ADVICE: Final = "ask what the kind is (has_expiry, is_option, ...) instead, or say it in a home of kinds"
#: Other names of kinds than those of their members.
TITLES: Final = {"perpetual"}
MEMBER: Final = re.compile(r"^    ([A-Z]+) = \d+$", re.M)
COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)


def members(root: Path) -> frozenset[str]:
    """Names of the kinds, as ``Kind`` lists them."""
    text = (root / "offchain" / "plimsoll" / "model.py").read_text(encoding="utf-8")
    found = MEMBER.findall(text.partition("class Kind(")[2].partition("\nclass ")[0])
    if not found:
        raise SystemExit("tools/lint/kinds.py: class Kind of plimsoll/model.py lists no kind")
    return frozenset(found)


def _parts(node: ast.expr | None) -> Iterator[ast.expr]:
    """Yield an expression, or the items of a literal list."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        yield from node.elts
    elif node is not None:
        yield node


class Python:
    """What decides by a kind in a module of the package."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self._kinds = kinds
        self._words = {kind.lower() for kind in kinds} | TITLES

    def _is_member(self, node: ast.expr | None) -> bool:
        """Whether it is ``Kind.PERP``; other enums of this name have other members."""
        return (
            isinstance(node, ast.Attribute)
            and node.attr in self._kinds
            and isinstance(node.value, ast.Name | ast.Attribute)
            and ast.unparse(node.value).split(".")[-1] == "Kind"
        )

    def _compares(self, node: ast.Compare) -> bool:
        sides = [part for side in (node.left, *node.comparators) for part in _parts(side)]
        if any(self._is_member(side) for side in sides):
            return True
        values = [side.value for side in sides if isinstance(side, ast.Constant)]
        asked = any(ast.unparse(side).split(".")[-1] in {"kind", "right"} for side in sides)
        return asked and any(value in self._words or type(value) is int for value in values)

    def decides(self, node: ast.AST) -> bool:
        """Whether a node decides by a kind: compares with one, matches one, looks up by one, or numbers one anew."""
        if isinstance(node, ast.Compare):
            return self._compares(node)
        if isinstance(node, ast.MatchValue):
            return self._is_member(node.value)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            return node.id.lstrip("_") in self._kinds
        return isinstance(node, ast.Dict) and any(self._is_member(key) for key in node.keys)

    def faults(self, text: str) -> Iterator[int]:
        """Yield the lines of a module that decide by a kind."""
        yield from (getattr(node, "lineno", 0) for node in ast.walk(ast.parse(text)) if self.decides(node))


class Text:
    """What decides by a kind in a language that is read as text."""

    def __init__(self, *patterns: str) -> None:
        self._pattern = re.compile("|".join(patterns))

    def faults(self, text: str) -> Iterator[int]:
        """Yield the lines, comments left out, that decide by a kind."""
        blank = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
        for number, line in enumerate(blank.splitlines(), 1):
            if self._pattern.search(line):
                yield number


def readers(kinds: frozenset[str]) -> dict[tuple[str, str], Python | Text]:
    """Readers by folder and end of name."""
    names, words = "|".join(sorted(kinds)), "|".join(sorted({k.lower() for k in kinds} | TITLES))
    member = rf"(?:\w+\.)?(?:{names})\b"
    compared = (rf"(?:[!=]==?|[<>]=?)\s*{member}", rf"\b{member}\s*(?:[!=]==?|[<>]=?)(?!>)")
    number = r"\b[kK]ind(?:Of\(\w*\))?(?:\(\))?\s*(?:[!=]==?|[<>]=?)\s*\d"
    anew = rf"\bconst(?:ant)?\s+(?:{names})\s*="
    solidity = Text(*compared, number, anew, r"\b(?:eq|lt|gt)\(kind,\s*\d")
    script = Text(*compared, number, anew, rf"\bcase\s+(?:{member}|\"(?:{words})\")", rf"[!=]==?\s*\"(?:{words})\"")
    return {
        ("offchain/plimsoll", ".py"): Python(kinds),
        ("contracts", ".sol"): solidity,
        ("web/src", ".ts"): script,
        ("web/src", ".tsx"): script,
    }


def main(root: Path = ROOT) -> int:
    """Print every place that decides by a kind; return the exit code."""
    count = 0
    for (folder, ending), reader in readers(members(root)).items():
        for path in sorted((root / folder).rglob(f"*{ending}")):
            name = path.relative_to(root).as_posix()
            if name in HOMES:
                continue
            for line in sorted(set(reader.faults(path.read_text(encoding="utf-8")))):
                print(f"{name}:{line}: decides by an instrument kind; {ADVICE}")
                count += 1
    for name in HOMES:
        if not (root / name).is_file():
            print(f"{name}: is listed as a home of kinds in tools/lint/kinds.py and does not exist")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
