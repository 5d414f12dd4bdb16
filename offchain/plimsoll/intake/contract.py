"""What a venue lists, by its name: the names of Deribit, OKX, Bybit and Derive, read and never guessed."""

from __future__ import annotations

import re
from calendar import FRIDAY, monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from plimsoll.dialects.times import MONTHS, day_of
from plimsoll.model import Kind

#: Currencies that contracts are quoted in; the longer name first, so that BTCUSDT is not BTCUSD and a T.
QUOTES: Final = ("USDC", "USDT", "USDE", "USD")
#: Quote of an inverse contract: sized in it, paid in the coin.
COUNTED: Final = "USD"
_QUARTER_MONTHS: Final = {"H": 3, "M": 6, "U": 9, "Z": 12}

_DAY: Final = r"(?P<d>\d{1,2})(?P<mon>[A-Z]{3})(?P<y>\d\d)"
_STRIKE: Final = r"(?P<strike>\d+(?:[dD._]\d+)?)"
_DERIBIT: Final = re.compile(
    rf"(?P<base>[A-Z0-9]+)(?:_(?P<quote>[A-Z]+))?-(?:PERPETUAL|{_DAY}(?:-{_STRIKE}-(?P<cp>[CP]))?)"
)
_OKX: Final = re.compile(
    rf"(?P<base>[A-Z0-9]+)-(?P<quote>USD[A-Z]?)-(?:SWAP|(?P<ymd>\d{{6}})(?:-{_STRIKE}-(?P<cp>[CP]))?)"
)
_DERIVE: Final = re.compile(rf"(?P<base>[A-Z0-9]+)-(?:PERP|(?P<ymd>\d{{8}})-{_STRIKE}-(?P<cp>[CP]))")
_BYBIT_DATED: Final = re.compile(
    rf"(?P<base>[A-Z0-9]+?)(?P<quote>USDT)?-{_DAY}(?:-{_STRIKE}-(?P<cp>[CP])(?:-(?P<pays>USD[CT]))?)?"
)
_BYBIT_QUARTER: Final = re.compile(r"(?P<base>[A-Z0-9]+)USD(?P<month>[HMUZ])(?P<y>\d\d)")


@dataclass(frozen=True, slots=True)
class Contract:
    """One listed contract.

    Attributes
    ----------
    name : str
        As the venue writes it.
    underlying : str
    kind : Kind
    expiry_ts : int
        Unix seconds, 0 for a perpetual.
    strike : Fraction
        USD, 0 for futures and perpetuals.
    settles : str
        Currency that profit and loss are paid in.
    is_inverse : bool
        A future or perpetual that is sized in USD and paid in coin; an option whose premium and payoff are in coin.
    """

    name: str
    underlying: str
    kind: Kind
    expiry_ts: int
    strike: Fraction
    settles: str
    is_inverse: bool


def deribit_contract(name: str) -> Contract | None:
    """Read a name of Deribit: ``BTC-PERPETUAL``, ``ETH-27MAR26-1800-P``, ``XRP_USDC-27MAR26-0d625-C``.

    Parameters
    ----------
    name : str

    Returns
    -------
    Contract or None
        ``None`` when it is no name of a future, perpetual or option: a spot pair, a combination.
    """
    found = _DERIBIT.fullmatch(name)
    if found is None:
        return None
    quote = found["quote"] or COUNTED
    return _contract(name, found["base"], quote, _expiry_of_day(found), found["strike"], found["cp"])


def okx_contract(name: str) -> Contract | None:
    """Read a name of OKX: ``BTC-USD-SWAP``, ``ETH-USDT-260327``, ``BTC-USD-260327-100000-C``.

    Parameters
    ----------
    name : str

    Returns
    -------
    Contract or None
        ``None`` when it is a spot pair or no name.
    """
    found = _OKX.fullmatch(name)
    if found is None:
        return None
    expiry = _expiry_of_digits(f"20{found['ymd']}" if found["ymd"] else None)
    return _contract(name, found["base"], found["quote"], expiry, found["strike"], found["cp"])


