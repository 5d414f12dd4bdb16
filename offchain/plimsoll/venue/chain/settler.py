"""Matches to transactions: submitted in batches, followed to their end; who is at fault when the chain refuses."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from contextlib import suppress
from typing import Final

import structlog

from plimsoll.chain.revert import RevertError
from plimsoll.constants import WAD
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question, call_data
from plimsoll.transact.intent import Result, Ticket, Transaction
from plimsoll.transact.transactor import Transactor
from plimsoll.venue.book import events as ev
from plimsoll.venue.book.orders import PENDING, BookOrder, Trade
from plimsoll.venue.chain.ledger import ExchangeLedger
from plimsoll.venue.chain.world import World
from plimsoll.venue.gate.authority import Authority
from plimsoll.venue.gate.margin import Leg, bundled, excess_wad
from plimsoll.venue.journal.desk import Desk

log = structlog.get_logger()

#: Trades of one submission.
BATCH: Final = 50
#: Tries of a trade that fails although neither side is at fault, and the pause between them.
ATTEMPTS: Final = 3
PAUSE_SEC: Final = 0.5
#: Refusals that are about the moment and no order: the same trade is tried again after a pause.
LATER: Final = frozenset(
    (
        *(
            "Oracle__Stale",
            "Oracle__NoRound",
            "Oracle__SequencerDown",
            "Oracle__SequencerGrace",
            "Oracle__Disagreement",
        ),
        *("EnforcedPause", "Exchange__InstrumentPaused", "ReentrancyGuardReentrantCall"),
    )
)
#: Refusals because the round of the chain is no longer the one that let an order in: the order waits again.
WAITS: Final = frozenset(("Exchange__NotTriggered", "Exchange__RoundTooEarly"))
#: The intent has ended, and not well.
REFUSED: Final = frozenset((Result.FAILED, Result.REVERTED, Result.TOO_MUCH_GAS, Result.BUDGET))
_ERROR: Final = re.compile(r"reverted with (\w+)")


class Settler:
    """Sends what the book has matched.

    Parameters
    ----------
    desk : Desk
        The book.
    world : World
        Head, fees, reads.
    transactor : Transactor
        The one owner of the settlement key's nonces.
    deployment : Deployment
        Addresses.
    ledger : ExchangeLedger
        Fills and nonces of the chain.
    authority : Authority
        Signatures and grants.
    """

    def __init__(
        self,
        desk: Desk,
        world: World,
        transactor: Transactor,
        deployment: Deployment,
        ledger: ExchangeLedger,
        authority: Authority,
    ) -> None:
        self._desk, self._world, self._transactor = desk, world, transactor
        self._deployment, self._ledger, self._authority = deployment, ledger, authority
        self._sent: set[int] = set()
        self._quotes: set[str] = set()
        self._not_before: dict[int, float] = {}
        self._attempts: defaultdict[int, int] = defaultdict(int)
        self.wake = asyncio.Event()
        #: What keeps matches from being sent; empty when nothing does.
        self.problem = ""

    async def run(self) -> None:
        """Send whatever is pending, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), PAUSE_SEC)
            self.wake.clear()
            try:
                await self.push_quotes()
                while await self.push():
                    pass
            except PlimsollError as problem:
                self.problem = str(problem)
                log.warning("matches cannot be sent", reason=self.problem)
            except Exception:
                # One answer that nobody foresaw must not end settlement; the next round has other answers.
                self.problem = "a defect, see the log"
                log.exception("sending matches failed")

    async def push(self) -> bool:
        """Submit one batch; return whether there was one."""
        now = time.monotonic()
        wanted = [
            trade
            for trade in self._desk.state.unsettled.values()
            if trade.state == PENDING
            and trade.trade_id not in self._sent
            and self._not_before.get(trade.trade_id, 0) <= now
        ][:BATCH]
        if not wanted:
            return False
        tickets = await self._transactor.submit_all([self._transaction(trade) for trade in wanted])
        self.problem = ""
        failed = []
        for trade, ticket in zip(wanted, tickets, strict=True):
            if not self._took(trade.trade_id, ticket):
                failed.append((trade, ticket.outcome.reason if ticket.outcome else ""))
        for trade, reason in failed:
            await self._refused(trade, reason)
        return True

    async def push_quotes(self) -> None:
        """Submit the quotes that were taken through the venue's key."""
        state = self._desk.state
        wanted = [
            quote for quote in state.quotes.values() if quote.state == "taken" and quote.quote_hash not in self._quotes
        ][:BATCH]
        if not wanted:
            return
        requests = [
            Transaction(
                f"venue:quote:{quote.quote_hash}",
                self._deployment.contracts["Exchange"],
                call_data(
                    "Exchange",
                    "fillQuote",
                    quote.message,
                    bytes.fromhex(quote.signature[2:]),
                    state.requests[quote.request_id].taker_id,
                    # What the taker accepts is kept as the reason of its being taken.
                    int(quote.reason or 0),
                ),
            )
            for quote in wanted
        ]
        for quote, ticket in zip(wanted, await self._transactor.submit_all(requests), strict=True):
            outcome = ticket.outcome
            if outcome is None or outcome.done:
                self._quotes.add(quote.quote_hash)
            elif outcome.result in REFUSED:
                await self._quote_failed(quote.quote_hash, outcome.reason)

    async def _quote_failed(self, quote_hash: str, reason: str) -> None:
        moved = ev.QuoteMoved(quote_hash, "failed", reason, None, None)
        await self._desk.run(lambda engine: engine.note(moved))

    def _took(self, trade_id: int, ticket: Ticket) -> bool:
        """Note what became of a submission; return false when the chain refuses it."""
        outcome = ticket.outcome
        if outcome is None or outcome.done:
            self._sent.add(trade_id)
            return True
        if outcome.result in REFUSED:
            return False
        self.problem = f"{outcome.result.value}: {outcome.reason}"
        self._not_before[trade_id] = time.monotonic() + PAUSE_SEC
        return True

    async def ended(self, key: str, result: Result, reason: str) -> None:
        """Note that a transaction of ours ended; the follower alone says that a trade is settled."""
        if result in (Result.DONE, Result.ALREADY_DONE):
            return
        _, _, name = key.rpartition(":")
        if not is_trade(key):
            self._quotes.discard(name)
            quote = self._desk.state.quotes.get(name)
            if result in REFUSED and quote is not None and quote.state == "taken":
                await self._quote_failed(name, reason)
            return
        trade = self._desk.state.trades.get(int(name))
        if trade is None:
            return
        self._sent.discard(trade.trade_id)
        if result in REFUSED and trade.state == PENDING:
            await self._refused(trade, reason)

    def forget(self, trade_id: int) -> None:
        """Let a trade be submitted again: the journal of the transactor says whether that is needed."""
        self._sent.discard(trade_id)

    async def _refused(self, trade: Trade, reason: str) -> None:
        """Find out who is at fault; undo the match, or try again."""
        if trade.state != PENDING:
            return
        named = _ERROR.search(reason)
        name = named.group(1) if named else ""
        if name in LATER:
            self.problem = f"the chain settles nothing of this kind now: {reason}"
            self._not_before[trade.trade_id] = time.monotonic() + PAUSE_SEC
            return
        if name in WAITS:
            now_ms = time.time_ns() // 1_000_000
            await self._desk.run(lambda engine: engine.not_triggered(trade.trade_id, reason, now_ms))
            return
        at_fault = await self.blame(trade)
        self._attempts[trade.trade_id] += 1
        if not at_fault and self._attempts[trade.trade_id] < ATTEMPTS:
            self._not_before[trade.trade_id] = time.monotonic() + PAUSE_SEC
            return
        # Nobody is at fault and it still fails: the younger order goes, so that the book moves on.
        found = at_fault or {trade.taker: reason}
        text = "; ".join(sorted(set(found.values()))) or reason
        log.info("a match failed", trade=trade.trade_id, reason=text)
        await self._desk.run(
            lambda engine: engine.failed(trade.trade_id, text, list(found), time.time_ns() // 1_000_000)
        )
        self._attempts.pop(trade.trade_id, None)
        self._not_before.pop(trade.trade_id, None)

    async def blame(self, trade: Trade) -> dict[str, str]:
        """Return which orders of a trade the chain would refuse now, and why."""
        state = self._desk.state
        found: dict[str, str] = {}
        for order_hash in (trade.maker, trade.taker):
            reason = await self._fault(state.orders[order_hash], trade, order_hash == trade.maker)
            if reason:
                found[order_hash] = reason
        return found

    async def _fault(self, order: BookOrder, trade: Trade, is_maker: bool) -> str:
        """Return why one side of a trade is refused, or nothing."""
        await self._ledger.know([order.order_hash], [order.pair])
        if self._ledger.is_cancelled(order.signer, order.nonce):
            return f"nonce {order.nonce} is cancelled on chain"
        filled_wad = self._ledger.filled_wad(order.order_hash)
        if filled_wad + trade.quantity_wad > order.quantity_wad:
            return f"{filled_wad} of {order.quantity_wad} is filled on chain, {trade.quantity_wad} no longer fits"
        if order.expiry_ts < self._world.now_ts():
            return f"it expired at {order.expiry_ts}, the chain is at {self._world.now_ts()}"
        if order.message["exclusive"]:
            (first,) = await self._authority.first_of_pairs([order.pair])
            if first and first.hex() != order.order_hash[2:]:
                return f"order 0x{first.hex()} of its nonce has filled on chain, and no other one may"
        return self._fee_fault(order, is_maker) or await self._asked_fault(order, trade)

    def _fee_fault(self, order: BookOrder, is_maker: bool) -> str:
        fees, is_option = self._world.fees, (order.instrument >> 240) & 0xFF < 2
        side = "maker" if is_maker else "taker"
        rate_wad = int(getattr(fees, f"{side}{'Option' if is_option else 'Linear'}Wad"))
        accepted_wad = int(order.message["maxFeeWad"])
        return f"the fee is {rate_wad}, it accepts {accepted_wad}" if rate_wad > accepted_wad else ""

    async def _asked_fault(self, order: BookOrder, trade: Trade) -> str:
        """Ask the chain about signature, authority, position and margin."""
        digest, signature = bytes.fromhex(order.order_hash[2:]), bytes.fromhex(order.signature[2:])
        count = int(order.message["transferCount"])
        (signed,) = await self._authority.check_signatures([(order.signer, digest, signature)])
        (allowed,) = await self._authority.check_accounts([(order.account_id, order.signer, order.instrument, count)])
        for refusal in (signed, allowed):
            if refusal is not None:
                return refusal.problem.message
        if order.reduce_only:
            held_wad = self._world.held_wad(order.account_id, order.instrument)
            closable_wad = max(0, -held_wad if order.is_buy else held_wad)
            if trade.quantity_wad > closable_wad:
                return f"reduce only: {closable_wad} is left to reduce, the match is of {trade.quantity_wad}"
        return await self._margin_fault(order, trade, count)

    async def _margin_fault(self, order: BookOrder, trade: Trade, count: int) -> str:
        leg = Leg(order.instrument, order.is_buy, trade.quantity_wad, trade.price_wad)
        orders = bundled(order.account_id, count, [leg])
        question = Question("OrderPreview", "previewOrders", (order.account_id, orders))
        (answer,) = await self._world.reads.ask([question])
        if isinstance(answer, RevertError):
            return f"the margin of account {order.account_id} cannot be computed: it {answer.message}"
        if isinstance(answer, PlimsollError):
            raise answer
        if excess_wad(answer.worst) < min(0, excess_wad(answer.before_)):
            equity, initial = answer.worst.equityWad / WAD, answer.worst.initialWad / WAD
            return (
                f"account {order.account_id} would have equity {equity:,.2f} against initial margin {initial:,.2f} "
                "after this fill"
            )
        return ""

    def _transaction(self, trade: Trade) -> Transaction:
        orders = self._desk.state.orders
        maker, taker = orders[trade.maker], orders[trade.taker]
        data = call_data(
            "Exchange",
            "settle",
            maker.message,
            bytes.fromhex(maker.signature[2:]),
            taker.message,
            bytes.fromhex(taker.signature[2:]),
            trade.quantity_wad,
        )
        # Not by account: one bad order must not spend the budget of the good ones of its account.
        return Transaction(key_of(trade.trade_id), self._deployment.contracts["Exchange"], data)


def key_of(trade_id: int) -> str:
    """Return the name of a trade in the transactor's journal: the same after a restart."""
    return f"venue:trade:{trade_id}"


def is_trade(key: str) -> bool:
    """Whether an intent of the journal is a trade."""
    return key.startswith("venue:trade:")
