"""Fail when an interface's item has no NatSpec, a page names what is not there, or no page names an event or error.

A dead link, path, name or mirror, a name that the file beside it does not have, and a line of prose that nobody wrapped
are faults of a page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
ITEM: Final = re.compile(r"^\s*(function|event|error|struct|enum|interface|library|contract|abstract contract)\s+(\w+)")
DECLARED: Final = re.compile(r"^\s*(event|error)\s+(\w+)", re.MULTILINE)
CODE: Final = re.compile(r"`([^`\n]+)`")
ERROR: Final = re.compile(r"\b([A-Za-z]\w*?)?__([A-Za-z]\w*)")
LINK: Final = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)")
#: Folders whose paths are named in documents and comments, from the root on.
ROOMS: Final = ("contracts", "interfaces", "offchain", "tests", "tools", "docs", "examples")
NAMED: Final = re.compile(rf"(?<![\w/.-])((?:{'|'.join(ROOMS)})/[\w./-]*[\w/])(?![\w{{*<])")
#: A code span that is one name: a member of a contract or of the front door, a private name, or a call (formulas of the
#: risk model have functions of up to three letters).
MEMBER: Final = re.compile(r"([A-Z]+[a-z]\w*|pm)\.(\w+)(?:\(.*\))?")
PRIVATE: Final = re.compile(r"()(_[a-z]\w+)(?:\(.*\))?")
CALL: Final = re.compile(r"()([a-z]\w{3,})\([\w, ]*\)")
#: A name that a page finds in a file: `name` in `file.py`, or `file.py`, `name`.
SPANNED: Final = r"`([A-Za-z_]\w*(?:\.\w+)*)(?:\([^`]*\))?`"
SOURCE: Final = r"`([\w/]+\.(?:py|sol))`"
NAME_IN_FILE: Final = re.compile(rf"{SPANNED}\s+(?:in|of)\s+{SOURCE}")
FILE_WITH_NAME: Final = re.compile(rf"{SOURCE}[,:]?\s+{SPANNED}")
#: Where a file that a page names by the end of its path may lie.
SOURCE_ROOMS: Final = ("contracts", "interfaces", "offchain", "scripts", "tests", "tools")
#: Columns of prose.
WIDTH: Final = 120
#: A page of names that lie in the packages that contracts inherit from; `tools/generate/tables.py --check` holds it.
GENERATED: Final = "storage.md"
#: Comments of Solidity and Python, and docstrings.
COMMENT: Final = re.compile(r'//[^\n]*|/\*.*?\*/|""".*?"""|#[^\n]*', re.DOTALL)
MIRROR: Final = re.compile(r"@custom:mirror (plimsoll\.[\w.]+)")


def undocumented(path: Path) -> Iterator[str]:
    """Yield the items of one Solidity file that no NatSpec comment precedes."""
    is_interface = path.parts[-2] == "interfaces"
    previous = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = ITEM.match(line)
        wanted = found and (is_interface or not line.startswith(" "))
        if wanted and not previous.startswith(("///", "*/", "* ")):
            yield f"{number}: {found[1]} {found[2]} has no NatSpec"
        previous = line.strip() or previous


def dead_links(path: Path) -> Iterator[str]:
    """Yield the relative links of one document that lead nowhere."""
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if not (path.parent / target).exists():
            yield f"link to {target} is dead"


def dead_paths(path: Path, root: Path) -> Iterator[str]:
    """Yield the files and folders that a text names and that are not there."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for name in NAMED.findall(line):
            if not (root / name).exists():
                yield f"{number}: {name} does not exist"


def dead_mirrors(path: Path, root: Path) -> Iterator[str]:
    """Yield the modules that a contract calls its mirror and that are not there."""
    for module in MIRROR.findall(path.read_text(encoding="utf-8")):
        there = root / "offchain" / module.replace(".", "/")
        if not (there.is_dir() or there.with_suffix(".py").is_file()):
            yield f"mirror {module} does not exist"


def words_of(sources: Iterable[Path]) -> set[str]:
    """Return every word of the code, without its comments: what none of it has, no name can mean."""
    return {word for path in sources for word in re.findall(r"\w+", COMMENT.sub("", path.read_text(encoding="utf-8")))}


