"""What a person types, as numbers and names; anything else is one error that names the argument."""

from __future__ import annotations

import math
from collections.abc import Collection

from plimsoll.errors import InputError


def number(name: str, text: str, low: float = 0.0, high: float = math.inf) -> float:
    """Read a number.

    Parameters
    ----------
    name : str
        Argument, for the message.
    text : str
        What was typed.
    low : float
        The number must be above.
    high : float
        The number must not be above.

    Returns
    -------
    float

    Raises
    ------
    InputError
        When it is no finite number within the bounds.
    """
    try:
        value = float(text)
    except ValueError:
        raise InputError(name, f"{text!r} is no number") from None
    if not math.isfinite(value) or not low < value <= high:
        limit = f"above {low:g}" + (f" and at most {high:g}" if math.isfinite(high) else "")
        raise InputError(name, f"{text} must be {limit}")
    return value


def quantity(text: str) -> float:
    """Read a quantity: positive buys, negative sells; zero is none."""
    value = number("quantity", text, -math.inf)
    if not value:
        raise InputError("quantity", "0 is no trade; positive buys, negative sells")
    return value


def choice(name: str, text: str, known: Collection[str]) -> str:
    """Return a name that is known."""
    if text not in known:
        raise InputError(name, f"{text!r} is none of {', '.join(known)}")
    return text
