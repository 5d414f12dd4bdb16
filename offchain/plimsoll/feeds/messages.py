"""The three messages that oracle signers sign: as structs of the contract, as JSON on the wire, as EIP-712 digests.

What travels are the very integers that are signed, as decimal text, so that no rounding lies between what a signer
looks at and what the chain gets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from plimsoll.chain.abi import load_artifact
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.chain.signing import DOMAIN_FIELDS, Fields, struct_types
from plimsoll.constants import MAX_SAMPLES
from plimsoll.deployment.record import Deployment
from plimsoll.errors import DomainError, InputError
from plimsoll.feeds.reading import Sample
from plimsoll.model import Round, Surface, Svi
from plimsoll.protocol.rounds import round_message, settlement_message, tokens_message
from plimsoll.units import wad_to_float


class Kind(StrEnum):
    """What is signed."""

    ROUND = "round"
    TOKENS = "tokens"
    SETTLEMENT = "settlement"


FUNCTIONS: Final = {Kind.ROUND: "postRound", Kind.TOKENS: "postTokenPrices", Kind.SETTLEMENT: "postSettlement"}


@dataclass(frozen=True, slots=True)
class Message:
    """A struct of the oracle.

    Attributes
    ----------
    kind : Kind
    fields : Mapping[str, Any]
        As the contract names them, integers.
    """

    kind: Kind
    fields: Mapping[str, Any]

    @property
    def ts(self) -> int:
        """Time that it is told by: its own, or the expiry of a settlement."""
        return int(self.fields["expiryTs"] if self.kind is Kind.SETTLEMENT else self.fields["ts"])

    @property
    def subjects(self) -> tuple[str, ...]:
        """What it is about; of one subject and time only one message is ever signed."""
        if self.kind is Kind.TOKENS:
            return tuple(f"token:{token_id}" for token_id in self.fields["tokenIds"])
        return (f"{self.kind}:{self.fields['underlyingId']}",)


class Messages:
    """Messages of one deployment's oracle.

    Parameters
    ----------
    deployment : Deployment
        Ids on chain.
    domain : Mapping[str, Any]
        EIP-712 domain, see :meth:`~plimsoll.feeds.oracle_view.OracleView.domain`.
    """

    def __init__(self, deployment: Deployment, domain: Mapping[str, Any]) -> None:
        self._deployment, self._domain = deployment, dict(domain)
        # Types and encoding come from the artefact alone: nothing is asked of a node.
        self._oracle = Contract(cast(Client, None), load_artifact("Oracle"), deployment.contracts["Oracle"])
        self._types = {kind: struct_types(self._oracle, function) for kind, function in FUNCTIONS.items()}
        self._symbols = {number: symbol for symbol, number in deployment.underlyings.items()}
        self._tokens = {record.token_id: symbol for symbol, record in deployment.tokens.items()}

    @property
    def target(self) -> str:
        """Address that the calls go to."""
        return self._oracle.address

    @property
    def domain_key(self) -> str:
        """Chain and contract, which tell the messages of one oracle from those of another."""
        return f"{self._domain['chainId']}:{str(self._domain['verifyingContract']).lower()}"

    def round(self, market_round: Round) -> Message:
        """Return a round as it is signed."""
        return Message(Kind.ROUND, round_message(self._deployment, market_round))

    def tokens(self, ts: int, prices: Mapping[str, float]) -> Message:
        """Return token prices as they are signed."""
        return Message(Kind.TOKENS, tokens_message(self._deployment, ts, prices))

    def settlement(self, underlying: str, expiry_ts: int, samples: Sequence[Sample]) -> Message:
        """Return settlement samples as they are signed."""
        return Message(Kind.SETTLEMENT, settlement_message(self._deployment, underlying, expiry_ts, samples))

    def digest(self, message: Message) -> bytes:
        """Return the EIP-712 digest, 32 bytes."""
        signable = self._signable(message)
        return keccak(b"\x19" + signable.version + signable.header + signable.body)

    def sign(self, account: LocalAccount, message: Message) -> bytes:
        """Sign a message; 65 bytes ``r || s || v``."""
        return bytes(account.sign_message(self._signable(message)).signature)

    def signer_of(self, message: Message, signature: bytes) -> str | None:
        """Return the address that signed a message; ``None`` when it is no signature of anybody."""
        try:
            return str(Account.recover_message(self._signable(message), signature=signature))
        except Exception:
            # The library raises many kinds of errors for bytes that are no signature.
            return None

    def call(self, message: Message, signatures: Mapping[str, bytes]) -> bytes:
        """Return the call data that post a message.

        Parameters
        ----------
        message : Message
        signatures : Mapping[str, bytes]
            By address of the signer; put into the order that the oracle asks for.

        Returns
        -------
        bytes
        """
        ordered = [signatures[address] for address in sorted(signatures, key=lambda a: int(a, 16))]
        return self._oracle.encode(FUNCTIONS[message.kind], dict(message.fields), ordered)

    def from_rounds(self, underlying: str, expiry_ts: int) -> bytes:
        """Return the call data that settle a series on the rounds of its window, which need no signatures."""
        return self._oracle.encode("settleFromRounds", self._deployment.underlyings[underlying], expiry_ts)

    def to_wire(self, message: Message) -> dict[str, Any]:
        """Return a message as JSON."""
        return {"kind": str(message.kind), "message": _texts(message.fields)}

    def from_wire(self, document: Any) -> Message:
        """Read a message from JSON.

        Parameters
        ----------
        document : object
            Parsed JSON of :meth:`to_wire`.

        Returns
        -------
        Message

        Raises
        ------
        InputError
            Naming the field that is missing, unknown, or no integer of its type.
        """
        if not isinstance(document, Mapping) or set(document) != {"kind", "message"}:
            raise InputError("message", "expected an object of kind and message")
        try:
            kind = Kind(document["kind"])
        except ValueError:
            raise InputError("message", f"kind is {document['kind']!r}, not one of {', '.join(Kind)}") from None
        primary, types = self._types[kind]
        return Message(kind, _checked(document["message"], primary, types, str(kind)))

    def round_of(self, message: Message) -> Round:
        """Return a signed round in cash units; ``DomainError`` when it is outside what a round may be."""
        fields = message.fields
        underlying = self._symbols.get(fields["underlyingId"])
        if underlying is None:
            raise DomainError("round", f"underlying {fields['underlyingId']} is not listed")
        surfaces = tuple(
            Surface(
                s["expiryTs"],
                wad_to_float(s["forwardWad"]),
                wad_to_float(s["rateWad"]),
                Svi(*(wad_to_float(s[name]) for name in ("aWad", "bWad", "rhoWad", "mWad", "sWad"))),
            )
            for s in fields["surfaces"]
        )
        spot, perp, confidence = (wad_to_float(fields[name]) for name in ("spotWad", "perpWad", "confWad"))
        mean = wad_to_float(fields["meanWad"]) if fields["meanWad"] else None
        return Round(underlying, fields["ts"], spot, perp, confidence, surfaces, mean)

    def prices_of(self, message: Message) -> dict[str, float]:
        """Return signed token prices in cash by symbol; ``DomainError`` for an unknown token or one there twice."""
        ids, prices = message.fields["tokenIds"], message.fields["pricesWad"]
        unknown = [token_id for token_id in ids if token_id not in self._tokens]
        if len(ids) != len(prices) or len(set(ids)) != len(ids) or unknown or 0 in prices:
            raise DomainError("tokens", f"{len(prices)} prices of tokens {ids}: unknown, twice, or of no price")
        return {self._tokens[i]: wad_to_float(price) for i, price in zip(ids, prices, strict=True)}

    def samples_of(self, message: Message) -> tuple[str, tuple[Sample, ...]]:
        """Return underlying and samples of a settlement; ``DomainError`` when they do not match."""
        times, spots = message.fields["sampleTs"], message.fields["spotsWad"]
        underlying = self._symbols.get(message.fields["underlyingId"])
        if underlying is None or len(times) != len(spots) or 0 in spots:
            raise DomainError("settlement", f"{len(spots)} spots at {len(times)} times, or an unknown underlying")
        return underlying, tuple((ts, wad_to_float(spot)) for ts, spot in zip(times, spots, strict=True))

    def _signable(self, message: Message) -> SignableMessage:
        primary, types = self._types[message.kind]
        document = {
            "domain": self._domain,
            "types": {"EIP712Domain": DOMAIN_FIELDS, **types},
            "primaryType": primary,
            "message": message.fields,
        }
        return encode_typed_data(full_message=document)


def _texts(value: Any) -> Any:
    """Return integers as decimal text: JSON numbers of other programs lose the digits of a wad."""
    if isinstance(value, Mapping):
        return {name: _texts(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(item) for item in value]
    return str(value)


def _checked(value: Any, kind: str, types: Mapping[str, Fields], path: str) -> Any:
    """Return a value of the wire as the type that is signed."""
    if kind.endswith("[]"):
        if not isinstance(value, list) or len(value) > MAX_SAMPLES:
            raise InputError(path, f"expected a list of at most {MAX_SAMPLES}")
        return [_checked(item, kind[:-2], types, f"{path}[{i}]") for i, item in enumerate(value)]
    if kind in types:
        names = {field["name"]: field["type"] for field in types[kind]}
        if not isinstance(value, Mapping) or set(value) != set(names):
            raise InputError(path, f"expected an object of {', '.join(names)}")
        return {name: _checked(value[name], inner, types, f"{path}.{name}") for name, inner in names.items()}
    return _integer(value, kind, path)


def _integer(value: Any, kind: str, path: str) -> int:
    bits = int(kind.removeprefix("u").removeprefix("int") or 256)
    low, high = (0, 2**bits) if kind.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    try:
        number = int(value) if isinstance(value, str) and len(value) <= 80 else None
    except ValueError:
        number = None
    if number is None or not low <= number < high:
        hint = " (milliseconds?)" if bits == 40 else ""
        raise InputError(path, f"{str(value)[:80]!r} is no {kind} in decimal text{hint}")
    return number
