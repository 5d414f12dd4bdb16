"""Accounts as the contracts show them: what they hold, what margin they need, what a change would do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from plimsoll.client.schema.fields import (
    AccountId,
    Address,
    Asked,
    Seconds,
    Signed,
    SignedText,
    Told,
    Unsigned,
    UnsignedText,
)
from plimsoll.client.schema.market import KindName

ModeName = Literal["single", "standard", "cross"]
MarginState = Literal["healthy", "marginCall", "liquidatable", "insolvent"]


class CollateralView(Told):
    """A token that an account holds."""

    tokenId: int
    symbol: str
    amountWad: Unsigned


class PositionView(Told):
    """A position; ``priceE8`` is the strike of an option, the entry of a future or perpetual."""

    instrument: Unsigned
    name: str
    underlyingId: int
    kind: KindName
    expiryTs: Seconds
    priceE8: Unsigned
    quantityWad: Signed


class RowView(Told):
    """Profit or loss of one underlying under one row of the scenario book; prices move by a share of the forward."""

    priceMoveWad: Signed
    volMove: Literal["down", "flat", "up"]
    skewMoveWad: Signed
    weightWad: Unsigned
    pnlWad: Signed
    isWorst: bool


class ExpiryGreeksView(Told):
    """Greeks of one expiry; expiry 0 is the perpetual and linked collateral."""

    expiryTs: Seconds
    deltaWad: Signed
    gammaWad: Signed
    vegaWad: Signed
    thetaWad: Signed


class UnderlyingMarginView(Told):
    """What one underlying asks for, component by component, and its scenario rows."""

    underlyingId: int
    symbol: str
    requirementWad: Unsigned
    scanWad: Unsigned
    basisWad: Unsigned
    vegaTermWad: Unsigned
    skewTermWad: Unsigned
    shortMinWad: Unsigned
    concentrationWad: Unsigned
    spotWad: Unsigned
    deltaWad: Signed
    gammaWad: Signed
    vegaWad: Signed
    thetaWad: Signed
    expiries: list[ExpiryGreeksView]
    rows: list[RowView]


class MarginView(Told):
    """Margin by the contracts.

    ``excessWad`` is equity less initial margin: what may be withdrawn or put at risk. ``cushionWad`` is equity less
    maintenance margin: below 0 the account may be liquidated.
    """

    state: MarginState
    equityWad: Signed
    marketEquityWad: Signed
    markToMarketWad: Signed
    initialWad: Unsigned
    maintenanceWad: Unsigned
    debtChargeWad: Unsigned
    excessWad: Signed
    cushionWad: Signed
    underlyings: list[UnderlyingMarginView]


class AccountView(Told):
    """One account at one block; without a margin, ``marginProblem`` is the contracts' reason."""

    accountId: AccountId
    owner: Address
    mode: ModeName
    transferCount: int
    cashWad: Signed
    collateral: list[CollateralView]
    positions: list[PositionView]
    margin: MarginView | None
    marginProblem: str | None
    isUnderAuction: bool
    blockNumber: int
    blockTs: Seconds


class AccountIds(Told):
    """Accounts of an owner."""

    owner: Address
    accountIds: list[AccountId]


class DraftLeg(Asked):
    """A trade that might be; a negative quantity sells."""

    instrument: UnsignedText
    quantityWad: SignedText
    priceWad: UnsignedText


class DraftToken(Asked):
    """A deposit that might be; a negative amount is a withdrawal."""

    tokenId: Annotated[int, Field(ge=1, le=255)]
    amountWad: SignedText


class Draft(Asked):
    """Changes that might be, all at once."""

    mode: ModeName | None = None
    #: Deposit of the cash token less withdrawal, wad.
    cashWad: SignedText = 0
    tokens: Annotated[tuple[DraftToken, ...], Field(max_length=32, strict=False)] = ()
    legs: Annotated[tuple[DraftLeg, ...], Field(max_length=64, strict=False)] = ()


class PreviewView(Told):
    """The chain's own preview of a draft."""

    before: MarginView
    after: MarginView
    blockNumber: int


class OpenOrdersPreview(Told):
    """Margin now, and in the worst case of the account's open orders (``previewOrders``)."""

    before: MarginView
    worst: MarginView
    blockNumber: int
