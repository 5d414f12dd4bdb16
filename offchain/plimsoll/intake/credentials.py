"""Read-only keys of venues, from the environment or a file; never from an option, which any process list shows."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from plimsoll.errors import InputError

#: What a venue needs, by venue; the variable is PLIMSOLL_<VENUE>_<PART>.
PARTS: Final[Mapping[str, Sequence[str]]] = {
    "deribit": ("id", "secret"),
    "okx": ("key", "secret", "passphrase"),
    "bybit": ("key", "secret"),
    "derive": ("wallet", "key", "subaccount"),
}


def variable_of(venue: str, part: str) -> str:
    """Return the environment variable of one part of a key: ``PLIMSOLL_OKX_SECRET``."""
    return f"PLIMSOLL_{venue.upper()}_{part.upper()}"


def read_key(venue: str, file: Path | None) -> dict[str, str]:
    """Read the key of a venue.

    Parameters
    ----------
    venue : str
    file : Path or None
        JSON object with the venue's parts, readable by its owner alone; without it the environment is read.

    Returns
    -------
    dict of str to str
        By part.

    Raises
    ------
    InputError
        When a part is missing, or others may read the file. No message repeats what a key holds.
    """
    parts = PARTS[venue]
    if file is None:
        found = {part: os.environ.get(variable_of(venue, part), "") for part in parts}
        missing = [variable_of(venue, part) for part in parts if not found[part]]
        if missing:
            raise InputError(", ".join(missing), "not set; --live reads a read-only key from there, or from --key-file")
        return found
    content = _content(file)
    missing = [part for part in parts if not isinstance(content.get(part), str) or not content[part]]
    if missing:
        raise InputError(file.name, f"missing key {missing[0]!r}; {venue} needs {', '.join(parts)}")
    return {part: str(content[part]) for part in parts}


def _content(file: Path) -> Mapping[str, object]:
    try:
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise InputError(file.name, "others may read it; a key is its owner's alone (chmod 600)")
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(file), f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise InputError(file.name, "is not valid JSON") from None
    if not isinstance(found, dict):
        raise InputError(file.name, "expected a JSON object")
    return found
