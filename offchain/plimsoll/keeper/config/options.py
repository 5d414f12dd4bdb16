"""The list of all options, read off the sections: what the explanation, the example and the page are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

LIMITS = ("ge", "gt", "le", "lt", "min_length", "max_length")


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Parameters
    ----------
    path : str
        Dotted path; ``[]`` stands for each entry of an array of tables.
    default : Any
        ``None`` without one.
    is_required : bool
        Whether it must be given where its table is.
    meaning, unit, limit : str
        Help text, unit, and the range or choices; the last two may be empty.
    example : Any
        What to show where there is no default.
    """

    path: str
    default: Any
    is_required: bool
    meaning: str
    unit: str
    limit: str
    example: Any

    @property
    def section(self) -> str:
        """Path of its table."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Name inside its table."""
        return self.path.rpartition(".")[2]


def options_of(section: type[BaseModel], prefix: str = "") -> Iterator[Option]:
    """Yield the options of a section and of those inside it, in the order of the file.

    Parameters
    ----------
    section : type
        ``KeeperConfig``, or a part of it.
    prefix : str
        Dotted path of the section.

    Yields
    ------
    Option
    """
    inner = {name: section_of(field) for name, field in section.model_fields.items()}
    # A table of TOML goes on until the next one begins, so that its own options come before the tables inside it.
    for name, field in sorted(section.model_fields.items(), key=lambda item: inner[item[0]] is not None):
        path = f"{prefix}.{name}".lstrip(".")
        table = inner[name]
        if table is None:
            yield _option(path, field)
        else:
            yield from options_of(table, path + ("[]" if _is_array(field) else ""))


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the section that a field holds, one or many; ``None`` for a plain option."""
    return next(
        (part for part in _parts(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)), None
    )


def _parts(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation is made of."""
    if get_origin(annotation) is Annotated:
        yield from _parts(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType, tuple):
        for part in get_args(annotation):
            yield from _parts(part)
    else:
        yield annotation


def _is_array(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple


def _option(path: str, field: FieldInfo) -> Option:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    has_default = not field.is_required()
    return Option(
        path=path,
        default=field.default if has_default else None,
        is_required=not has_default,
        meaning=field.description or "",
        unit=str(extra.get("unit", "")),
        limit=_limit(field),
        example=extra.get("example"),
    )


def _limit(field: FieldInfo) -> str:
    """Say what values are let in."""
    choices = next((get_args(part) for part in _parts(field.annotation) if get_origin(part) is Literal), ())
    if choices:
        return "one of " + ", ".join(map(str, choices))
    found = {name: getattr(rule, name) for rule in field.metadata for name in LIMITS if hasattr(rule, name)}
    is_count = "min_length" in found or "max_length" in found
    low = found.get("ge", found.get("gt", found.get("min_length")))
    high = found.get("le", found.get("lt", found.get("max_length")))
    what = ("entries" if _is_array(field) else "characters") if is_count else ""
    if low is None:
        text = "" if high is None else f"at most {_shown(high)}"
    elif high is None:
        text = f"{'above' if 'gt' in found else 'from'} {_shown(low)}"
    else:
        text = f"{'above ' if 'gt' in found else ''}{_shown(low)} to {_shown(high)}"
    return f"{text} {what}".strip() if text else ""


def _shown(number: float) -> str:
    """Return a number with its thousands apart, a long power of ten as one."""
    text = str(number)
    if len(text) > 12 and set(text[1:]) == {"0"} and text[0] == "1":
        return f"10^{len(text) - 1}"
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def toml_of(value: Any) -> str:
    """Return a value in TOML's notation.

    Parameters
    ----------
    value : Any
        Text, path, number, truth value, or a sequence of them.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_of(inner) for inner in value) + "]"
    if isinstance(value, int):
        return f"{value:_}"
    if isinstance(value, float):
        return repr(value)
    text = value.as_posix() if isinstance(value, Path) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
