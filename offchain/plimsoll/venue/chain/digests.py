"""What is signed, and by whom: EIP-712 digests as the contracts make them, and the key behind a signature."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from coincurve import PublicKey
from eth_account.messages import encode_typed_data

# The hash itself: eth_utils asks five times as long what kind of value it was given.
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from plimsoll.chain.abi import load_artifact
from plimsoll.chain.signing import DOMAIN_FIELDS, types_of
from plimsoll.client.schema.service import Domain, TypedField, TypedStruct
from plimsoll.deployment.record import Deployment

#: The two halves of the order of the curve: OpenZeppelin's ECDSA refuses the upper one, whose signatures have a twin.
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_SIGNATURE_BYTES: Final = 65
_WORD: Final = 32
#: Name of the EIP-712 domain, by contract.
_DOMAINS: Final = {"Exchange": "Plimsoll Exchange", "Intents": "Plimsoll Intents"}


class Typed:
    """One struct of one contract, as wallets sign it.

    Parameters
    ----------
    deployment : Deployment
        Chain and addresses.
    contract, function : str
        Where the struct is the first argument.
    """

    def __init__(self, deployment: Deployment, contract: str, function: str) -> None:
        self.primary, self.types = types_of(load_artifact(contract).functions[function])
        self.domain = {
            "name": _DOMAINS[contract],
            "version": "1",
            "chainId": deployment.chain_id,
            "verifyingContract": deployment.contracts[contract],
        }
        self.names = tuple(field["name"] for field in self.types[self.primary])

    def digest(self, message: Mapping[str, Any]) -> bytes:
        """Return the digest of a message, by the library."""
        signable = encode_typed_data(full_message=self.document(message))
        return keccak(b"\x19" + signable.version + signable.header + signable.body)

    def document(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the typed data of a message."""
        return {
            "domain": self.domain,
            "types": {"EIP712Domain": DOMAIN_FIELDS, **self.types},
            "primaryType": self.primary,
            "message": dict(message),
        }

    def view(self) -> TypedStruct:
        """Return what a page needs to let a wallet sign it."""
        return TypedStruct(
            domain=Domain.model_validate(self.domain),
            types={name: [TypedField.model_validate(f) for f in fields] for name, fields in self.types.items()},
            primaryType=self.primary,
        )


class OrderDigest(Typed):
    """The struct of orders, whose digest is made thousands of times a second.

    Every field of an order is one word, so that its encoding is those words in a row; :meth:`Typed.digest` says the
    same, and a test compares both with the contract.

    Parameters
    ----------
    deployment : Deployment
        Chain and addresses.
    """

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(deployment, "Exchange", "settle")
        fields = self.types[self.primary]
        inside = ",".join(f"{field['type']} {field['name']}" for field in fields)
        self._typehash = keccak(f"{self.primary}({inside})".encode())
        blank = {f["name"]: "0x" + "00" * 20 if f["type"] == "address" else 0 for f in fields}
        self._prefix = b"\x19\x01" + encode_typed_data(full_message=self.document(blank)).header

    def fast(self, message: Mapping[str, Any]) -> bytes:
        """Return the digest of an order whose fields are known to fit."""
        parts = [self._typehash]
        for name in self.names:
            value = message[name]
            parts.append(_word_of(value) if isinstance(value, str) else value.to_bytes(_WORD, "big"))
        return keccak(self._prefix + keccak(b"".join(parts)))


@lru_cache(maxsize=1 << 16)
def _word_of(address: str) -> bytes:
    """Return an address as a word; the same few sign again and again."""
    return bytes.fromhex(address[2:]).rjust(_WORD, b"\0")


def signer_of(digest: bytes, signature: bytes) -> str | None:
    """Return the key that has signed a digest.

    Parameters
    ----------
    digest : bytes
        32 bytes.
    signature : bytes
        ``r || s || v`` with v of 27 or 28.

    Returns
    -------
    str or None
        Checksum address; none where the contracts would not recover anybody, malleable signatures included.
    """
    if len(signature) != _SIGNATURE_BYTES or signature[64] not in (27, 28):
        return None
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return None
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] - 27]), digest, hasher=None)
    except Exception:  # coincurve raises a bare Exception for what is no signature
        return None
    return _shown(keccak(key.format(compressed=False)[1:])[-20:])


@lru_cache(maxsize=1 << 16)
def _shown(address: bytes) -> str:
    """Return an address with its checksum; the same few keys sign again and again."""
    return str(to_checksum_address(address))
