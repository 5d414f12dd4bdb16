"""JSON, strictly: whatever makes a text none is one error, and no key that is there twice is taken for the last one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from plimsoll.errors import InputError


def json_of(
    content: bytes,
    source: str,
    most_bytes: int,
    *,
    parse_float: Callable[[str], Any] | None = None,
    parse_constant: Callable[[str], Any] | None = None,
) -> Any:
    """Parse JSON.

    Parameters
    ----------
    content : bytes
        UTF-8, with or without the mark of byte order that some programs write first.
    source : str
        Named in errors.
    most_bytes : int
        Longest text that is read.
    parse_float, parse_constant : callable, optional
        As in ``json.loads``.

    Returns
    -------
    object

    Raises
    ------
    InputError
        When it is longer, no UTF-8, no JSON, nested too deeply, or repeats a key in one object.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise InputError(source, f"key {key!r} appears twice in one object")
            seen[key] = value
        return seen

    if len(content) > most_bytes:
        raise InputError(source, f"larger than {most_bytes} bytes")
    try:
        text = content.decode("utf-8-sig")
        if not text.strip():
            raise InputError(source, "is empty")
        return json.loads(text, parse_float=parse_float, parse_constant=parse_constant, object_pairs_hook=unique)
    except UnicodeDecodeError:
        raise InputError(source, "is not UTF-8 text") from None
    except RecursionError:
        raise InputError(source, "is nested too deeply") from None
    except ValueError as error:
        raise InputError(source, f"is not valid JSON ({error})") from None
