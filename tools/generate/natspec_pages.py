"""Turn the NatSpec of interfaces/ into pages of the site, while mkdocs builds it (``hooks`` of mkdocs.yml).

The pages are not kept: NatSpec lives in the interfaces once, and ``docs/`` holds what somebody wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
INTERFACES: Final = ROOT / "interfaces"
FOLDER: Final = "reference/contracts"
#: Kind of item and heading of its section, in the order of a page.
SECTIONS: Final = {"function": "Functions", "event": "Events", "error": "Errors", "struct": "Structs", "enum": "Enums"}
DECLARED: Final = re.compile(r"\s*(interface|function|event|error|struct|enum)\s+(\w+)")
TAG: Final = re.compile(r"@(notice|title|dev|param|return|inheritdoc|custom:[\w-]+)\s*")
#: What Markdown would read as emphasis, a tag or a column in prose; code spans are left as they are.
SPECIAL: Final = re.compile(r"([*_<>|\[\]])")


@dataclass(frozen=True, slots=True)
class Item:
    """One declaration with its comment; ``tags`` holds (tag, text) in order of appearance."""

    kind: str
    name: str
    source: str
    tags: list[tuple[str, str]] = field(default_factory=list)

    def texts(self, tag: str) -> list[str]:
        """Return the texts of one tag."""
        return [text for name, text in self.tags if name == tag]


def tags_of(comment: list[str]) -> list[tuple[str, str]]:
    """Return the tags of a comment without its slashes; what comes before the first tag is a notice."""
    text = " ".join(line.strip() for line in comment)
    parts = TAG.split(text)
    before = [("notice", parts[0].strip())] if parts[0].strip() else []
    return before + [(tag, body.strip()) for tag, body in zip(parts[1::2], parts[2::2], strict=True)]


def items(source: str) -> Iterator[Item]:
    """Yield the declarations of one interface file with their NatSpec; the interface itself comes first."""
    comment: list[str] = []
    lines = iter(source.splitlines())
    for line in lines:
        stripped = line.strip()
        if stripped.startswith("///"):
            comment.append(stripped.removeprefix("///"))
            continue
        found = DECLARED.match(line)
        if found:
            text = _whole(line, lines, found[1])
            yield Item(found[1], found[2], text, tags_of(comment))
        comment = []


def _whole(first: str, lines: Iterator[str], kind: str) -> str:
    """Return a declaration to its end, without the indentation of its first line."""
    end = {"interface": "{", "struct": "}", "enum": "}"}.get(kind, ";")
    found = [first]
    while end not in found[-1]:
        found.append(next(lines))
    indent = len(first) - len(first.lstrip())
    return "\n".join(line[indent:] for line in found)


def prose(text: str) -> str:
    """Return a text of NatSpec as Markdown prose."""
    return "".join(
        part if part.startswith("`") else SPECIAL.sub(r"\\\1", part) for part in re.split(r"(`[^`]*`)", text)
    )


def _parameters(item: Item, tag: str, heading: str) -> Iterator[str]:
    """Yield a list of parameters or returned values."""
    found = item.texts(tag)
    if not found:
        return
    yield from (f"**{heading}**", "")
    for text in found:
        name, _, rest = text.partition(" ")
        # A returned value may have no name.
        yield f"- `{name}`: {prose(rest)}" if rest and re.search(rf"\b{name}\b", item.source) else f"- {prose(text)}"
    yield ""


def _described(item: Item) -> Iterator[str]:
    """Yield what a comment says of an item."""
    for tag in ("notice", "dev"):
        for text in item.texts(tag):
            yield from (prose(text), "")
    yield from _parameters(item, "param", "Parameters")
    yield from _parameters(item, "return", "Returns")
    for tag, text in item.tags:
        if tag.startswith("custom:"):
            yield from (f"*{tag.removeprefix('custom:').capitalize()}*: {prose(text)}", "")


def page(source: str) -> str:
    """Return the page of one interface.

    Parameters
    ----------
    source : str
        Text of a file with exactly one interface.

    Returns
    -------
    str
        Markdown.
    """
    head, *members = items(source)
    lines = [f"# {head.name}", "", *_described(head)]
    for kind, heading in SECTIONS.items():
        chosen = [item for item in members if item.kind == kind]
        if chosen:
            lines += [f"## {heading}", ""]
        for item in chosen:
            lines += [f"### {item.name}", "", "```solidity", item.source, "```", "", *_described(item)]
    return "\n".join(lines).rstrip() + "\n"


def pages(folder: Path = INTERFACES) -> dict[str, str]:
    """Return every page by its path within the site, an index among them."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sol"))}
    lines = [
        "# Contracts",
        "",
        "**How is a contract called, and what may it answer?** Each page below is the NatSpec of one interface:",
        "functions, events, errors and structs, with the unit of every number. How the contracts work together is told",
        "by [how data flows](../../concepts/dataflow.md).",
        "",
    ]
    for name, source in sources.items():
        head = next(items(source))
        lines.append(f"- [{head.name}]({name}.md): {prose(' '.join(head.texts('notice')))}")
    written = {f"{FOLDER}/{name}.md": page(source) for name, source in sources.items()}
    return {f"{FOLDER}/index.md": "\n".join(lines) + "\n", **written}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages to those that mkdocs found; it calls this by name."""
    from mkdocs.structure.files import File

    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files
