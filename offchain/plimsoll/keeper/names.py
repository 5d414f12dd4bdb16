"""Names of underlyings and tokens, those included that were listed after the record of the deployment was written.

The record names what there was at first. What governance lists later has an id alone; it is called ``#7`` here, so that
its series settle and its rates are observed like all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from plimsoll.errors import InputError

UNNAMED: Final = "#"


def name_of(ids: Mapping[str, int], number: int) -> str:
    """Return the name of an id.

    Parameters
    ----------
    ids : Mapping[str, int]
        Ids by name.
    number : int
        Id.

    Returns
    -------
    str
        ``#`` and the id when it has no name.
    """
    return next((name for name, known in ids.items() if known == number), f"{UNNAMED}{number}")


def id_of(ids: Mapping[str, int], name: str) -> int:
    """Return the id of a name.

    Parameters
    ----------
    ids : Mapping[str, int]
        Ids by name.
    name : str
        As :func:`name_of` gives it.

    Returns
    -------
    int

    Raises
    ------
    InputError
        When nothing is called so.
    """
    if name in ids:
        return ids[name]
    number = name.removeprefix(UNNAMED)
    if name == number or not number.isdecimal():
        raise InputError("deployment", f"nothing is called {name!r}; it knows {', '.join(sorted(ids)) or 'no names'}")
    return int(number)
