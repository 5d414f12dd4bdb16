"""A passkey as an authenticator holds it: a key of the curve P-256 that signs WebAuthn assertions."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS
from eth_abi.abi import encode

#: Order of the curve.
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
#: Flags of the authenticator data.
PRESENT, VERIFIED = 1, 4
_FIELDS: Final = ("bytes32", "bytes32", "uint256", "uint256", "bytes", "string")


class Authenticator:
    """One passkey.

    Parameters
    ----------
    secret : int
        Of the key.
    """

    def __init__(self, secret: int) -> None:
        self._key = ECC.construct(curve="P-256", d=secret)
        point = self._key.pointQ
        self.x, self.y = (int(value).to_bytes(32, "big") for value in (point.x, point.y))

    def sign(
        self,
        digest: bytes,
        *,
        flags: int = PRESENT | VERIFIED,
        ceremony: str = "webauthn.get",
        is_high: bool = False,
    ) -> bytes:
        """Sign a digest as the page does, encoded as ``Passkey.isValidSignature`` takes it.

        Parameters
        ----------
        digest : bytes
            The challenge.
        flags : int
            What the authenticator says of its user.
        ceremony : str
            ``webauthn.create`` is a registration and signs nothing.
        is_high : bool
            Give the twin of the signature, in the upper half of the order.
        """
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        client = json.dumps(
            {"type": ceremony, "challenge": challenge, "origin": "http://localhost"}, separators=(",", ":")
        )
        data = sha256(b"localhost").digest() + bytes([flags]) + bytes(4)
        signed = SHA256.new(data + sha256(client.encode()).digest())
        signature = DSS.new(self._key, "deterministic-rfc6979").sign(signed)
        r, s = signature[:32], int.from_bytes(signature[32:], "big")
        low = min(s, ORDER - s)
        chosen = ORDER - low if is_high else low
        places = (client.index('"challenge"'), client.index('"type"'))
        return bytes(encode(_FIELDS, (r, chosen.to_bytes(32, "big"), *places, data, client)))
