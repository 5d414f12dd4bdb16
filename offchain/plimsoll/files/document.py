"""Documents as JSON text, never with a figure that is not finite."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from plimsoll.errors import DomainError


def text_of(document: Mapping[str, Any], indent: int | None = None) -> str:
    """Return a document as JSON.

    Parameters
    ----------
    document : mapping
    indent : int, optional

    Returns
    -------
    str

    Raises
    ------
    DomainError
        When a figure is not finite.
    """
    try:
        return json.dumps(document, indent=indent, allow_nan=False)
    except ValueError:
        raise DomainError("result", "a figure is not a finite number; nothing was written") from None
