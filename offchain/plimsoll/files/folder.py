"""Folders that a command writes to."""

from __future__ import annotations

from pathlib import Path

from plimsoll.errors import InputError


def make_folder(path: Path, option: str) -> None:
    """Create a folder unless it is there.

    Parameters
    ----------
    path : Path
    option : str
        Named in the error.

    Raises
    ------
    InputError
        When it cannot be created, or is a file.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(option, f"{path} cannot be written ({error.strerror})") from None