def dead_symbols(path: Path, words: set[str]) -> Iterator[str]:
    """Yield the functions, fields and other names that a page or comment shows as code and that no source has."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for span in CODE.findall(line):
            found = MEMBER.fullmatch(span) or PRIVATE.fullmatch(span) or CALL.fullmatch(span)
            if found and not {found[1] or found[2], found[2]} <= words | {"pm"}:
                yield f"{number}: {span} names what no source has"


def misplaced(path: Path, sources: Sequence[Path]) -> Iterator[str]:
    """Yield the names that a page finds in a Python or Solidity file, by the end of its path, which lacks them."""
    text = path.read_text(encoding="utf-8")
    found = [(match.start(), match[1], match[2]) for match in NAME_IN_FILE.finditer(text)]
    found += [(match.start(), match[2], match[1]) for match in FILE_WITH_NAME.finditer(text)]
    for start, name, end in sorted(found):
        files = [source for source in sources if source.as_posix().endswith(f"/{end}")]
        if not name.endswith((".py", ".sol")) and not set(name.split(".")) <= words_of(files):
            yield f"{text.count(chr(10), 0, start) + 1}: {end} has no {name}"


def unwrapped(path: Path) -> Iterator[str]:
    """Yield the lines of prose that are too wide and have a space to break them at, outside of code."""
    is_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        is_fence = line.lstrip().startswith("```")
        is_code ^= is_fence
        is_prose = not (is_fence or is_code or line.lstrip().startswith(("|", "#")))
        whole_spans = CODE.sub(lambda span: "x" * len(span[0]), line)
        if is_prose and len(line) > WIDTH and " " in whole_spans[:WIDTH].lstrip("-*.0123456789 ").rstrip():
            yield f"{number}: {len(line)} columns of prose, {WIDTH} is the limit"


def described(document: str) -> set[str]:
    """Return the events and errors that a page names; ``__Reason`` goes with the contract of the last full name.

    Only code spans count, so that an event called Settled is not found in a sentence.
    """
    found: set[str] = set()
    contract = ""
    for span in CODE.findall(document):
        found |= set(re.findall(r"\w+", span))
        for prefix, reason in ERROR.findall(span):
            contract = prefix or contract
            found.add(f"{contract}__{reason}")
    return found


def unmentioned(interfaces: Iterable[Path], documents: Iterable[Path]) -> Iterator[str]:
    """Yield the events and errors of the interfaces that no page names."""
    named = set().union(*(described(path.read_text(encoding="utf-8")) for path in documents))
    for path in interfaces:
        for kind, name in DECLARED.findall(path.read_text(encoding="utf-8")):
            if name not in named:
                yield f"{path.name}: {kind} {name} is in no page of docs/"


def main(root: Path = ROOT) -> int:
    """Print every fault; return the exit code."""
    sources = sorted([*(root / "contracts").rglob("*.sol"), *(root / "interfaces").rglob("*.sol")])
    documents = sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")])
    found = [f"{path.relative_to(root)}:{fault}" for path in sources for fault in undocumented(path)]
    found += [f"{path.relative_to(root)}: {fault}" for path in documents for fault in dead_links(path)]
    texts = [*sources, *documents, *(p for room in ("offchain", "tools") for p in sorted((root / room).rglob("*.py")))]
    found += [f"{path.relative_to(root)}:{fault}" for path in texts for fault in dead_paths(path, root)]
    found += [f"{path.relative_to(root)}: {fault}" for path in sources for fault in dead_mirrors(path, root)]
    pages = sorted((root / "docs").rglob("*.md"))
    python = [path for room in ("offchain", "tools", "scripts") for path in sorted((root / room).rglob("*.py"))]
    words = words_of([*sources, *python, *(root / "examples").rglob("*.sol")])
    named = [path for path in documents if path.name not in (GENERATED, "CHANGELOG.md")]
    for path in (*sources, *python, *named):
        found += [f"{path.relative_to(root)}:{fault}" for fault in dead_symbols(path, words)]
    files = [path for room in SOURCE_ROOMS for kind in ("py", "sol") for path in (root / room).rglob(f"*.{kind}")]
    for path in named:
        found += [f"{path.relative_to(root)}:{fault}" for fault in (*misplaced(path, files), *unwrapped(path))]
    found += unmentioned(sorted((root / "interfaces").glob("*.sol")), pages)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
