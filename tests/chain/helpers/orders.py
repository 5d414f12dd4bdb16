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
)
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
    _, name, version, own_chain_id, verifying, _, _ = exchange.eip712Domain()
    message = {
        "types": {"EIP712Domain": _fields(DOMAIN_FIELDS), "Order": _fields(ORDER_FIELDS)},
        "primaryType": "Order",
        "domain": {
            "name": name,
            "version": version,
            "chainId": chain_id or own_chain_id,
            "verifyingContract": verifying,
        },
        "message": dict(zip((name for name, _ in ORDER_FIELDS), order, strict=True)),
    }
    return bytes(Account.sign_typed_data(signer.private_key, full_message=message).signature)
