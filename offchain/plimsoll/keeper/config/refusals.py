"""One line about what pydantic refuses: the option, what is wrong, and the limit; never the value of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from plimsoll.keeper.config.options import section_of
from plimsoll.keeper.config.tree import KeeperConfig

#: Kind of refusal -> sentence; ``value`` is shown for numbers alone.
SENTENCES: Final[Mapping[str, str]] = {
    "missing": "missing, and it has no default",
    "greater_than": "{value} is not above {gt}",
    "greater_than_equal": "{value} is below the limit {ge}",
    "less_than": "{value} is not below {lt}",
    "less_than_equal": "{value} is above the limit {le}",
    "literal_error": "is not one of {expected}",
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "tuple_type": "expected an array",
    "path_type": "expected a text with a path",
    "model_type": "expected a table",
    "model_attributes_type": "expected a table",
    "is_instance_of": "expected a text with a path",
    "too_short": "{actual_length} entries, at least {min_length} are needed",
    "too_long": "more than {max_length} entries",
    "string_too_short": "shorter than {min_length} characters",
    "string_too_long": "longer than {max_length} characters",
    "string_pattern_mismatch": "does not match {pattern}",
}


def refusal_of(problem: ValidationError) -> tuple[str, str]:
    """Return the first refusal of a configuration.

    Parameters
    ----------
    problem : ValidationError
        What pydantic raised.

    Returns
    -------
    tuple[str, str]
        Dotted path, and the message that begins with it.
    """
    errors = problem.errors(include_url=False)
    # A misspelt key is also a missing one; its own line helps more.
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    where = dotted(first["loc"])
    kind = first["type"]
    context = {name: f"{v:g}" if isinstance(v, float) else v for name, v in first.get("ctx", {}).items()}
    if kind == "extra_forbidden":
        message = _unknown(first["loc"])
    elif kind == "value_error":
        message = str(context["error"])
    else:
        shown = first["input"] if isinstance(first["input"], int | float) else "the value"
        message = SENTENCES.get(kind, first["msg"]).format(value=shown, **context)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    if not where:
        return message.split(":", 1)[0], message + more
    return where, f"{where}: {message}{more}"


def dotted(place: Sequence[int | str]) -> str:
    """Return a place of pydantic as it is written in the file: ``alerts.webhooks[0].url``."""
    path = ""
    for part in place:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".")


def _unknown(place: Sequence[int | str]) -> str:
    """Say that a key is unknown and which ones are known, the likeliest first."""
    known = list(_section(KeeperConfig, place[:-1]).model_fields)
    near = get_close_matches(str(place[-1]), known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"unknown option; {hint}known are {', '.join(known)}"


def _section(section: type[BaseModel], place: Sequence[Any]) -> type[BaseModel]:
    """Walk down to the section that a place lies in."""
    for part in place:
        if isinstance(part, str):
            section = section_of(section.model_fields[part]) or section
    return section
