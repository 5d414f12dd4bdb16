"""How each venue wants a read signed; the secret never leaves this module but as a signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

import httpx

from plimsoll.errors import InputError, UnavailableError
from plimsoll.intake.venue import Question
from plimsoll.market.venues.patience import BusyError, check_status

#: Makes the request of a question.
Signed = Callable[[Question], httpx.Request]
#: Milliseconds for which Bybit takes a signed read.
WINDOW_MS: Final = "5000"


def _deribit(client: httpx.Client, root: str, key: Mapping[str, str]) -> Signed:
    """Deribit: client credentials are changed into a token, with the least scope that reads an account."""
    tokens: list[str] = []

    def token() -> str:
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "public/auth",
            "params": {
                "grant_type": "client_credentials",
                "client_id": key["id"],
                "client_secret": key["secret"],
                "scope": "account:read trade:read wallet:none block_trade:none",
            },
        }
        try:
            # In the body: an address with a secret in it would be written into logs on the way.
            response = client.post(f"{root}/public/auth", json=body)
            check_status(response.status_code)
            found = response.json()["result"]["access_token"]
        except httpx.TransportError as error:
            raise BusyError(str(error) or type(error).__name__) from None
        except (KeyError, TypeError, ValueError):
            raise UnavailableError("deribit public/auth", "the key was refused") from None
        return str(found)

    def signed(question: Question) -> httpx.Request:
        headers = {}
        if question.is_private:
            if not tokens:
                tokens.append(token())
            headers["Authorization"] = f"Bearer {tokens[0]}"
        return client.build_request("GET", f"{root}/{question.path}", params=dict(question.params), headers=headers)

    return signed


def _okx(client: httpx.Client, root: str, key: Mapping[str, str]) -> Signed:
    """OKX: HMAC-SHA256 of time, method and path with query, in base 64."""

    def signed(question: Question) -> httpx.Request:
        query = f"?{urlencode(question.params)}" if question.params else ""
        headers = {}
        if question.is_private:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            text = f"{now}GET{question.path}{query}"
            digest = hmac.new(key["secret"].encode(), text.encode(), hashlib.sha256).digest()
            headers = {
                "OK-ACCESS-KEY": key["key"],
                "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
                "OK-ACCESS-TIMESTAMP": now,
                "OK-ACCESS-PASSPHRASE": key["passphrase"],
            }
        return client.build_request("GET", f"{root}{question.path}{query}", headers=headers)

    return signed


def _bybit(client: httpx.Client, root: str, key: Mapping[str, str]) -> Signed:
    """Bybit: HMAC-SHA256 of time, key, window and query, in hexadecimal."""

    def signed(question: Question) -> httpx.Request:
        query = urlencode(question.params)
        headers = {}
        if question.is_private:
            now = str(int(time.time() * 1_000))
            text = f"{now}{key['key']}{WINDOW_MS}{query}"
            headers = {
                "X-BAPI-API-KEY": key["key"],
                "X-BAPI-TIMESTAMP": now,
                "X-BAPI-RECV-WINDOW": WINDOW_MS,
                "X-BAPI-SIGN": hmac.new(key["secret"].encode(), text.encode(), hashlib.sha256).hexdigest(),
            }
        return client.build_request("GET", f"{root}{question.path}?{query}", headers=headers)

    return signed


def _derive(client: httpx.Client, root: str, key: Mapping[str, str]) -> Signed:
    """Derive: the time, signed as a message by a session key that may only read."""
    from eth_account import Account
    from eth_account.messages import encode_defunct

    try:
        signer = Account.from_key(key["key"])
        subaccount = int(key["subaccount"])
    except Exception:
        # The library's own message would repeat the key.
        raise InputError("derive", "key is no private key, or subaccount no number") from None

    def signed(question: Question) -> httpx.Request:
        headers = {"Content-Type": "application/json"}
        params: dict[str, object] = dict(question.params)
        if "subaccount_id" in params:
            params["subaccount_id"] = subaccount
        if question.is_private:
            now = str(int(time.time() * 1_000))
            signature = signer.sign_message(encode_defunct(text=now)).signature.hex()
            headers |= {
                "X-LyraWallet": key["wallet"],
                "X-LyraTimestamp": now,
                "X-LyraSignature": f"0x{signature.removeprefix('0x')}",
            }
        return client.build_request("POST", f"{root}/{question.path}", content=json.dumps(params), headers=headers)

    return signed


SIGNERS: Final[Mapping[str, Callable[[httpx.Client, str, Mapping[str, str]], Signed]]] = {
    "deribit": _deribit,
    "okx": _okx,
    "bybit": _bybit,
    "derive": _derive,
}
