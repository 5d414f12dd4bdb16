"""What may be given once only: options that are no list, and accounts that are listed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typer.main import get_command

from plimsoll.errors import InputError


def check_options(app: Any, arguments: Sequence[str]) -> None:
    """Refuse an option that is given twice and holds one value: the parser would take the last without a word.

    Parameters
    ----------
    app : typer.Typer
        Root application.
    arguments : sequence of str
        The command line.

    Raises
    ------
    InputError
        Naming command and option.
    """
    command: Any = get_command(app)
    path, seen = "plimsoll", set[str]()
    words = iter(arguments)
    for word in words:
        if word == "--":
            return
        if not word.startswith("-"):
            command, path, seen = _descended(command, path, word, seen)
            continue
        name, is_joined, _ = word.partition("=")
        option = next((p for p in command.params if name in p.opts and p.param_type_name == "option"), None)
        if option is None or option.is_flag:
            continue
        if not is_joined:
            next(words, None)
        if not option.multiple and option.name in seen:
            raise InputError(path, f"{name} is given twice, it takes one value")
        seen.add(option.name)


def _descended(command: Any, path: str, word: str, seen: set[str]) -> tuple[Any, str, set[str]]:
    """Go into the subcommand that a word names; any other word is an argument."""
    below = getattr(command, "commands", {}).get(word)
    return (command, path, seen) if below is None else (below, f"{path} {word}", set())


def check_accounts(paths: Sequence[Path]) -> None:
    """Refuse a portfolio file that is given twice: it would count as two accounts.

    Parameters
    ----------
    paths : sequence of Path

    Raises
    ------
    InputError
        Naming the file.
    """
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise InputError("--portfolio", f"{path} is given twice; each file is one account")
        seen.add(path.resolve())
