"""What a person types, as numbers and instruments; anything else is one error that names the argument."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

from plimsoll.errors import InputError
from plimsoll.front.legs import expiry_ts_of
from plimsoll.model import Kind, Position

RIGHTS: Final = {"C": Kind.CALL, "P": Kind.PUT}
FORM: Final = "ETH-PERP, ETH-27MAR26 or ETH-27MAR26-1800-C"


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


def position(text: str, units: float, price: float) -> Position:
    """Read an instrument.

    Parameters
    ----------
    text : str
        Underlying with ``PERP``, with an expiry, or with expiry, strike and ``C`` or ``P``.
    units : float
        Quantity of the position.
    price : float
        Entry of a linear instrument.

    Returns
    -------
    Position

    Raises
    ------
    InputError
        When the text has none of the three forms.
    """
    match text.split("-"):
        case [underlying, "PERP"]:
            return Position(underlying, Kind.PERP, 0, price, units)
        case [underlying, expiry]:
            return Position(underlying, Kind.FUTURE, expiry_ts_of(expiry), price, units)
        case [underlying, expiry, strike, right] if right in RIGHTS:
            return Position(underlying, RIGHTS[right], expiry_ts_of(expiry), number("strike", strike), units)
    raise InputError("instrument", f"{text!r} has none of the forms {FORM}")
