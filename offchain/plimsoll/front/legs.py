"""Legs by name, as a trader says them: ``put("ETH", "27MAR26", 1800, 5)``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from plimsoll.errors import InputError
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
