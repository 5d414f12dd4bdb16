"""The service itself: what it is, how it is, who asks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from plimsoll.client.schema.fields import Address, Asked, Bytes, Seconds, Sequence, Told, Unsigned


class TokenView(Told):
    """A listed token; id 0 is cash. ``capWad`` bounds the deposits of all accounts together."""

    tokenId: int
    symbol: str
    address: Address
    decimals: int
    haircutWad: Unsigned
    linkedUnderlyingId: int
    linkedHaircutWad: Unsigned


class TypedField(Told):
    """A field of an EIP-712 struct."""

    name: str
    type: str


class Domain(Told):
    """An EIP-712 domain."""

    name: str
    version: str
    chainId: int
    verifyingContract: Address


class TypedStruct(Told):
    """What a wallet needs to sign a struct: domain, types and the name of the struct."""

    domain: Domain
    types: dict[str, list[TypedField]]
    primaryType: str


class FeesView(Told):
    """Rates of fees as a share of quantity times price; of an option: of the premium."""

    makerLinearWad: Unsigned
    takerLinearWad: Unsigned
    makerOptionWad: Unsigned
    takerOptionWad: Unsigned


class Limits(Told):
    """Bounds of the service."""

    ordersPerSec: float
    burstOrders: int
    requestsPerSec: float
    burstRequests: int
    maxOpenOrders: int
    maxBatch: int
    maxBodyBytes: int
    minLifeSec: int
    quantityStepWad: Unsigned
    optionPriceStepWad: Unsigned
    linearPriceStepWad: Unsigned


class ConfigView(Told):
    """Everything that a page needs before it can sign: chain, contracts, tokens, typed data, bounds."""

    chainId: int
    network: str
    #: Address of a node for wallets that do not know the chain; none unless the operator publishes one.
    rpcUrl: str | None
    contracts: dict[str, Address]
    #: Block of the deployment: no event of the contracts is older, so history is read from there.
    firstBlock: int
    tokens: list[TokenView]
    underlyings: dict[str, int]
    #: Key that sends settlements; it never holds authority unless an owner grants it one.
    settler: Address
    order: TypedStruct
    quote: TypedStruct
    deltaIntent: TypedStruct
    closeIntent: TypedStruct
    fees: FeesView
    limits: Limits
    #: Changes with every start of the service; see the stream.
    epoch: str


class AbiView(Told):
    """The interface of a contract, as the compiler wrote it."""

    name: str
    address: Address | None
    abi: list[dict[str, Any]]


class PartHealth(Told):
    """One part of the service."""

    isOk: bool
    detail: str
    ageSec: float | None = None


class HealthView(Told):
    """Whether the service works; 503 when a part does not."""

    isOk: bool
    isAccepting: bool
    parts: dict[str, PartHealth]
    openOrders: int
    pendingTrades: int
    streams: int
    seq: Sequence
    epoch: str


class AskChallenge(Asked):
    """Asks for a text to sign."""

    address: Address


class LoginMessage(Told):
    """What is signed, as EIP-712 typed data of the venue: no token moves by it."""

    account: Address
    statement: str
    nonce: str
    issuedTs: Seconds
    expiryTs: Seconds


class ChallengeView(Told):
    """A login to sign within ``message.expiryTs``."""

    typed: TypedStruct
    message: LoginMessage


class Login(Asked):
    """A signed challenge; contract wallets sign by ERC-1271."""

    address: Address
    nonce: Annotated[str, Field(min_length=1, max_length=64)]
    signature: Bytes


class TokenGrant(Told):
    """A token for ``Authorization: Bearer``: it may see and cancel the address's orders, and sign nothing."""

    token: str
    address: Address
    expiryTs: Seconds
    tokenType: Literal["Bearer"] = "Bearer"
