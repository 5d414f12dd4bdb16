"""What the API asks of the service behind it; every method may refuse with a :class:`RefusalError`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from plimsoll.client.schema import account as accounts
from plimsoll.client.schema import market, orders, rfq, service


class Orders(Protocol):
    """Orders and what becomes of them."""

    async def place(self, wanted: Sequence[orders.PlaceOrder]) -> list[orders.PlaceResult]:
        """Accept or refuse each; what is accepted is on disk when this returns."""
        ...

    async def amend(self, caller: str, wanted: orders.AmendOrder) -> orders.PlaceResult:
        """Cancel one and place another in one step."""
        ...

    async def cancel(self, caller: str, hashes: Sequence[str]) -> list[orders.CancelResult]:
        """Take orders out of the book."""
        ...

    async def mass_cancel(self, caller: str, wanted: orders.MassCancel) -> list[orders.CancelResult]:
        """Take all out that match."""
        ...

    async def order(self, caller: str, order_hash: str) -> orders.OrderView:
        """Return one order."""
        ...

    async def orders_of(self, caller: str, account_id: int, state: str | None, limit: int) -> orders.OrderPage:
        """Return orders of an account."""
        ...

    async def fills_of(self, caller: str, account_id: int, before: int | None, limit: int) -> orders.FillPage:
        """Return fills of an account."""
        ...

    async def protection(self, caller: str, account_id: int) -> orders.ProtectionView | None:
        """Return the protection of an account."""
        ...

    async def protect(self, caller: str, wanted: orders.Protection) -> orders.ProtectionView:
        """Set it, which also ends a trip."""
        ...


class Markets(Protocol):
    """What everybody may see."""

    async def markets(self) -> list[market.MarketView]:
        """Return underlyings."""
        ...

    async def instruments(self, underlying_id: int | None, expiry_ts: int | None) -> list[market.InstrumentView]:
        """Return instruments with marks and best prices."""
        ...

    async def book(self, instrument: int, depth: int) -> market.BookView:
        """Return a book."""
        ...

    async def trades(self, instrument: int | None, before: int | None, limit: int) -> market.TradePage:
        """Return trades."""
        ...

    async def rounds(self) -> list[market.RoundView]:
        """Return the last round of every underlying."""
        ...

    async def auctions(self) -> list[market.AuctionView]:
        """Return running auctions."""
        ...

    async def chain(self) -> market.ChainView:
        """Return the head."""
        ...


class Accounts(Protocol):
    """Accounts as the contracts show them."""

    async def accounts_of(self, owner: str) -> accounts.AccountIds:
        """Return the accounts of an owner."""
        ...

    async def account(self, account_id: int) -> accounts.AccountView:
        """Return one account."""
        ...

    async def preview(self, account_id: int, draft: accounts.Draft) -> accounts.PreviewView:
        """Ask the chain for a draft."""
        ...

    async def open_orders_preview(self, caller: str, account_id: int) -> accounts.OpenOrdersPreview:
        """Ask the chain for the open orders of an account."""
        ...


class Quotes(Protocol):
    """Requests for quote, and intents."""

    async def ask(self, caller: str, wanted: rfq.AskQuotes) -> rfq.RequestView:
        """Open a request."""
        ...

    async def requests(self, caller: str | None) -> list[rfq.RequestView]:
        """Return open requests; quotes only to their taker."""
        ...

    async def request(self, caller: str | None, request_id: int) -> rfq.RequestView:
        """Return one request."""
        ...

    async def give(self, request_id: int, wanted: rfq.GiveQuote) -> rfq.QuoteView:
        """Take a maker's quote in."""
        ...

    async def take(self, caller: str, wanted: rfq.TakeQuote) -> rfq.QuoteView:
        """Send the transaction that takes a quote."""
        ...

    async def intend(self, wanted: rfq.GiveDelta | rfq.GiveClose) -> rfq.IntentAccepted:
        """Keep an intent for solvers."""
        ...

    async def intents(self) -> rfq.IntentPage:
        """Return what solvers may fill."""
        ...


class Logins(Protocol):
    """Who asks."""

    def challenge(self, address: str) -> service.ChallengeView:
        """Return a text to sign."""
        ...

    async def login(self, wanted: service.Login) -> service.TokenGrant:
        """Return a token for a signed text."""
        ...

    def caller_of(self, token: str) -> str:
        """Return the address of a token."""
        ...

    def logout(self, token: str) -> None:
        """Forget a token."""
        ...


class Backend(Protocol):
    """All of it."""

    @property
    def orders(self) -> Orders:
        """Orders."""
        ...

    @property
    def markets(self) -> Markets:
        """Market."""
        ...

    @property
    def accounts(self) -> Accounts:
        """Accounts."""
        ...

    @property
    def quotes(self) -> Quotes:
        """Quotes."""
        ...

    @property
    def logins(self) -> Logins:
        """Logins."""
        ...

    def health(self) -> service.HealthView:
        """Say how the service is."""
        ...

    async def config(self) -> service.ConfigView:
        """Return what a page needs."""
        ...

    def abi(self, name: str) -> service.AbiView:
        """Return the interface of a contract."""
        ...
