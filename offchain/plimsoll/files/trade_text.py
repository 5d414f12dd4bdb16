"""Trades as a person says them: ``buy 5 ETH-27MAR26-1800-P``, ``sell 0.1 BTC-PERP @ 65000``."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from plimsoll.errors import InputError
from plimsoll.instrument_names import parse_name
from plimsoll.mirror.linear import linear_unit
from plimsoll.mirror.order_preview import OpenOrder
from plimsoll.mirror.unit_risk import mark_of
from plimsoll.model import MAX_QUANTITY, MAX_STORED_PRICE, Market, Position

NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
TRADE: Final = re.compile(rf"(buy|sell) ({NUMBER}) ([A-Z0-9]+)-([A-Z0-9.-]+)(?: @ ?({NUMBER}))?", re.IGNORECASE)
DAY: Final = re.compile(r"[0-9]{1,2}[A-Z]{3}[0-9]{2}")
FORM: Final = "say it like 'buy 5 ETH-27MAR26-1800-P', 'sell 2 ETH-27MAR26' or 'sell 0.1 BTC-PERP @ 65000'"


def _expiry(market: Market, underlying: str, day: str, source: str) -> int:
    """Expiry of the market on a day; a day has one."""
    listed = [surface.expiry_ts for surface in market.rounds[underlying].surfaces]
    names = {ts: datetime.fromtimestamp(ts, UTC).strftime("%d%b%y").upper() for ts in listed}
    found = [ts for ts, name in names.items() if name == day.upper().zfill(7)]
    if not found:
        known = ", ".join(names.values()) or "none"
        raise InputError(source, f"{day.upper()} is no expiry of {underlying} in the market; it has {known}")
    if len(found) > 1:
        raise InputError(source, f"{underlying} has {len(found)} expiries on {day.upper()}: a day does not say which")
    return found[0]


def _instrument(market: Market, underlying: str, rest: str, source: str) -> Position:
    """Read what follows the underlying: ``PERP``, a day, or day, strike and right."""
    name = parse_name(f"{underlying}-{rest}")
    if name is None:
        raise InputError(source, f"{rest!r} is no instrument; {FORM}")
    _, kind, day, strike = name
    if (kind.has_expiry and not DAY.fullmatch(day.upper())) or (kind.is_option and not re.fullmatch(NUMBER, strike)):
        raise InputError(source, f"{rest!r} is no instrument; {FORM}")
    if kind.is_option and not 0.0 < float(strike) <= MAX_STORED_PRICE:
        raise InputError(source, f"the strike {strike} is outside (0, {MAX_STORED_PRICE:g}]")
    expiry = _expiry(market, underlying, day, source) if kind.has_expiry else 0
    return Position(underlying, kind, expiry, float(strike) if kind.is_option else 0.0, 0.0)


def _price(market: Market, position: Position) -> float:
    """Price one unit as the mirror does now."""
    round_ = market.rounds[position.underlying]
    if position.kind.is_linear:
        return float(linear_unit(round_, position.kind, position.expiry_ts).fair)
    return mark_of(round_, position.instrument)


def read_trade(text: str, market: Market, source: str = "--with") -> OpenOrder:
    """Read a trade.

    Parameters
    ----------
    text : str
        ``buy`` or ``sell``, a size in units, an instrument as venues name it, and ``@ price``, cash, where it is not
        the market's own. Capitals do not matter.
    market : Market
        Says which expiries there are, and the price where none is said.
    source : str
        Named in errors.

    Returns
    -------
    OpenOrder
        Signed quantity and price, cash per unit.

    Raises
    ------
    InputError
        When it is not of that form, or the market does not have the underlying or the expiry.
    """
    match = TRADE.fullmatch(text.strip())
    if match is None:
        raise InputError(source, f"{text!r} is no trade; {FORM}")
    side, size, underlying, rest, price = match.groups()
    if underlying.upper() not in market.rounds:
        known = ", ".join(sorted(market.rounds))
        raise InputError(source, f"{underlying!r} is not an underlying of the market; it has {known}")
    quantity = float(size)
    if not 0.0 < quantity <= MAX_QUANTITY:
        raise InputError(source, f"the size {size} is outside (0, {MAX_QUANTITY:g}]")
    named = _instrument(market, underlying.upper(), rest, source)
    signed = quantity if side.lower() == "buy" else -quantity
    position = Position(named.underlying, named.kind, named.expiry_ts, named.price, signed)
    return OpenOrder(position, float(price) if price is not None else _price(market, position))
