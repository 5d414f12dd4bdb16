"""From a TOML file and the command line to a checked configuration that knows where each value came from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from pydantic import ValidationError

from plimsoll.errors import InputError
from plimsoll.keeper.config.refusals import refusal_of
from plimsoll.keeper.config.secrets import PLACEHOLDER, leaves, refuse_secrets
from plimsoll.keeper.config.section import Section
from plimsoll.keeper.config.tree import KeeperConfig

MAX_FILE_BYTES: Final = 1024 * 1024
Origin = Literal["file", "command line"]
S = TypeVar("S", bound=Section)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and its origins.

    Parameters
    ----------
    config : KeeperConfig
        Checked values.
    origins : mapping
        Where each given option came from, by dotted path; what is missing has its default.
    given : mapping
        What was written there, before the environment was filled in: safe to show.
    secrets : frozenset of str
        What the environment filled in, for the redaction of logs.
    """

    config: KeeperConfig
    origins: Mapping[str, Origin]
    given: Mapping[str, Any]
    secrets: frozenset[str]


def load_config(path: Path, overrides: Sequence[str] = ()) -> Loaded:
    """Read and check the keeper's file.

    Parameters
    ----------
    path : Path
        TOML file. Relative paths in it are relative to its folder.
    overrides : sequence of str
        ``section.option=value`` of the command line, the value in TOML's notation or a bare text.

    Returns
    -------
    Loaded

    Raises
    ------
    InputError
        In one line: the file or option, what is wrong, and the limit. Values of secrets are never shown.
    """
    config, origins, given, secrets = _load(KeeperConfig, path, overrides)
    return Loaded(config, origins, given, secrets)


def load_as(model: type[S], path: Path, overrides: Sequence[str] = ()) -> S:
    """Read and check the file of another service whose sections are made like the keeper's.

    Parameters
    ----------
    model : type
        The whole file.
    path, overrides
        As for :func:`load_config`.

    Returns
    -------
    Section
        Checked.

    Raises
    ------
    InputError
        As for :func:`load_config`.
    """
    return _load(model, path, overrides)[0]


def _load(
    model: type[S], path: Path, overrides: Sequence[str]
) -> tuple[S, dict[str, Origin], dict[str, Any], frozenset[str]]:
    """Read, fill in and check; say where everything came from."""
    tree = _parse(path)
    refuse_secrets(tree, str(path))
    given: dict[str, Any] = dict(leaves(tree))
    origins: dict[str, Origin] = dict.fromkeys(given, "file")
    for text in overrides:
        name, value = _override(text)
        refuse_secrets({name: value}, "--set")
        _put(tree, name, value)
        for known in [old for old in given if old == name or old.startswith((f"{name}.", f"{name}["))]:
            del given[known], origins[known]
        fresh = dict(leaves(value, name))
        given |= fresh
        origins |= dict.fromkeys(fresh, "command line")
    secrets: set[str] = set()
    filled = _fill(tree, str(path), "", secrets)
    try:
        config = model.model_validate(filled, context={"folder": path.parent})
    except ValidationError as problem:
        where, message = refusal_of(problem)
        is_option = any(origin == "command line" and where.startswith(name) for name, origin in origins.items())
        raise InputError("--set" if is_option else str(path), message) from None
    return config, origins, given, frozenset(secrets)


def _parse(path: Path) -> dict[str, Any]:
    """Read the file as TOML."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(str(path), f"larger than {MAX_FILE_BYTES} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise InputError(str(path), f"cannot be read ({reason.strerror or reason})") from None
    except UnicodeDecodeError:
        raise InputError(str(path), "is not UTF-8 text") from None
    except (tomllib.TOMLDecodeError, RecursionError) as reason:
        raise InputError(str(path), f"is not valid TOML ({reason})") from None


def _override(text: str) -> tuple[str, Any]:
    """Split one assignment of the command line; what is no TOML value is taken as a text."""
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or "." not in name or "[" in name:
        raise InputError("--set", f"{name or 'an empty text'} is no section.option=value")
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    """Set one option of the tree, making the tables on the way."""
    *tables, last = name.split(".")
    for table in tables:
        inner = tree.setdefault(table, {})
        if not isinstance(inner, dict):
            raise InputError("--set", f"{name}: {table} is no table")
        tree = inner
    tree[last] = value


def _fill(value: Any, source: str, path: str, secrets: set[str]) -> Any:
    """Fill in ``${NAME}`` from the environment, and note what was filled in."""
    if isinstance(value, dict):
        return {key: _fill(inner, source, f"{path}.{key}".lstrip("."), secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, source, f"{path}[{number}]", secrets) for number, inner in enumerate(value)]
    if not isinstance(value, str):
        return value
    for name in _names(value):
        if not os.environ.get(name):
            raise InputError(source, f"{path}: ${{{name}}} is not set in the environment")
        secrets.add(os.environ[name])
    return PLACEHOLDER.sub(lambda found: os.environ[found[1]], value)


def _names(text: str) -> Iterator[str]:
    for found in PLACEHOLDER.finditer(text):
        yield found[1]
