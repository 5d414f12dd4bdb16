"""Order templates: suggested trades as the typed data that a wallet signs and the exchange accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from plimsoll.chain.contracts import Contract
from plimsoll.chain.signing import DOMAIN_FIELDS, Fields, domain_of, sign, struct_types
from plimsoll.chain.words import to_instrument, to_word
from plimsoll.constants import E8, WAD
from plimsoll.deployment.record import Deployment
from plimsoll.errors import InputError
from plimsoll.mirror.order_preview import OpenOrder
from plimsoll.units import float_to_e8, float_to_wad

SCHEMA: Final = "plimsoll.orders/1"
KEEP_MODE: Final = 255
LIMIT: Final = 0
#: ``IExchange.Order``; where a deployment is at hand, its ABI decides.
ORDER_FIELDS: Final[Fields] = [
    {"name": "accountId", "type": "uint256"},
    {"name": "instrument", "type": "uint256"},
    {"name": "isBuy", "type": "bool"},
    {"name": "quantityWad", "type": "uint256"},
    {"name": "priceWad", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
    {"name": "expiryTs", "type": "uint40"},
    {"name": "signer", "type": "address"},
    {"name": "kind", "type": "uint8"},
    {"name": "reduceOnly", "type": "bool"},
    {"name": "maxFeeWad", "type": "uint256"},
    {"name": "transferCount", "type": "uint64"},
    {"name": "triggerWad", "type": "uint256"},
    {"name": "triggerAbove", "type": "bool"},
    {"name": "triggerAfterTs", "type": "uint40"},
    {"name": "exclusive", "type": "bool"},
]
#: Fields of an order that waits for nothing, and that others of its nonce leave alone.
UNCONDITIONAL: Final[Mapping[str, Any]] = {
    "triggerWad": 0,
    "triggerAbove": False,
    "triggerAfterTs": 0,
    "exclusive": False,
}


def exchange_domain(deployment: Deployment) -> dict[str, Any]:
    """EIP-712 domain of the exchange of a deployment, as its constructor sets it."""
    return {
        "name": "Plimsoll Exchange",
        "version": "1",
        "chainId": deployment.chain_id,
        "verifyingContract": deployment.contracts["Exchange"],
    }


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What the trades do not say.

    Parameters
    ----------
    account_id : int
        Account that trades.
    signer : str
        Who signs.
    first_nonce : int
        Nonce of the first order.
    expiry_ts : int
        Last second, unix seconds.
    max_fee : float
        Highest fee as a share of notional.
    transfer_count : int
        How often the account has changed hands (``Accounts.transferCountOf``): a transfer ends an order for good.
    """

    account_id: int
    signer: str
    first_nonce: int
    expiry_ts: int
    max_fee: float = 0.001
    transfer_count: int = 0


