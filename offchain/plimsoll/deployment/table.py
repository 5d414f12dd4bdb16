"""A table of a configuration as a dataclass: no key that it does not know, no value of another type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar

from plimsoll.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def check_type(source: str, expected: str, value: Any) -> None:
    """Compare a TOML value with the annotation of its field; an integer is a valid float.

    Parameters
    ----------
    source : str
        Name used in an error message.
    expected : str
        Annotation.
    value : Any
        What the file says.

    Raises
    ------
    InputError
        When it is of another type.
    """
    actual = type(value).__name__
    if actual != expected and (actual, expected) != ("int", "float"):
        raise InputError(source, f"must be {expected}, got {value!r}")


def check_table(source: str, value: Any) -> None:
    """Refuse what stands where a table belongs.

    Parameters
    ----------
    source : str
        Name used in an error message.
    value : Any
        What the file says.

    Raises
    ------
    InputError
        When it is none.
    """
    if not isinstance(value, Mapping):
        raise InputError(source, f"must be a table, got {value!r}")


def build_table(kind: type[T], source: str, table: Mapping[str, Any], **given: Any) -> T:
    """Make a dataclass from a TOML table; unknown, missing and mistyped keys are errors.

    Parameters
    ----------
    kind : type
        The dataclass.
    source : str
        Name used in an error message.
    table : mapping
        What the file says.
    **given : Any
        Fields that are not read from the table.

    Returns
    -------
    object
        Of ``kind``.

    Raises
    ------
    InputError
        When a key is unknown, missing or mistyped.
    """
    check_table(source, table)
    known = {f.name: f for f in fields(kind) if f.name not in given}
    for key, value in table.items():
        if key not in known:
            raise InputError(source, f"unknown key {key}")
        check_type(f"{source} {key}", str(known[key].type), value)
    for name, entry in known.items():
        if name not in table and entry.default is MISSING and entry.default_factory is MISSING:
            raise InputError(source, f"{name} is missing")
    return kind(**{**table, **given})
