"""A venue to ask, and an account of one's own to trade at it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from plimsoll.chain.signing import DOMAIN_FIELDS
from plimsoll.client.follow import Stream
from plimsoll.client.schema.account import AccountIds, AccountView, Draft, PreviewView
from plimsoll.client.schema.market import BookView, InstrumentView, MarketView, RoundView, TradePage
from plimsoll.client.schema.orders import (
    AmendOrder,
    CancelOrders,
    CancelResult,
    CancelResults,
    FillPage,
    MassCancel,
    Order,
    OrderPage,
    OrderView,
    PlaceOrder,
    PlaceOrders,
    PlaceResult,
    PlaceResults,
)
from plimsoll.client.schema.service import (
    AskChallenge,
    ChallengeView,
    ConfigView,
    HealthView,
    Login,
    TokenGrant,
    TypedStruct,
)
from plimsoll.client.transport import Transport, VenueError
from plimsoll.errors import InputError
from plimsoll.units import float_to_wad

KINDS: Final = {"limit": 0, "fillOrKill": 1, "postOnly": 2}
KindOfOrder = Literal["limit", "fillOrKill", "postOnly"]
#: Life of an order that names no end.
LIFE_SEC: Final = 3_600


class VenueClient:
    """One venue. Nothing is signed or sent for anybody.

    Parameters
    ----------
    url : str
        Address of the venue.

    Raises
    ------
    UnavailableError
        When it does not answer.
    """

    def __init__(self, url: str) -> None:
        self.transport = Transport(url)
        self.config = self.transport.get("/config", ConfigView)
        self._words: dict[str, int] = {}

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def health(self) -> HealthView:
        """Return how the service is."""
        return self.transport.get("/health", HealthView)

    def markets(self) -> list[MarketView]:
        """Return underlyings with their last rounds."""
        return self.transport.get_list("/markets", MarketView)

    def instruments(self, underlying_id: int | None = None, expiry_ts: int | None = None) -> list[InstrumentView]:
        """Return instruments with marks and best prices."""
        found = self.transport.get_list("/instruments", InstrumentView, underlyingId=underlying_id, expiryTs=expiry_ts)
        self._words.update({one.name: one.instrument for one in found})
        return found

    def instrument(self, name: str | int) -> int:
        """Return the word of an instrument by its name, such as ``ETH-PERP``.

        Raises
        ------
        InputError
            When the venue shows none of that name.
        """
        if isinstance(name, int):
            return name
        if name not in self._words:
            self.instruments()
        if name not in self._words:
            raise InputError("instrument", f"the venue shows no {name!r}")
        return self._words[name]

    def book(self, instrument: str | int, depth: int = 50) -> BookView:
        """Return the open orders of an instrument by price."""
        return self.transport.get(f"/books/{self.instrument(instrument)}", BookView, depth=depth)

    def trades(self, instrument: str | int | None = None, limit: int = 100, before: int | None = None) -> TradePage:
        """Return trades, newest first; ``before`` names the trade that the page begins below."""
        word = None if instrument is None else self.instrument(instrument)
        return self.transport.get("/trades", TradePage, instrument=word, limit=limit, before=before)

    def rounds(self) -> list[RoundView]:
        """Return the last round of every underlying."""
        return self.transport.get_list("/rounds", RoundView)

    def accounts_of(self, owner: str) -> list[int]:
        """Return the accounts of an address."""
        return self.transport.get("/accounts", AccountIds, owner=owner).accountIds

    def account(self, account_id: int) -> AccountView:
        """Return an account as the contracts show it."""
        return self.transport.get(f"/accounts/{account_id}", AccountView)

    def preview(self, account_id: int, draft: Draft) -> PreviewView:
        """Return the margin before and after a draft, by the chain."""
        return self.transport.post(f"/accounts/{account_id}/preview", draft, PreviewView)

    def stream(self, *channels: str) -> Stream:
        """Follow channels; see :class:`Stream`."""
        return Stream(self.transport.url, channels, self.transport.token)

    def trade_as(self, wallet: LocalAccount, account_id: int | None = None) -> Trader:
        """Log in with a key and return an account to trade with.

        Parameters
        ----------
        wallet : LocalAccount
            Owner, operator or trader key of the account.
        account_id : int, optional
            The owner's newest account when not given.

        Returns
        -------
        Trader

        Raises
        ------
        InputError
            When the wallet owns no account and none is named.
        VenueError
            When the login is refused.
        """
        if account_id is None:
            owned = self.accounts_of(str(wallet.address))
            if not owned:
                raise InputError("account", f"{wallet.address} owns no account; deposit first, or name one")
            account_id = owned[-1]
        self.login(wallet)
        return Trader(self, wallet, account_id)

    def login(self, wallet: LocalAccount) -> TokenGrant:
        """Sign the venue's text and keep the token."""
        address = str(wallet.address)
        asked = self.transport.post("/login/challenge", AskChallenge(address=address), ChallengeView)
        signature = sign_typed(wallet, asked.typed, asked.message.model_dump())
        answer = Login(address=address, nonce=asked.message.nonce, signature=signature)
        grant = self.transport.post("/login", answer, TokenGrant)
        self.transport.token = grant.token
        return grant


