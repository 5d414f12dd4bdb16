"""The single border between chain integers and floats. Every name states the direction.

A float is read by its shortest decimal form, so 0.1 becomes exactly 10**17 wad and not the binary
neighbour of it.
"""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

from plimsoll.constants import E8, WAD
from plimsoll.errors import DomainError

# 78 digits hold every 256-bit integer.
_CONTEXT = Context(prec=120)


def _scaled(value: float, scale: int, rounding: str) -> int:
    if not math.isfinite(value):
        raise DomainError("number", f"{value} is not finite")
    product = _CONTEXT.multiply(Decimal(repr(float(value))), Decimal(scale))
    return int(product.to_integral_value(rounding, _CONTEXT))


def float_to_wad(value: float) -> int:
    """Return ``value`` in units of 1e-18, to nearest.

    Parameters
    ----------
    value : float
        Finite.

    Returns
    -------
    int
        Wad.

    Raises
    ------
    DomainError
        When ``value`` is not finite.
    """
    return _scaled(value, WAD, ROUND_HALF_EVEN)


def wad_to_float(value_wad: int) -> float:
    """Return a wad integer as the nearest float."""
    return value_wad / WAD


def float_to_e8(value: float) -> int:
    """Return ``value`` in units of 1e-8, to nearest; strikes and entry prices.

    Parameters
    ----------
    value : float
        Finite.

    Returns
    -------
    int
        Units of 1e-8 of cash.

    Raises
    ------
    DomainError
        When ``value`` is not finite.
    """
    return _scaled(value, E8, ROUND_HALF_EVEN)


def e8_to_float(value_e8: int) -> float:
    """Return an integer of units 1e-8 as the nearest float."""
    return value_e8 / E8


def float_to_raw(value: float, decimals: int) -> int:
    """Return a token amount in its own decimals, rounded down.

    Parameters
    ----------
    value : float
        Finite token amount.
    decimals : int
        Of the token.

    Returns
    -------
    int
        Raw units.

    Raises
    ------
    DomainError
        When ``value`` is not finite.
    """
    return _scaled(value, 10**decimals, ROUND_FLOOR)


def raw_to_float(value_raw: int, decimals: int) -> float:
    """Return raw token units as the nearest float."""
    return value_raw / int(10**decimals)