def derive_contract(name: str) -> Contract | None:
    """Read a name of Derive: ``ETH-PERP``, ``ETH-20260327-1800-P``, ``XRP-20260327-0_65-C``.

    Parameters
    ----------
    name : str

    Returns
    -------
    Contract or None
        ``None`` when it is no name of a perpetual or option.
    """
    found = _DERIVE.fullmatch(name)
    if found is None:
        return None
    return _contract(name, found["base"], "USDC", _expiry_of_digits(found["ymd"]), found["strike"], found["cp"])


def bybit_contract(name: str, category: str) -> Contract | None:
    """Read a name of Bybit within its category.

    Parameters
    ----------
    name : str
        ``BTCUSDT``, ``BTCPERP``, ``BTC-27MAR26``, ``BTCUSD``, ``BTCUSDH26``, ``BTC-27MAR26-100000-C-USDT``.
    category : str
        ``linear``, ``inverse`` or ``option``, as the venue's answer says.

    Returns
    -------
    Contract or None
        ``None`` when it is no name of that category.
    """
    dated = _BYBIT_DATED.fullmatch(name)
    if category == "option":
        if dated is None or dated["cp"] is None:
            return None
        pays = dated["pays"] or "USDC"
        return _contract(name, dated["base"], pays, _expiry_of_day(dated), dated["strike"], dated["cp"])
    if category == "inverse":
        quarter = _BYBIT_QUARTER.fullmatch(name)
        if quarter is not None:
            last = _last_friday(2000 + int(quarter["y"]), _QUARTER_MONTHS[quarter["month"]])
            return _contract(name, quarter["base"], COUNTED, day_of(last.year, last.month, last.day), None, None)
        base = name.removesuffix(COUNTED)
        return None if base in (name, "") else _contract(name, base, COUNTED, 0, None, None)
    if category != "linear":
        return None
    if dated is not None and dated["cp"] is None:
        return _contract(name, dated["base"], dated["quote"] or "USDC", _expiry_of_day(dated), None, None)
    if name.endswith("PERP") and name != "PERP":
        return _contract(name, name.removesuffix("PERP"), "USDC", 0, None, None)
    quote = next((q for q in QUOTES if name.endswith(q) and name != q and q != COUNTED), None)
    return None if quote is None else _contract(name, name.removesuffix(quote), quote, 0, None, None)


def _contract(
    name: str, base: str, quote: str, expiry_ts: int | None, strike: str | None, right: str | None
) -> Contract | None:
    if expiry_ts is None or quote not in QUOTES:
        return None
    is_inverse = quote == COUNTED
    if right is not None and strike is not None:
        kind = Kind.CALL if right == "C" else Kind.PUT
        amount = Fraction(re.sub("[dD_]", ".", strike))
        if amount == 0:
            return None
    else:
        kind, amount = Kind.FUTURE if expiry_ts else Kind.PERP, Fraction(0)
    return Contract(name, base, kind, expiry_ts, amount, base if is_inverse else quote, is_inverse)


def _expiry_of_day(found: re.Match[str]) -> int | None:
    """Return the expiry of a day like 27MAR26, 0 without one, ``None`` when there is no such day."""
    if found["d"] is None:
        return 0
    if found["mon"] not in MONTHS:
        return None
    try:
        return day_of(2000 + int(found["y"]), MONTHS.index(found["mon"]) + 1, int(found["d"]))
    except ValueError:
        return None


def _expiry_of_digits(day: str | None) -> int | None:
    if day is None:
        return 0
    try:
        return day_of(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return None


def _last_friday(year: int, month: int) -> date:
    last = date(year, month, monthrange(year, month)[1])
    return last - timedelta(days=(last.weekday() - FRIDAY) % 7)
