"""First messages of every channel, and what each block brings to those that show the chain."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from plimsoll.client.schema.problem import RefusalError
from plimsoll.client.schema.stream import Auctions, Reorganised, Trades
from plimsoll.errors import PlimsollError
from plimsoll.venue.chain.world import World
from plimsoll.venue.journal.desk import Desk
from plimsoll.venue.service.accounts import AccountService
from plimsoll.venue.service.markets import MarketService
from plimsoll.venue.stream.hub import Hub
from plimsoll.venue.stream.publisher import Publisher

log = structlog.get_logger()

#: Margins that are computed for the stream at one block; the others follow at the next ones.
MARGINS = 50
#: Trades of a first message.
TRADES = 100


class Channels:
    """Channels of the book by the publisher, channels of the chain by the services.

    Parameters
    ----------
    hub : Hub
        Channels.
    publisher : Publisher
        First messages of the book.
    desk : Desk
        For what the disk has.
    world : World
        Head.
    markets : MarketService
        Trades, rounds and auctions.
    accounts : AccountService
        Margins.
    """

    def __init__(
        self,
        hub: Hub,
        publisher: Publisher,
        desk: Desk,
        world: World,
        markets: MarketService,
        accounts: AccountService,
    ) -> None:
        self.hub, self._publisher, self._desk = hub, publisher, desk
        self._world, self._markets, self._accounts = world, markets, accounts
        self._turn = 0
        self._had_auctions = False

    async def first(self, channel: str) -> tuple[int | None, str, str]:
        """Return number, type and body of what shows a channel as it is now."""
        kind, _, text = channel.partition(":")
        number = int(text) if text.isdecimal() else None
        found = self._of_book(kind, text, number)
        if found is not None:
            await self._desk.durable()
            return found
        if kind == "trades" and (number is not None or text == "*"):
            page = await self._markets.trades(number, None, TRADES)
            return page.seq, "trades", Trades(trades=page.trades).model_dump_json()
        if kind == "rounds" and number is not None:
            posted = self._markets.round(number)
            if posted is not None:
                return None, "round", posted.model_dump_json()
        if kind == "auctions" and not text:
            return None, "auctions", Auctions(auctions=await self._markets.auctions()).model_dump_json()
        if kind == "chain" and not text:
            return None, "chain", Reorganised(chain=self._markets.head(), forkNumber=None).model_dump_json()
        if kind == "margin" and number is not None:
            changes = await self._accounts.margins([number])
            if changes:
                return None, "margin", changes[0].model_dump_json()
        text = f"channel: there is no channel {channel}"
        raise RefusalError("unknownChannel", text, field="channel", value=channel)

    def _of_book(self, kind: str, text: str, number: int | None) -> tuple[int | None, str, str] | None:
        """Return what the log numbers and the memory has."""
        if kind == "book" and number is not None:
            return self._publisher.book(number)
        if kind == "orders" and number is not None:
            return self._publisher.orders(number)
        if kind == "requests" and not text:
            return self._publisher.asked()
        if kind == "quotes" and number is not None:
            return self._publisher.quoted(number)
        return None

    async def looked(self, fork_number: int | None, fresh: Sequence[int]) -> None:
        """Publish what a block brought."""
        hub = self.hub
        if hub.wants("chain"):
            news = Reorganised(chain=self._markets.head(), forkNumber=fork_number)
            hub.publish("chain", None, "chain", news.model_dump_json())
        for number in fresh:
            posted = self._markets.round(number)
            if posted is not None:
                hub.publish(f"rounds:{number}", None, "round", posted.model_dump_json())
        try:
            await self._publish_auctions()
            await self._publish_margins()
        except PlimsollError as problem:
            # The next block has them; nobody who watches a margin needs every one of them.
            log.warning("margins cannot be published", reason=str(problem))

    async def _publish_auctions(self) -> None:
        has_auctions = bool(self._world.chain.auctions)
        if self.hub.wants("auctions") and (has_auctions or self._had_auctions):
            found = Auctions(auctions=await self._markets.auctions())
            self.hub.publish("auctions", None, "auctions", found.model_dump_json())
        self._had_auctions = has_auctions

    async def _publish_margins(self) -> None:
        """Publish the margins of accounts that are watched, a part of them at each block when they are many."""
        names = sorted(self.hub.wanted("margin:"))
        if not names:
            return
        start = self._turn % len(names)
        part = (names[start:] + names[:start])[:MARGINS]
        self._turn = (start + len(part)) % len(names)
        for change in await self._accounts.margins(int(name.partition(":")[2]) for name in part):
            self.hub.publish(f"margin:{change.accountId}", None, "margin", change.model_dump_json())
