"""Signed intents as solvers pass them around: read from JSON, their digests, and what they wish for.

The document is ``{"schema": "plimsoll.intents/1", "intents": [{"kind": "delta", "intent": {}, "signature": "0x"}]}``
with the fields of ``IIntents``; integers may be numbers or decimal strings. An entry that is none is left out with one
line that says why, and the others stay.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_account.messages import encode_typed_data
from eth_utils.address import is_address
from eth_utils.crypto import keccak

from plimsoll.chain.abi import load_artifact
from plimsoll.decide.solver import CloseWish, DeltaWish, Wish
from plimsoll.deployment.record import Deployment
from plimsoll.errors import InputError
from plimsoll.keeper.names import name_of
from plimsoll.model import Kind
from plimsoll.units import wad_to_float

SCHEMA: Final = "plimsoll.intents/1"
#: Function of the contract, by the kind of an entry.
FUNCTIONS: Final = {"delta": "fillDelta", "close": "fillClose"}
STRUCTS: Final = {"delta": "DeltaIntent", "close": "CloseIntent"}
#: The least excess that means no bound.
UNBOUNDED: Final = -(2**255)


@dataclass(frozen=True, slots=True)
class SignedIntent:
    """One signed intent.

    Parameters
    ----------
    kind : str
        ``delta`` or ``close``.
    message : Mapping[str, Any]
        Fields of the struct, wad.
    signature : bytes
        As the contract takes it.
    digest : str
        EIP-712 digest, hexadecimal.
    """

    kind: str
    message: Mapping[str, Any]
    signature: bytes
    digest: str

    @property
    def account_id(self) -> int:
        """Account that signed."""
        return int(self.message["accountId"])


def read_intents(text: str, source: str, deployment: Deployment) -> tuple[tuple[SignedIntent, ...], tuple[str, ...]]:
    """Read a document of signed intents.

    Parameters
    ----------
    text : str
        JSON.
    source : str
        Where it is from, for messages.
    deployment : Deployment
        Whose domain the digests are of.

    Returns
    -------
    tuple of tuples
        Intents by digest, each once; and a line for each entry that is none.

    Raises
    ------
    InputError
        When the document as a whole is none.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as reason:
        raise InputError(source, f"is no JSON ({type(reason).__name__})") from None
    entries = document.get("intents") if isinstance(document, dict) else None
    if not isinstance(entries, list) or document.get("schema") != SCHEMA:
        raise InputError(source, f"is no {SCHEMA} document with a list named intents")
    found: dict[str, SignedIntent] = {}
    problems: list[str] = []
    for number, entry in enumerate(entries):
        try:
            signed = _signed(entry, f"{source}, intent {number}", deployment)
        except InputError as problem:
            problems.append(str(problem))
        else:
            found[signed.digest] = signed
    return tuple(found[digest] for digest in sorted(found)), tuple(problems)


def signed_intent(kind: str, message: Mapping[str, Any], signature: bytes, deployment: Deployment) -> SignedIntent:
    """Put an intent and its signature together.

    Parameters
    ----------
    kind : str
        ``delta`` or ``close``.
    message : Mapping[str, Any]
        Fields of the struct, wad.
    signature : bytes
    deployment : Deployment
        Whose domain the digest is of.

    Returns
    -------
    SignedIntent
    """
    return SignedIntent(kind, dict(message), signature, digest_of(kind, message, deployment))


def digest_of(kind: str, message: Mapping[str, Any], deployment: Deployment) -> str:
    """Return the EIP-712 digest of an intent; equal to ``Intents.hashOfDelta`` and ``hashOfClose``.

    Parameters
    ----------
    kind : str
        ``delta`` or ``close``.
    message : Mapping[str, Any]
        Fields of the struct, wad.
    deployment : Deployment
        Whose domain it is of.

    Returns
    -------
    str
        Hexadecimal.
    """
    domain = {
        "name": "Plimsoll Intents",
        "version": "1",
        "chainId": deployment.chain_id,
        "verifyingContract": deployment.contracts["Intents"],
    }
    types = {STRUCTS[kind]: [{"name": name, "type": solidity} for name, solidity in _fields(kind).items()]}
    signable = encode_typed_data(domain, types, dict(message))
    return "0x" + keccak(b"\x19" + signable.version + signable.header + signable.body).hex()


def wish_of(signed: SignedIntent, deployment: Deployment) -> Wish:
    """Return what an intent asks for, in cash units.

    Parameters
    ----------
    signed : SignedIntent
    deployment : Deployment
        Names of underlyings.

    Returns
    -------
    Wish
    """
    fields = signed.message
    least_wad, cost = int(fields["minExcessWad"]), wad_to_float(int(fields["maxCostWad"]))
    if signed.kind == "close":
        return CloseWish(signed.account_id, wad_to_float(least_wad), cost)
    return DeltaWish(
        signed.account_id,
        name_of(deployment.underlyings, int(fields["underlyingId"])),
        frozenset(kind for kind in Kind if int(fields["kinds"]) >> kind & 1),
        wad_to_float(int(fields["minDeltaWad"])),
        wad_to_float(int(fields["maxDeltaWad"])),
        cost,
        -math.inf if least_wad == UNBOUNDED else wad_to_float(least_wad),
    )


def _fields(kind: str) -> dict[str, str]:
    """Return the fields of a struct and their types, off the ABI."""
    components = load_artifact("Intents").functions[FUNCTIONS[kind]].inputs[0]["components"]
    return {str(entry["name"]): str(entry["type"]) for entry in components}


def _signed(entry: Any, source: str, deployment: Deployment) -> SignedIntent:
    """Check one entry."""
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if kind not in FUNCTIONS:
        raise InputError(source, f"kind is {kind!r}; it must be one of {', '.join(FUNCTIONS)}")
    given = entry.get("intent")
    if not isinstance(given, dict) or set(given) != set(_fields(kind)):
        raise InputError(source, f"intent must hold exactly {', '.join(_fields(kind))}")
    message = {name: _value(given[name], solidity, f"{source}, {name}") for name, solidity in _fields(kind).items()}
    signature = entry.get("signature")
    try:
        if not isinstance(signature, str) or not signature.startswith("0x"):
            raise ValueError
        raw = bytes.fromhex(signature[2:])
    except ValueError:
        raise InputError(source, "signature is no hexadecimal text with 0x in front") from None
    return signed_intent(kind, message, raw, deployment)


def _value(value: Any, solidity: str, source: str) -> Any:
    """Check one field against its type."""
    if solidity == "address":
        if not is_address(value):
            raise InputError(source, f"{value!r} is no address")
        return value
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdecimal():
        value = int(value) if len(value) <= len(str(UNBOUNDED)) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(source, "is no whole number")
    bits = int(solidity.removeprefix("u").removeprefix("int"))
    low, high = (0, 2**bits - 1) if solidity.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if not low <= value <= high:
        raise InputError(source, f"{value} is outside {low} to {high}")
    return value
