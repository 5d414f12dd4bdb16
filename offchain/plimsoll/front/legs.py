"""Legs as a trader says them: ``put("ETH", "27MAR26", 1800, 5)``, or by name: ``leg("ETH-27MAR26-1800-P", 5)``."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from plimsoll.errors import InputError
from plimsoll.instrument_names import EXAMPLES, parse_name
from plimsoll.model import Kind, Position

#: Venues list an expiry by its day; all of ours, and Deribit's, end at 08:00 UTC.
EXPIRY_HOUR = 8


def expiry_ts_of(expiry: str | int) -> int:
    """Return an expiry as unix seconds.

    Parameters
    ----------
    expiry : str or int
        Day as venues write it (``"27MAR26"``) or ISO (``"2026-03-27"``), both at 08:00 UTC; or unix seconds.

    Returns
    -------
    int
        Unix seconds.

    Raises
    ------
    InputError
        When a text is neither of the two forms.

    Examples
    --------
    >>> expiry_ts_of("27MAR26") == expiry_ts_of("2026-03-27") == 1774598400
    True
    """
    if isinstance(expiry, int):
        return expiry
    for form in ("%d%b%y", "%Y-%m-%d"):
        try:
            day = datetime.strptime(expiry, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return int((day + timedelta(hours=EXPIRY_HOUR)).timestamp())
    raise InputError("expiry", f"{expiry!r} is neither a day like 27MAR26 or 2026-03-27 nor unix seconds")


def _strike(text: str) -> float:
    try:
        strike = float(text)
    except ValueError:
        strike = math.nan
    if not 0.0 < strike < math.inf:
        raise InputError("strike", f"{text!r} is no price above 0")
    return strike


def leg(name: str, quantity: float, entry: float = 0.0) -> Position:
    """Return what a name says, of whatever kind it is.

    Parameters
    ----------
    name : str
        As venues write it: ``ETH-PERP``, ``ETH-27MAR26``, ``ETH-27MAR26-1800-C``; the day as :func:`expiry_ts_of` reads
        a day without hyphens.
    quantity : float
        Units, negative when sold.
    entry : float
        Cash per unit at which a linear instrument was entered; an option has none.

    Returns
    -------
    Position

    Raises
    ------
    InputError
        When the name has the form of no kind, or a part of it cannot be read.

    Examples
    --------
    >>> leg("ETH-27MAR26-1800-P", 5) == put("ETH", "27MAR26", 1_800, 5)
    True
    >>> leg("BTC-PERP", -0.5, 90_000) == perp("BTC", 90_000, -0.5)
    True
    """
    found = parse_name(name)
    if found is None:
        raise InputError("instrument", f"{name!r} has none of the forms {', '.join(EXAMPLES)}")
    price = _strike(found.strike) if found.kind.is_option else float(entry)
    expiry_ts = expiry_ts_of(found.day) if found.kind.has_expiry else 0
    return Position(found.underlying, found.kind, expiry_ts, price, float(quantity))


def call(underlying: str, expiry: str | int, strike: float, quantity: float) -> Position:
    """Return a call; a negative quantity is sold.

    Parameters
    ----------
    underlying : str
    expiry : str or int
        See :func:`expiry_ts_of`.
    strike : float
        Cash per unit.
    quantity : float
        Units.

    Returns
    -------
    Position

    Raises
    ------
    InputError
        When the expiry cannot be read, or a number is outside the model.

    Examples
    --------
    >>> call("ETH", "27MAR26", 2_000, -5).quantity
    -5.0
    """
    return Position(underlying, Kind.CALL, expiry_ts_of(expiry), float(strike), float(quantity))


def put(underlying: str, expiry: str | int, strike: float, quantity: float) -> Position:
    """Return a put; a negative quantity is sold.

    Parameters
    ----------
    underlying : str
    expiry : str or int
        See :func:`expiry_ts_of`.
    strike : float
        Cash per unit.
    quantity : float
        Units.

    Returns
    -------
    Position

    Raises
    ------
    InputError
        When the expiry cannot be read, or a number is outside the model.

    Examples
    --------
    >>> put("ETH", "27MAR26", 1_800, 5).price
    1800.0
    """
    return Position(underlying, Kind.PUT, expiry_ts_of(expiry), float(strike), float(quantity))


def future(underlying: str, expiry: str | int, entry: float, quantity: float) -> Position:
    """Return a dated future that was entered at ``entry``.

    Parameters
    ----------
    underlying : str
    expiry : str or int
        See :func:`expiry_ts_of`.
    entry : float
        Cash per unit.
    quantity : float
        Units, negative when sold.

    Returns
    -------
    Position

    Raises
    ------
    InputError
        When the expiry cannot be read, or a number is outside the model.

    Examples
    --------
    >>> future("ETH", "27MAR26", 2_100, 1).kind.name
    'FUTURE'
    """
    return Position(underlying, Kind.FUTURE, expiry_ts_of(expiry), float(entry), float(quantity))


def perp(underlying: str, entry: float, quantity: float) -> Position:
    """Return a perpetual that was entered at ``entry``.

    Parameters
    ----------
    underlying : str
    entry : float
        Cash per unit.
    quantity : float
        Units, negative when sold.

    Returns
    -------
    Position

    Raises
    ------
    InputError
        When a number is outside the model.

    Examples
    --------
    >>> perp("BTC", 90_000, -0.5).expiry_ts
    0
    """
    return Position(underlying, Kind.PERP, 0, float(entry), float(quantity))
