"""Orders of the exchange and their EIP-712 signatures."""

from __future__ import annotations

from typing import Any

from eth_account import Account

ORDER_FIELDS = (
    ("accountId", "uint256"),
    ("instrument", "uint256"),
    ("isBuy", "bool"),
    ("quantityWad", "uint256"),
    ("priceWad", "uint256"),
    ("nonce", "uint256"),
    ("expiryTs", "uint40"),
    ("signer", "address"),
    ("kind", "uint8"),
    ("reduceOnly", "bool"),
    ("maxFeeWad", "uint256"),
    ("transferCount", "uint64"),
    ("triggerWad", "uint256"),
    ("triggerAbove", "bool"),
    ("triggerAfterTs", "uint40"),
    ("exclusive", "bool"),
)
LEG_FIELDS = (("instrument", "uint256"), ("isBuy", "bool"), ("quantityWad", "uint256"), ("priceWad", "uint256"))
QUOTE_FIELDS = (
    ("accountId", "uint256"),
    ("takerId", "uint256"),
    ("legs", "Leg[]"),
    ("nonce", "uint256"),
    ("expiryTs", "uint40"),
    ("signer", "address"),
    ("maxFeeWad", "uint256"),
    ("transferCount", "uint64"),
)
DELTA_FIELDS = (
    ("accountId", "uint256"),
    ("underlyingId", "uint8"),
    ("kinds", "uint8"),
    ("minDeltaWad", "int256"),
    ("maxDeltaWad", "int256"),
    ("maxCostWad", "uint256"),
    ("minExcessWad", "int256"),
    ("transferCount", "uint64"),
    ("nonce", "uint256"),
    ("expiryTs", "uint40"),
    ("signer", "address"),
)
CLOSE_FIELDS = (
    ("accountId", "uint256"),
    ("minExcessWad", "int256"),
    ("maxCostWad", "uint256"),
    ("transferCount", "uint64"),
    ("nonce", "uint256"),
    ("expiryTs", "uint40"),
    ("signer", "address"),
)
LIMIT, FILL_OR_KILL, POST_ONLY = range(3)
#: An order that waits for nothing, and that others of its nonce leave alone.
UNCONDITIONAL = (0, False, 0, False)
#: Kind, reduce only, highest fee and transfer count of a plain limit order of an account that never changed hands, and
#: no conditions.
PLAIN = (LIMIT, False, 0, 0, *UNCONDITIONAL)
#: Listing rules that allow every kind, expiry and strike of an underlying, four years ahead.
ANY_INSTRUMENT = (15, 1, 126_144_000, 1)
DOMAIN_FIELDS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)


def _fields(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in pairs]


def sign_order(exchange: Any, signer: Any, order: tuple[Any, ...], chain_id: int = 0) -> bytes:
    """Sign an order with the key of a local account; ``chain_id`` 0 takes the one of the exchange."""
    message = dict(zip((name for name, _ in ORDER_FIELDS), order, strict=True))
    return _signed(exchange, signer, "Order", {"Order": _fields(ORDER_FIELDS)}, message, chain_id)


def sign_quote(exchange: Any, signer: Any, quote: tuple[Any, ...], chain_id: int = 0) -> bytes:
    """Sign a quote of several legs with the key of a local account."""
    message = dict(zip((name for name, _ in QUOTE_FIELDS), quote, strict=True))
    message["legs"] = [dict(zip((name for name, _ in LEG_FIELDS), leg, strict=True)) for leg in message["legs"]]
    types = {"Quote": _fields(QUOTE_FIELDS), "Leg": _fields(LEG_FIELDS)}
    return _signed(exchange, signer, "Quote", types, message, chain_id)


def sign_intent(intents: Any, signer: Any, intent: tuple[Any, ...], chain_id: int = 0) -> bytes:
    """Sign an intent of either kind, told apart by its length."""
    is_close = len(intent) == len(CLOSE_FIELDS)
    primary, fields = ("CloseIntent", CLOSE_FIELDS) if is_close else ("DeltaIntent", DELTA_FIELDS)
    message = dict(zip((name for name, _ in fields), intent, strict=True))
    return _signed(intents, signer, primary, {primary: _fields(fields)}, message, chain_id)


def _signed(
    exchange: Any, signer: Any, primary: str, types: dict[str, Any], message: dict[str, Any], chain_id: int
) -> bytes:
    _, name, version, own_chain_id, verifying, _, _ = exchange.eip712Domain()
    full = {
        "types": {"EIP712Domain": _fields(DOMAIN_FIELDS), **types},
        "primaryType": primary,
        "domain": {
            "name": name,
            "version": version,
            "chainId": chain_id or own_chain_id,
            "verifyingContract": verifying,
        },
        "message": message,
    }
    return bytes(Account.sign_typed_data(signer.private_key, full_message=full).signature)