@dataclass(frozen=True, slots=True)
class Trigger:
    """Spot of the underlying that an order waits for; the contracts check it against a round later than the order.

    Parameters
    ----------
    spot : float
        Cash per unit.
    side : {"atOrAbove", "atOrBelow"}
        Where spot has to be.
    """

    spot: float
    side: Literal["atOrAbove", "atOrBelow"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order may say besides instrument, side, quantity and price.

    Of orders that share a ``nonce`` the venue cancels the others when one meets another order; where all are
    ``exclusive`` the chain itself fills only one of them.
    """

    kind: KindOfOrder = "limit"
    time_in_force: Literal["gtc", "ioc"] = "gtc"
    reduce_only: bool = False
    life_sec: int = LIFE_SEC
    max_fee: float = 0.01
    nonce: int | None = None
    trigger: Trigger | None = None
    exclusive: bool = False
    client_id: str = ""


class Trader:
    """One account at one venue; every order is signed here.

    Parameters
    ----------
    venue : VenueClient
        Where.
    wallet : LocalAccount
        Signs.
    account_id : int
        For which account.
    """

    def __init__(self, venue: VenueClient, wallet: LocalAccount, account_id: int) -> None:
        self.venue, self.wallet, self.account_id = venue, wallet, account_id
        self._transport = venue.transport
        self._transfers = venue.account(account_id).transferCount
        # The clock of the chain, which judges expiries, as it was when asked; orders live longer than both drift.
        self._offset_sec = venue.account(account_id).blockTs - time.time()

    def signed(self, instrument: str | int, quantity: float, price: float, terms: Terms | None = None) -> PlaceOrder:
        """Sign an order.

        Parameters
        ----------
        instrument : str or int
            Name or word.
        quantity : float
            Units; negative sells.
        price : float
            Limit, cash per unit.
        terms : Terms, optional
            A plain limit order when not given.

        Returns
        -------
        PlaceOrder
        """
        terms = terms or Terms()
        now_ts = int(time.time() + self._offset_sec)
        message: dict[str, Any] = {
            "accountId": self.account_id,
            "instrument": self.venue.instrument(instrument),
            "isBuy": quantity > 0,
            "quantityWad": float_to_wad(abs(quantity)),
            "priceWad": float_to_wad(price),
            "nonce": time.time_ns() if terms.nonce is None else terms.nonce,
            "expiryTs": now_ts + terms.life_sec,
            "signer": str(self.wallet.address),
            "kind": KINDS[terms.kind],
            "reduceOnly": terms.reduce_only,
            "maxFeeWad": float_to_wad(terms.max_fee),
            "transferCount": self._transfers,
            "triggerWad": 0 if terms.trigger is None else float_to_wad(terms.trigger.spot),
            "triggerAbove": terms.trigger is not None and terms.trigger.side == "atOrAbove",
            "triggerAfterTs": 0 if terms.trigger is None else now_ts,
            "exclusive": terms.exclusive,
        }
        return PlaceOrder.model_construct(
            order=Order.model_construct(**message),
            signature=sign_typed(self.wallet, self.venue.config.order, message),
            timeInForce=terms.time_in_force,
            clientId=terms.client_id,
        )

    def place(self, instrument: str | int, quantity: float, price: float, terms: Terms | None = None) -> PlaceResult:
        """Sign and place one order; a refusal is raised."""
        (result,) = self.place_many([self.signed(instrument, quantity, price, terms)])
        if result.problem is not None:
            raise VenueError(result.problem)
        return result

    def place_many(self, orders: Sequence[PlaceOrder]) -> list[PlaceResult]:
        """Place signed orders; each result says for itself whether it was accepted."""
        body = PlaceOrders.model_construct(orders=list(orders))
        return self._transport.post("/orders", body, PlaceResults).results

    def amend(
        self, order_hash: str, instrument: str | int, quantity: float, price: float, terms: Terms | None = None
    ) -> PlaceResult:
        """Replace an order by another; a refusal is raised, and the old order stays."""
        replacement = self.signed(instrument, quantity, price, terms)
        body = AmendOrder.model_construct(orderHash=order_hash, replacement=replacement)
        result = self._transport.post("/orders/amend", body, PlaceResult)
        if result.problem is not None:
            raise VenueError(result.problem)
        return result

    def cancel(self, *order_hashes: str) -> list[CancelResult]:
        """Take orders out of the book."""
        body = CancelOrders.model_construct(orderHashes=list(order_hashes))
        return self._transport.post("/orders/cancel", body, CancelResults).results

    def cancel_all(self, instrument: str | int | None = None) -> list[CancelResult]:
        """Take all open orders out of the book, or those of one instrument."""
        word = None if instrument is None else self.venue.instrument(instrument)
        body = MassCancel.model_construct(accountId=self.account_id, underlyingId=None, instrument=word, isBuy=None)
        return self._transport.post("/orders/mass-cancel", body, CancelResults).results

    def order(self, order_hash: str) -> OrderView:
        """Return an own order."""
        return self._transport.get(f"/orders/{order_hash}", OrderView)

    def orders(self, state: str | None = None) -> list[OrderView]:
        """Return own orders, newest first."""
        return self._transport.get(f"/accounts/{self.account_id}/orders", OrderPage, state=state).orders

    def fills(self, limit: int = 200, before: int | None = None) -> FillPage:
        """Return own fills, newest first; ``before`` names the trade that the page begins below."""
        return self._transport.get(f"/accounts/{self.account_id}/fills", FillPage, limit=limit, before=before)

    def stream(self, *more: str) -> Stream:
        """Follow own orders, and more channels; after a restart of the venue the stream logs in again by itself."""
        channels = (f"orders:{self.account_id}", *more)
        return Stream(self._transport.url, channels, self._transport.token, lambda: self.venue.login(self.wallet).token)


def sign_typed(wallet: LocalAccount, typed: TypedStruct, message: dict[str, Any]) -> str:
    """Sign a struct as the venue describes it.

    Parameters
    ----------
    wallet : LocalAccount
        Signer.
    typed : TypedStruct
        Domain and types.
    message : dict
        Fields.

    Returns
    -------
    str
        Hexadecimal.
    """
    document = {
        "domain": typed.domain.model_dump(),
        "types": {
            "EIP712Domain": DOMAIN_FIELDS,
            **{name: [field.model_dump() for field in fields] for name, fields in typed.types.items()},
        },
        "primaryType": typed.primaryType,
        "message": message,
    }
    signed = wallet.sign_message(encode_typed_data(full_message=document))
    return "0x" + bytes(signed.signature).hex()


def connect_venue(url: str) -> VenueClient:
    """Open a venue.

    Parameters
    ----------
    url : str
        Its address.

    Returns
    -------
    VenueClient

    Raises
    ------
    UnavailableError
        When it does not answer.
    """
    return VenueClient(url)
