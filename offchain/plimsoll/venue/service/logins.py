"""Logins: a text that the venue made is signed as EIP-712 typed data; the token is bound to the address."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from plimsoll.chain.signing import DOMAIN_FIELDS, Fields
from plimsoll.client.schema.problem import RefusalError
from plimsoll.client.schema.service import (
    ChallengeView,
    Domain,
    Login,
    LoginMessage,
    TokenGrant,
    TypedField,
    TypedStruct,
)
from plimsoll.deployment.record import Deployment
from plimsoll.venue.gate.authority import Authority

#: How long a text may be signed, and a token used.
SIGNING_SEC: Final = 300
TOKEN_SEC: Final = 3_600
#: Texts and tokens that are kept; the oldest go.
MOST: Final = 20_000
STATEMENT: Final = "Log in to the venue. The token may see, amend and cancel orders of this address; it moves no money."
_FIELDS: Final[Fields] = [
    {"name": "account", "type": "address"},
    {"name": "statement", "type": "string"},
    {"name": "nonce", "type": "string"},
    {"name": "issuedTs", "type": "uint256"},
    {"name": "expiryTs", "type": "uint256"},
]


class LoginService:
    """Texts and tokens of one run of the service.

    Parameters
    ----------
    deployment : Deployment
        Chain and exchange, which bind a text to this venue's chain.
    authority : Authority
        Checks signatures, those of contract wallets included.
    clock : Callable[[], float]
        Unix time, seconds. Times of clients are never read.
    """

    def __init__(self, deployment: Deployment, authority: Authority, clock: Callable[[], float] = time.time) -> None:
        self._domain = {
            "name": "Plimsoll Venue",
            "version": "1",
            "chainId": deployment.chain_id,
            "verifyingContract": deployment.contracts["Exchange"],
        }
        self._authority, self._clock = authority, clock
        self._asked: OrderedDict[str, LoginMessage] = OrderedDict()
        self._tokens: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def challenge(self, address: str) -> ChallengeView:
        """Return a text to sign."""
        now_ts = int(self._clock())
        message = LoginMessage(
            account=address,
            statement=STATEMENT,
            nonce=secrets.token_hex(16),
            issuedTs=now_ts,
            expiryTs=now_ts + SIGNING_SEC,
        )
        self._asked[message.nonce] = message
        while len(self._asked) > MOST:
            self._asked.popitem(last=False)
        typed = TypedStruct(
            domain=Domain.model_validate(self._domain),
            types={"Login": [TypedField.model_validate(field) for field in _FIELDS]},
            primaryType="Login",
        )
        return ChallengeView(typed=typed, message=message)

    async def login(self, wanted: Login) -> TokenGrant:
        """Return a token for a signed text; each text serves once."""
        message = self._asked.pop(wanted.nonce, None)
        if message is None or message.account != wanted.address:
            text = "nonce: no text of this nonce waits to be signed by this address; ask for a new one"
            raise RefusalError("notLoggedIn", text, field="nonce", value=wanted.nonce)
        now_ts = int(self._clock())
        if message.expiryTs < now_ts:
            text = f"nonce: the text was to be signed until {message.expiryTs}, it is {now_ts}; ask for a new one"
            raise RefusalError("notLoggedIn", text, field="nonce", value=now_ts, limit=message.expiryTs)
        signed = (wanted.address, self._digest(message), bytes.fromhex(wanted.signature[2:]))
        (refusal,) = await self._authority.check_signatures([signed])
        if refusal is not None:
            raise refusal
        token = secrets.token_urlsafe(32)
        grant = TokenGrant(token=token, address=wanted.address, expiryTs=now_ts + TOKEN_SEC)
        self._tokens[_hash(token)] = (wanted.address, grant.expiryTs)
        while len(self._tokens) > MOST:
            self._tokens.popitem(last=False)
        return grant

    def caller_of(self, token: str) -> str:
        """Return the address of a token."""
        address, expiry_ts = self._tokens.get(_hash(token), ("", 0))
        if not address:
            raise RefusalError("notLoggedIn", "the token is unknown; log in again")
        if expiry_ts < self._clock():
            del self._tokens[_hash(token)]
            raise RefusalError("notLoggedIn", f"the token ended at {expiry_ts}; log in again", limit=expiry_ts)
        return address

    def logout(self, token: str) -> None:
        """Forget a token."""
        self._tokens.pop(_hash(token), None)

    def _digest(self, message: LoginMessage) -> bytes:
        document: dict[str, Any] = {
            "domain": self._domain,
            "types": {"EIP712Domain": DOMAIN_FIELDS, "Login": _FIELDS},
            "primaryType": "Login",
            "message": message.model_dump(),
        }
        signable = encode_typed_data(full_message=document)
        return keccak(b"\x19" + signable.version + signable.header + signable.body)


def _hash(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
