"""One look at the chain after the other: what is settled, undone and final; rounds; what ran out; what is published."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import Head
from plimsoll.chain.problem import NodeProblem
from plimsoll.errors import PlimsollError
from plimsoll.index.follow import Index
from plimsoll.index.reader import ChainEvent
from plimsoll.keeper.head_watch import HeadWatch
from plimsoll.transact.transactor import Transactor
from plimsoll.venue.book import events as ev
from plimsoll.venue.book.engine import Engine
from plimsoll.venue.book.orders import PENDING, SETTLED, BookOrder
from plimsoll.venue.chain.follower import Follower, News
from plimsoll.venue.chain.settler import Settler
from plimsoll.venue.chain.world import World
from plimsoll.venue.journal.desk import Desk
from plimsoll.venue.service.history import History

log = structlog.get_logger()

#: Pause between two questions for a new head, and the longest time without a whole look.
PAUSE_SEC: Final = 0.05
LOOK_SEC: Final = 2.0
#: How long a chain that is there but changes may keep the venue from opening.
OPENING_SEC: Final = 30.0
#: Blocks between two readings of rules, fees and rows.
TERMS_BLOCKS: Final = 20
#: Events after which they are read at once.
TERMS_EVENTS: Final = frozenset(("FeesSet", "FeeCapsSet", "RulesSet"))


class Watch:
    """Follows the chain for the desk.

    Parameters
    ----------
    endpoints : Endpoints
        Nodes.
    desk : Desk
        The book.
    world : World
        Gets the head and the index's state.
    index : Index
        Accounts, rounds, auctions.
    follower : Follower
        Events of the exchange.
    transactor : Transactor
        Settlement transactions.
    settler : Settler
        Told how they ended.
    history : History
        Orders that are over: the chain may fill one of them still.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        desk: Desk,
        world: World,
        index: Index,
        follower: Follower,
        transactor: Transactor,
        settler: Settler,
        history: History,
    ) -> None:
        self._endpoints, self._desk, self._world = endpoints, desk, world
        self._index, self._follower = index, follower
        self._transactor, self._settler, self._history = transactor, settler, history
        self._heads = HeadWatch(endpoints)
        self._terms_at = -TERMS_BLOCKS
        #: Called after every look with the fork, if there was one, and the underlyings with a new round.
        self.on_look: Callable[[int | None, Sequence[int]], Awaitable[None]] = _nothing
        #: Called when rules may have changed.
        self.on_terms: Callable[[], Awaitable[None]] = _nothing_at_all
        #: Why the last look failed; empty when it did not.
        self.problem = ""
        self._looked_sec = 0.0

    async def start(self) -> None:
        """Catch up before anybody is served.

        A reorganisation on the way, or a node that has not got the block that another one told of, is no reason not
        to open: what was read is read again.

        Raises
        ------
        UnavailableError
            When nodes fail for ``OPENING_SEC``, or the database does.
        """
        until = time.monotonic() + OPENING_SEC
        while True:
            try:
                await self._follower.warm(await self._endpoints.head())
                return await self.look()
            except NodeProblem as problem:
                if time.monotonic() > until:
                    raise
                log.warning("the chain cannot be followed", reason=str(problem))
                await asyncio.sleep(4 * PAUSE_SEC)

    async def run(self) -> None:
        """Look whenever there is a new head, until cancelled; a look that fails is told, and the next one is made."""
        while True:
            await asyncio.sleep(PAUSE_SEC)
            try:
                overdue = time.monotonic() - self._looked_sec > LOOK_SEC
                if overdue or await self._heads.is_new(self._world.head.hash):
                    await self.look()
                    self.problem = ""
            except PlimsollError as problem:
                if not self.problem:
                    log.warning("the chain cannot be followed", reason=str(problem))
                self.problem = str(problem)
                await asyncio.sleep(4 * PAUSE_SEC)
            except Exception:
                # One block that nobody foresaw must not end the service; it is logged whole, and the next one is read.
                self.problem = "a defect, see the log"
                log.exception("a look at the chain failed")
                await asyncio.sleep(1.0)

    async def look(self) -> None:
        """Read what is new and fold it.

        Raises
        ------
        UnavailableError
            When nodes or database fail.
        """
        head = await self._endpoints.head()
        final_number = await self._transactor.final_number(head)
        self._follower.align([Head(*point) for point in self._desk.state.points])
        # First what changes balances, so that a fill is never told before the positions that it made.
        await self._index.sync(head)
        news = await self._follower.step(head, final_number)
        self._world.see_head(head, final_number)
        is_changed = news is not None and any(event.name in TERMS_EVENTS for event in news.events)
        if is_changed or abs(head.number - self._terms_at) >= TERMS_BLOCKS:
            await self._world.refresh_terms()
            await self.on_terms()
            self._terms_at = head.number
        fresh = self._world.see_chain(self._index.state)
        over = await self._over(news)
        await self._desk.run(lambda engine: self._fold(engine, news, over, fresh, head))
        await self._follower.keep(final_number)
        for outcome in await self._transactor.advance(head):
            await self._settler.ended(outcome.key, outcome.result, outcome.reason)
        self._looked_sec = time.monotonic()
        await self.on_look(news.fork.number if news is not None and news.fork is not None else None, fresh)

    async def _over(self, news: News | None) -> list[BookOrder]:
        """Return orders that had left the memory and that the chain has filled now, by somebody else's transaction."""
        fills = [event for event in news.events if event.name == "Settled"] if news is not None else []
        digests = {"0x" + event.values[name].hex() for event in fills for name in ("buyHash", "sellHash")}
        missing = digests - self._desk.state.orders.keys()
        return list((await self._history.orders(missing)).values()) if missing else []

    def _fold(
        self, engine: Engine, news: News | None, over: Sequence[BookOrder], fresh: Sequence[int], head: Head
    ) -> None:
        """Let the book know, all in one entry of the log."""
        now_ms = time.time_ns() // 1_000_000
        if news is not None:
            if news.fork is not None:
                self._roll_back(engine, news.fork.number)
            for order in over:
                if order.order_hash not in engine.state.orders:
                    engine.note(ev.Recalled(order.order_hash, list(order.values())))
            self._settle(engine, news.events)
            engine.note(ev.Synced(news.last.number, news.last.hash, news.last.ts))
            self._finalise(engine, news.final_number)
        # A second for the block in which it would be settled.
        engine.expire(head.ts + 1)
        for number in fresh:
            found = self._world.chain.rounds[number]
            engine.see_round(number, found.spotWad, found.ts, now_ms)

    def _roll_back(self, engine: Engine, fork_number: int) -> None:
        """Take back what blocks that are gone had settled."""
        state = engine.state
        for trade in list(state.unsettled.values()):
            if trade.state == SETTLED and trade.block_number is not None and trade.block_number > fork_number:
                engine.rolled_back(trade.trade_id)
                self._settler.forget(trade.trade_id)
        for number, order_hash, quantity_wad in list(state.outsides):
            if number > fork_number:
                engine.outside(order_hash, -quantity_wad, number)
        for quote in list(state.quotes.values()):
            if quote.state == SETTLED and quote.block_number is not None and quote.block_number > fork_number:
                engine.note(ev.QuoteMoved(quote.quote_hash, "open", "its block was reorganised", None, None))
        log.warning("the chain was reorganised", fork=fork_number)

    def _settle(self, engine: Engine, events: Sequence[ChainEvent]) -> None:
        """Fold the events of the exchange."""
        fees: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        for event in events:
            if event.name == "FeePaid":
                key = (event.tx_hash, "0x" + event.values["digest"].hex(), event.values["accountId"])
                fees[key] += event.values["feeWad"]
        is_cancelled = False
        for event in events:
            if event.name == "Settled":
                self._one_fill(engine, event, fees)
            elif event.name == "QuoteFilled":
                self._one_quote(engine, event)
            elif event.name == "IntentFilled":
                self._one_intent(engine, "0x" + event.values["digest"].hex())
            is_cancelled = is_cancelled or event.name in ("NoncesCancelled", "NoncesCancelledBelow")
        if is_cancelled:
            self._cancel(engine)

    def _one_fill(self, engine: Engine, event: ChainEvent, fees: defaultdict[tuple[str, str, int], int]) -> None:
        """Find the trade that a fill is of; a fill of somebody else's making counts against the orders alone."""
        state, values = engine.state, event.values
        sides = {"0x" + values["buyHash"].hex(): "buyerId", "0x" + values["sellHash"].hex(): "sellerId"}
        for trade in state.unsettled.values():
            same = {trade.maker, trade.taker} == set(sides)
            if same and trade.state == PENDING and trade.quantity_wad == values["quantityWad"]:
                maker_fee, taker_fee = (
                    fees[event.tx_hash, order_hash, values[sides[order_hash]]]
                    for order_hash in (trade.maker, trade.taker)
                )
                engine.settled(ev.Settled(trade.trade_id, event.tx_hash, event.block_number, maker_fee, taker_fee))
                return
        for order_hash in sides:
            if order_hash in state.orders:
                engine.outside(order_hash, values["quantityWad"], event.block_number)

    def _one_quote(self, engine: Engine, event: ChainEvent) -> None:
        quote_hash = "0x" + event.values["digest"].hex()
        if quote_hash in engine.state.quotes:
            engine.note(ev.QuoteMoved(quote_hash, SETTLED, "", event.tx_hash, event.block_number))

    def _one_intent(self, engine: Engine, digest: str) -> None:
        if digest in engine.state.intents:
            engine.note(ev.IntentEnded(digest, "filled"))

    def _cancel(self, engine: Engine) -> None:
        """Take out orders and intents whose nonce was cancelled on chain."""
        state, ledger = engine.state, self._follower.ledger
        for (signer, nonce), hashes in list(state.pairs.items()):
            if ledger.is_cancelled(signer, nonce):
                for order_hash in list(hashes):
                    engine.cancel(order_hash, "its nonce was cancelled on chain")
        for intent in list(state.intents.values()):
            if ledger.is_cancelled(intent.message["signer"], intent.message["nonce"]):
                engine.note(ev.IntentEnded(intent.digest, "cancelled on chain"))

    def _finalise(self, engine: Engine, final_number: int) -> None:
        """Note what can no longer be undone, and what ran out."""
        state, now_ts = engine.state, self._world.now_ts()
        for trade in list(state.unsettled.values()):
            if trade.state == SETTLED and trade.block_number is not None and trade.block_number <= final_number:
                engine.finalised(trade.trade_id)
        for quote in list(state.quotes.values()):
            if quote.state == SETTLED and quote.block_number is not None and quote.block_number <= final_number:
                engine.note(ev.QuoteMoved(quote.quote_hash, "final", "", quote.tx_hash, quote.block_number))
            elif quote.state == "open" and quote.message["expiryTs"] < now_ts:
                engine.note(ev.QuoteMoved(quote.quote_hash, "expired", "", None, None))
        for intent in list(state.intents.values()):
            if intent.message["expiryTs"] < now_ts:
                engine.note(ev.IntentEnded(intent.digest, "expired"))


async def _nothing(_fork: int | None, _fresh: Sequence[int]) -> None:
    """Publish nothing."""


async def _nothing_at_all() -> None:
    """Read nothing."""
