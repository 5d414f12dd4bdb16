"""What can be said of an order without asking anybody: fields, listing, fees, nonce, time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from plimsoll.chain.words import unpack
from plimsoll.client.schema.orders import Order, PlaceOrder
from plimsoll.client.schema.problem import RefusalError
from plimsoll.constants import E8, WAD
from plimsoll.keeper.names import name_of
from plimsoll.model import Kind
from plimsoll.venue.book.orders import FILL_OR_KILL, POST_ONLY
from plimsoll.venue.chain.ledger import ExchangeLedger
from plimsoll.venue.chain.world import World

#: Accounts below are the clearing account and the insurance fund.
FIRST_USER_ACCOUNT: Final = 2
E8_TO_WAD: Final = WAD // E8
#: Strikes trade from the forward divided by it to the forward times it (``Listing.sol``).
STRIKE_BAND: Final = 8
#: An entry price is 72 bits with sign in steps of 1e-8 (``Exchange.sol``).
MAX_PRICE_WAD: Final = (2**71 - 1) * E8_TO_WAD
MAX_QUANTITY_WAD: Final = 2**127 - 1


@dataclass(frozen=True, slots=True)
class Steps:
    """Least steps and life of an order.

    Parameters
    ----------
    quantity_wad : int
        Quantities are multiples of it; at least 1e12, below which the chain refuses fills as dust.
    option_price_wad, linear_price_wad : int
        Prices are multiples of them.
    min_life_sec : int
        An order must live at least this much longer than the head of the chain, so that it can be settled.
    """

    quantity_wad: int
    option_price_wad: int
    linear_price_wad: int
    min_life_sec: int


def check_terms(wanted: PlaceOrder, world: World, steps: Steps) -> None:
    """Refuse an order whose fields or instrument the contracts would refuse.

    Parameters
    ----------
    wanted : PlaceOrder
        As it was sent.
    world : World
        Rules, rounds and fees of the last block.
    steps : Steps
        Of the venue.

    Raises
    ------
    RefusalError
        Names field, value and limit.
    """
    order = wanted.order
    if order.accountId < FIRST_USER_ACCOUNT:
        text = f"order.accountId: {order.accountId} is reserved, accounts of users begin at {FIRST_USER_ACCOUNT}"
        raise RefusalError("badField", text, field="order.accountId", value=order.accountId, limit=FIRST_USER_ACCOUNT)
    if wanted.timeInForce == "ioc" and order.kind == POST_ONLY:
        text = "timeInForce: a post-only order rests, so it cannot be immediate or cancel"
        raise RefusalError("badField", text, field="timeInForce", value="ioc", limit="gtc")
    is_option = check_instrument(order.instrument, world, "order.instrument")
    check_quantity(order.quantityWad, steps, "order.quantityWad")
    check_price(order.priceWad, is_option, steps, "order.priceWad")
    check_life(order.expiryTs, world, steps, "order.expiryTs")
    _check_trigger(order)
    _check_fee(order.maxFeeWad, order.kind, is_option, world)
    if is_option and not order.reduceOnly:
        check_band(order.instrument, world, "order.instrument")


def check_instrument(instrument: int, world: World, field: str) -> bool:
    """Refuse an instrument that is not listed or cannot be valued; return whether it is an option."""
    if instrument & ((1 << 128) - 1):
        raise RefusalError("badField", f"{field}: an instrument carries no quantity", field=field, value=instrument)
    try:
        word = unpack(instrument)
    except ValueError:
        text = f"{field}: kind {(instrument >> 240) & 0xFF} is unknown, kinds are 0 to {max(Kind)}"
        raise RefusalError("badField", text, field=field, value=instrument, limit=max(Kind)) from None
    rules = world.rules.get(word.underlying_id)
    if rules is None or not rules.kinds >> word.kind & 1:
        text = f"{field}: underlying {word.underlying_id} is not listed with {word.kind.word}s"
        raise RefusalError("notListed", text, field=field, value=instrument)
    symbol = name_of(world.deployment.underlyings, word.underlying_id)
    if world.is_stale(word.underlying_id):
        text = f"the last round of {symbol} is older than {world.heartbeat_sec} s, so nothing of it can be margined now"
        raise RefusalError("roundStale", text, field=field, limit=world.heartbeat_sec, retry_after_sec=1.0)
    if word.kind.has_expiry:
        _check_series(word.expiry_ts, word.underlying_id, rules, world, field)
    elif word.expiry_ts:
        text = f"{field}: a {word.kind.title} has no expiry"
        raise RefusalError("badField", text, field=field, value=word.expiry_ts)
    if word.kind.is_linear:
        if word.price_e8:
            text = f"{field}: a {word.kind.title} has no strike"
            raise RefusalError("badField", text, field=field, value=word.price_e8)
        return False
    if word.price_e8 <= 0 or word.price_e8 % rules.strikeStepE8:
        text = f"{field}: strike {word.price_e8} (1e-8 cash) is no positive multiple of {rules.strikeStepE8}"
        raise RefusalError("notListed", text, field=field, value=word.price_e8, limit=rules.strikeStepE8)
    return True


def _check_series(expiry_ts: int, underlying_id: int, rules: Any, world: World, field: str) -> None:
    """Refuse an expiry that is over, too far away, or not in the last round."""
    now_ts = world.now_ts()
    if expiry_ts <= now_ts:
        text = f"{field}: its expiry {expiry_ts} is over, the chain is at {now_ts}"
        raise RefusalError("expired", text, field=field, value=expiry_ts, limit=now_ts)
    if expiry_ts > now_ts + rules.maxTenorSec or expiry_ts % rules.expiryStepSec:
        limit = now_ts + rules.maxTenorSec
        text = f"{field}: expiry {expiry_ts} is beyond {limit} or no multiple of {rules.expiryStepSec} s"
        raise RefusalError("notListed", text, field=field, value=expiry_ts, limit=limit)
    found = world.round(underlying_id)
    if found is None or expiry_ts not in {surface.expiry_ts for surface in found.surfaces}:
        text = f"{field}: the last round has no expiry {expiry_ts}, so it cannot be margined"
        raise RefusalError("notListed", text, field=field, value=expiry_ts)


def check_quantity(quantity_wad: int, steps: Steps, field: str) -> None:
    """Refuse a quantity of zero, off the step, or beyond what a position holds."""
    if not 0 < quantity_wad <= MAX_QUANTITY_WAD:
        text = f"{field}: is {quantity_wad}, must be from 1 to {MAX_QUANTITY_WAD}"
        raise RefusalError("badField", text, field=field, value=quantity_wad, limit=MAX_QUANTITY_WAD)
    if quantity_wad % steps.quantity_wad:
        text = f"{field}: {quantity_wad} is no multiple of the step {steps.quantity_wad}"
        raise RefusalError("quantityStep", text, field=field, value=quantity_wad, limit=steps.quantity_wad)


def check_price(price_wad: int, is_option: bool, steps: Steps, field: str) -> None:
    """Refuse a price of zero, off the step, or beyond what an entry holds."""
    if not 0 < price_wad <= MAX_PRICE_WAD:
        text = f"{field}: is {price_wad}, must be from 1 to {MAX_PRICE_WAD}"
        raise RefusalError("badField", text, field=field, value=price_wad, limit=MAX_PRICE_WAD)
    step_wad = steps.option_price_wad if is_option else steps.linear_price_wad
    if price_wad % step_wad:
        text = f"{field}: {price_wad} is no multiple of the step {step_wad}"
        raise RefusalError("priceStep", text, field=field, value=price_wad, limit=step_wad)


def check_life(expiry_ts: int, world: World, steps: Steps, field: str) -> None:
    """Refuse what ends before it could be settled."""
    limit_ts = world.now_ts() + steps.min_life_sec
    if expiry_ts < limit_ts:
        text = f"{field}: {expiry_ts} is too soon, the chain is at {world.now_ts()} and settling takes up to "
        text += f"{steps.min_life_sec} s"
        raise RefusalError("expired", text, field=field, value=expiry_ts, limit=limit_ts)


def _check_trigger(order: Order) -> None:
    """Refuse a trigger that no round can meet while the order lives."""
    if order.triggerWad > MAX_PRICE_WAD:
        text = f"order.triggerWad: is {order.triggerWad}, no spot is above {MAX_PRICE_WAD}"
        raise RefusalError("badField", text, field="order.triggerWad", value=order.triggerWad, limit=MAX_PRICE_WAD)
    if order.triggerWad and order.triggerAfterTs >= order.expiryTs:
        text = f"order.triggerAfterTs: {order.triggerAfterTs} is not before the order's end, {order.expiryTs}"
        raise RefusalError(
            "badField", text, field="order.triggerAfterTs", value=order.triggerAfterTs, limit=order.expiryTs
        )


def _check_fee(max_fee_wad: int, kind: int, is_option: bool, world: World) -> None:
    """Refuse a signed fee below the rates that the order may have to pay."""
    fees = world.fees
    maker_wad, taker_wad = (
        (fees.makerOptionWad, fees.takerOptionWad) if is_option else (fees.makerLinearWad, fees.takerLinearWad)
    )
    needed_wad = {POST_ONLY: maker_wad, FILL_OR_KILL: taker_wad}.get(kind, max(maker_wad, taker_wad))
    if max_fee_wad < needed_wad:
        text = f"order.maxFeeWad: {max_fee_wad} is below the fee of such an order, {needed_wad}"
        raise RefusalError("feeTooLow", text, field="order.maxFeeWad", value=max_fee_wad, limit=needed_wad)


def check_band(instrument: int, world: World, field: str) -> None:
    """Refuse to open an option whose strike is far from the forward, as the contract does."""
    word = unpack(instrument)
    found = world.round(word.underlying_id)
    if found is None:
        return
    forward = found.surface(word.expiry_ts).forward
    strike = word.price_e8 / E8
    low, high = forward / STRIKE_BAND, forward * STRIKE_BAND
    if not low <= strike <= high:
        text = f"{field}: strike {strike:g} is outside {low:g} to {high:g}, an eighth to eight times the forward"
        raise RefusalError("strikeOutsideBand", text, field=field, value=f"{strike:g}", limit=f"{low:g}..{high:g}")


def check_nonce(signer: str, nonce: int, ledger: ExchangeLedger, field: str) -> None:
    """Refuse a nonce that the signer has cancelled on chain."""
    if ledger.is_cancelled(signer, nonce):
        text = f"{field}: {nonce} is cancelled on chain by {signer}"
        raise RefusalError("nonceCancelled", text, field=field, value=nonce)


def message_of(struct: Any) -> dict[str, Any]:
    """Return a signed struct as plain numbers and texts, in the order of its fields."""
    found: Mapping[str, Any] = {name: getattr(struct, name) for name in type(struct).model_fields}
    return dict(found)
