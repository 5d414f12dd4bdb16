"""A trade between two accounts: one signed order of each side, settled by the exchange."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final

from plimsoll.errors import InputError
from plimsoll.front.legs import leg
from plimsoll.mirror.order_preview import OpenOrder
from plimsoll.model import Mode, Portfolio, Position
from plimsoll.protocol.margin_engine import snapshot_of
from plimsoll.protocol.orders import OrderTerms, signed_order
from plimsoll.session.arguments import choice
from plimsoll.session.report import day_of
from plimsoll.session.rounds import last_spot
from plimsoll.session.session import Holder, Session
from plimsoll.units import wad_to_float

ORDER_LIFE_SEC: Final = 600
#: The highest fee that an order accepts, as a share of its notional or, of an option, of its premium.
MAX_FEE: Final = 0.01
#: The exchange takes prices in steps of 1e-8; nobody quotes finer than cents.
PRICE_DECIMALS: Final = 2


def instrument(session: Session, text: str, units: float) -> Position:
    """Read an instrument that the deployment has.

    Parameters
    ----------
    session : Session
    text : str
        For example ``ETH-PERP`` or ``ETH-27MAR26-1800-P``.
    units : float
        Quantity.

    Returns
    -------
    Position
        A linear one enters at the last spot until it has a price.

    Raises
    ------
    InputError
        When the text names no instrument, or an underlying or expiry that the deployment does not have.
    """
    underlying = choice("instrument", text.split("-")[0], session.deployment.underlyings)
    found = leg(text, units, last_spot(session, underlying)[0])
    if found.expiry_ts:
        listed = session.contract("Oracle").call("expiriesOf", session.deployment.underlyings[underlying])
        if found.expiry_ts not in listed:
            days = ", ".join(day_of(ts) for ts in sorted(listed))
            raise InputError("instrument", f"{text} has no expiry of the rounds of {underlying}: {days or 'none yet'}")
    return found


def mark(session: Session, found: Position) -> float:
    """Return what the contracts value one unit at now, in cash, to the cent.

    Raises
    ------
    RevertError
        When the round is stale or missing.
    """
    unit = Portfolio(Mode.SINGLE, 0.0, {}, (replace(found, quantity=1.0),))
    state = session.contract("MarginEngine").call("evaluate", snapshot_of(unit, session.deployment))
    value = wad_to_float(state.markToMarketWad)
    return round(value if found.kind.is_option else found.price + value, PRICE_DECIMALS)


def trade(session: Session, taker: Holder, maker: Holder, found: Position, price: float) -> None:
    """Sign an order of each side and settle them against each other.

    Parameters
    ----------
    session : Session
    taker : Holder
        Buys when the quantity is positive, sells when it is negative.
    maker : Holder
        The other side; its wallet sends the transaction.
    found : Position
        Instrument and quantity.
    price : float
        Cash a unit.

    Raises
    ------
    InputError
        When both sides are one account.
    RevertError
        When the exchange refuses, for example because a side would be below its initial margin.
    """
    if taker.account_id == maker.account_id:
        raise InputError("maker", f"account {maker.account_id} cannot trade with itself")
    exchange = session.contract("Exchange")
    sold = replace(found, quantity=-found.quantity)
    made, made_signature = _signed(session, maker, OpenOrder(sold, price))
    taken, taken_signature = _signed(session, taker, OpenOrder(found, price))
    values = (made, made_signature, taken, taken_signature, made["quantityWad"])
    session.send(maker.wallet, exchange, "settle", *values)


def _signed(session: Session, holder: Holder, order: OpenOrder) -> tuple[dict[str, Any], bytes]:
    """Sign one limit order of an account."""
    terms = OrderTerms(
        account_id=holder.account_id,
        signer=holder.wallet.address,
        # Two orders that are alike in everything else must differ in it.
        first_nonce=time.time_ns(),
        expiry_ts=session.client.block_ts() + ORDER_LIFE_SEC,
        max_fee=MAX_FEE,
        transfer_count=session.contract("Accounts").call("transferCountOf", holder.account_id),
    )
    return signed_order(session.contract("Exchange"), holder.wallet, order, session.deployment.underlyings, terms)
