"""Options that several commands share, declared once as the fields of a dataclass."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, get_type_hints


def grouped(name: str, group: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the fields of a dataclass as options of its own.

    Parameters
    ----------
    name : str
        Argument of the command that receives the group.
    group : type
        Dataclass whose fields are annotated as typer expects it. A field without a default is a required option.

    Returns
    -------
    callable
        Decorator of the command.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(group, include_extras=True)
        own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name != name]
        shared = [
            inspect.Parameter(
                f.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if f.default is MISSING else f.default,
                annotation=hints[f.name],
            )
            for f in fields(group)
        ]
        listed = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + shared

        @functools.wraps(function)
        def command(**given: Any) -> None:
            chosen = group(**{p.name: given.pop(p.name) for p in shared})
            function(**given, **{name: chosen})

        command.__annotations__ = {p.name: p.annotation for p in listed}
        # Read by `inspect.signature`, hence by typer; the type of functions does not declare it.
        command.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
        return command

    return decorate
