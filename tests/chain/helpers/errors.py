"""The one place that knows how Brownie prints a custom error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import brownie


@contextmanager
def reverts_with(name: str, *args: object) -> Iterator[None]:
    """Expect exactly one custom error, by name and, when given, by its arguments.

    Parameters
    ----------
    name : str
        Error name, ``<Contract>__<Reason>``.
    *args : object
        Every argument in order; none to accept any (or an error without arguments).
    """
    if args:
        with brownie.reverts(f"{name}: {', '.join(_printed(arg) for arg in args)}"):
            yield
    else:
        with brownie.reverts(revert_pattern=f"^{name}(: .*)?$"):
            yield


@contextmanager
def reverts_naming(name: str, field: str) -> Iterator[None]:
    """Expect a custom error whose first argument names a field.

    Parameters
    ----------
    name : str
        Error name, ``<Contract>__<Reason>``.
    field : str
        The field, as a bytes32 of its letters.
    """
    with brownie.reverts(revert_pattern=f"^{name}: {re.escape(str(padded(field)))}, .*$"):
        yield


def padded(field: str) -> bytes:
    """Return the bytes32 of a field's letters."""
    return field.encode().ljust(32, b"\0")


def _printed(arg: object) -> str:
    """Brownie prints accounts and contracts by address, in small letters, everything else as Python does."""
    return str(arg.address).lower() if hasattr(arg, "address") else str(arg)