def _price_wad(order: OpenOrder) -> int:
    """Return the limit as the exchange takes it: that of a linear instrument is an entry, which is kept in 1e-8."""
    return float_to_wad(order.limit) if order.position.kind.is_option else float_to_e8(order.limit) * (WAD // E8)


def order_messages(
    orders: Sequence[OpenOrder],
    held: Sequence[float],
    underlying_ids: Mapping[str, int],
    terms: OrderTerms,
    fields: Fields = ORDER_FIELDS,
) -> list[dict[str, Any]]:
    """Build one message per order, nonces in a row.

    Parameters
    ----------
    orders : sequence of OpenOrder
    held : sequence of float
        What the account holds of each; an order that only closes is marked ``reduceOnly``.
    underlying_ids : mapping of str to int
        Ids on chain.
    terms : OrderTerms
    fields : Fields
        Fields of the struct, in order.

    Returns
    -------
    list of dict
        Plain limit orders; limits of linear instruments to the nearest 1e-8, as in :func:`preview_changes`.

    Raises
    ------
    InputError
        When an underlying has no id, or the struct has a field that is not known here.
    """
    messages = []
    for number, (order, quantity) in enumerate(zip(orders, held, strict=True)):
        position = order.position
        if position.underlying not in underlying_ids:
            raise InputError("orders", f"{position.underlying!r} is not an underlying of the deployment")
        reduces = position.quantity * quantity < 0.0 and abs(position.quantity) <= abs(quantity)
        known = {
            "accountId": terms.account_id,
            "instrument": to_instrument(position, underlying_ids[position.underlying]),
            "isBuy": position.quantity > 0.0,
            "quantityWad": float_to_wad(abs(position.quantity)),
            "priceWad": _price_wad(order),
            "nonce": terms.first_nonce + number,
            "expiryTs": terms.expiry_ts,
            "signer": terms.signer,
            "kind": LIMIT,
            "reduceOnly": reduces,
            "maxFeeWad": float_to_wad(terms.max_fee),
            "transferCount": terms.transfer_count,
            **UNCONDITIONAL,
        }
        missing = [field["name"] for field in fields if field["name"] not in known]
        if missing:
            raise InputError("orders", f"the exchange asks for {missing[0]}, which is not known here")
        messages.append({field["name"]: known[field["name"]] for field in fields})
    return messages


def signed_order(
    exchange: Contract, wallet: LocalAccount, order: OpenOrder, underlying_ids: Mapping[str, int], terms: OrderTerms
) -> tuple[dict[str, Any], bytes]:
    """Sign one limit order as the exchange takes it.

    Parameters
    ----------
    exchange : Contract
        Its ABI decides the fields of the struct, its address the domain.
    wallet : LocalAccount
        Signs; ``terms.signer`` is its address.
    order : OpenOrder
        A negative quantity sells.
    underlying_ids : mapping of str to int
        Ids on chain.
    terms : OrderTerms

    Returns
    -------
    tuple of dict and bytes
        The message and its signature, as ``Exchange.settle`` takes them.

    Raises
    ------
    InputError
        When the underlying has no id.
    """
    primary, types = struct_types(exchange, "settle")
    (message,) = order_messages([order], [0.0], underlying_ids, terms, types[primary])
    return message, sign(wallet, domain_of(exchange), primary, types, message)


def order_document(
    messages: Sequence[Mapping[str, Any]], domain: Mapping[str, Any] | None, fields: Fields = ORDER_FIELDS
) -> dict[str, Any]:
    """Build the plimsoll.orders/1 document: EIP-712 typed data without signatures, integers as decimal strings.

    Parameters
    ----------
    messages : sequence of mapping
        See :func:`order_messages`.
    domain : mapping or None
        EIP-712 domain of the exchange; None when no deployment is known.
    fields : Fields

    Returns
    -------
    dict
    """

    def plain(value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    return {
        "schema": SCHEMA,
        "primaryType": "Order",
        "types": {"EIP712Domain": DOMAIN_FIELDS, "Order": fields},
        "domain": None if domain is None else dict(domain),
        "orders": [{name: plain(value) for name, value in message.items()} for message in messages],
    }


def preview_changes(orders: Sequence[OpenOrder], underlying_ids: Mapping[str, int]) -> dict[str, Any]:
    """Build ``IMarginEngine.Changes`` of orders that all fill at their limits.

    Parameters
    ----------
    orders : sequence of OpenOrder
    underlying_ids : mapping of str to int

    Returns
    -------
    dict
        Fields of the struct; premiums of options move cash, linear instruments enter at the limit.
    """
    cash, words = 0, []
    for order in orders:
        position = order.position
        if position.kind.is_option:
            cash -= float_to_wad(position.quantity) * float_to_wad(order.limit) // WAD
        else:
            position = replace(position, price=order.limit)
        words.append(to_word(position, underlying_ids[position.underlying]))
    return {"mode": KEEP_MODE, "cashDeltaWad": cash, "tokenIds": [], "amountDeltasWad": [], "positions": words}
