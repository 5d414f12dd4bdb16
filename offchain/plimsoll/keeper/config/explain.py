"""All options for a person: as they stand, as an example file, as the page of the manual."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from plimsoll.keeper.config.load import Loaded
from plimsoll.keeper.config.options import Option, options_of, toml_of
from plimsoll.keeper.config.tree import KeeperConfig
from plimsoll.keeper.redaction import Redactor

WIDTH: Final = 80
INDENT: Final = " " * 6
OPTIONS: Final[tuple[Option, ...]] = tuple(options_of(KeeperConfig))
#: Tables that every file has; in the others a required option is required where its table stands.
NEEDED: Final = frozenset(name for name, field in KeeperConfig.model_fields.items() if field.is_required())


def explain(loaded: Loaded | None = None) -> list[str]:
    """Return every option with its value, where that came from, unit, limit and meaning.

    Parameters
    ----------
    loaded : Loaded or None
        Configuration; without one the defaults are explained.

    Returns
    -------
    list[str]
        Lines of at most 80 characters; what came from the environment is shown by the name of its variable.
    """
    lines: list[str] = []
    for section, options in groupby(OPTIONS, key=lambda option: option.section):
        lines += ["", f"[{section}]"]
        for option in options:
            lines += _explained(option, loaded)
    return lines[1:]


def _explained(option: Option, loaded: Loaded | None) -> Iterator[str]:
    facts = "; ".join(part for part in (option.unit, option.limit) if part)
    for value, origin in _values(option, loaded):
        yield from _wrapped(f"{value}  ({origin})", "  ", INDENT + "  ")
    yield from _wrapped(option.meaning + (f" [{facts}]" if facts else ""), INDENT, INDENT)


def _values(option: Option, loaded: Loaded | None) -> list[tuple[str, str]]:
    """Return what an option is set to, once for each entry of an array of tables, with the origin."""
    found = _given(option, loaded) if loaded is not None else []
    if found:
        return found
    if option.default is not None:
        return [(f"{option.name} = {toml_of(option.default)}", "default")]
    return [(option.name, "required" if option.is_required and option.section in NEEDED else "not set")]


def _given(option: Option, loaded: Loaded) -> list[tuple[str, str]]:
    """Return what file and command line say; an array of plain values is one option."""
    hide = Redactor(loaded.secrets)
    lists: dict[str, list[str]] = {}
    origins: dict[str, str] = {}
    for path, value in loaded.given.items():
        whole = path if "." not in path.rpartition("[")[2] and path.endswith("]") else ""
        owner = path.rpartition("[")[0] if whole else path
        if _general(owner) == option.path:
            lists.setdefault(owner, []).append(toml_of(hide.value(value)))
            origins[owner] = loaded.origins[path]
    found = []
    for owner, values in lists.items():
        is_list = isinstance(option.default, tuple) or isinstance(option.example, list)
        text = "[" + ", ".join(values) + "]" if is_list else values[0]
        name = owner.removeprefix(option.section + ".") if "[" not in owner else owner
        found.append((f"{name} = {text}", origins[owner]))
    return found


def _general(path: str) -> str:
    """Return a path with the numbers of entries taken out."""
    parts = path.split("[")
    return parts[0] + "".join("[" + part[part.index("]") :] for part in parts[1:])


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=True, break_on_hyphens=False
    )


def example() -> list[str]:
    """Return a file that loads as it is: what must be given is filled in, the rest stands there as comments.

    Returns
    -------
    list[str]
        Lines of TOML.
    """
    lines = ["# The keeper's options. What begins with a # shows the default, or an example where there is none.", ""]
    for section, options in groupby(OPTIONS, key=lambda option: option.section):
        listed = list(options)
        is_given = section in NEEDED
        head = f"[[{section.removesuffix('[]')}]]" if section.endswith("[]") else f"[{section}]"
        lines.append(head if is_given else f"# {head}")
        for option in listed:
            facts = "; ".join(part for part in (option.unit, option.limit) if part)
            lines += textwrap.wrap(
                option.meaning + (f" [{facts}]" if facts else ""), 118, initial_indent="# ", subsequent_indent="# "
            )
            value = option.example if option.default in (None, ()) else option.default
            mark = "" if option.is_required and is_given else "# "
            lines.append(f"{mark}{option.name} = {toml_of(value)}" if value is not None else f"# {option.name} =")
        lines.append("")
    return lines[:-1]


HEADER: Final = """<!-- Written by tools/generate/keeper_config.py; do not edit. -->

# Options of the keeper

**Which options does the keeper's file have, and what does each do?** The file is TOML. A key that is not listed here is
refused, and so is a value of another type or outside its limits: one line names the file, the option, what is wrong and
the limit. No secret stands in it: keys are keystores with a password from a file or a variable, and `${NAME}` inside an
address is filled in from the environment. Relative paths are relative to the folder of the file.

```
plimsoll keeper config --example > keeper.toml
plimsoll keeper config --config keeper.toml --explain
plimsoll keeper config --config keeper.toml --set transact.confirmations=3 --explain
```

The first writes a commented file, the second shows every option with its value and where it came from, the third
changes one for this run alone; `plimsoll keeper run` takes `--set` too. Without `--explain` the file is only checked.
Sections in double brackets may stand several times.
"""


def page() -> str:
    """Return ``docs/operate/keeper-config.md``.

    Returns
    -------
    str
        Markdown, one table for each section.
    """
    parts = [HEADER]
    for section, options in groupby(OPTIONS, key=lambda option: option.section):
        head = f"[[{section.removesuffix('[]')}]]" if section.endswith("[]") else f"[{section}]"
        parts.append(f"\n## `{head}`\n\n| option | default | unit | limit | meaning |\n|---|---|---|---|---|\n")
        for option in options:
            default = (
                "required" if option.is_required else "none" if option.default is None else toml_of(option.default)
            )
            shown = default if default in ("required", "none") else f"`{default}`"
            limit = option.limit.replace("|", "\\|")
            parts.append(f"| `{option.name}` | {shown} | {option.unit} | {limit} | {option.meaning} |\n")
    return "".join(parts)
