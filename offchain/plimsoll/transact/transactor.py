"""The one owner of a signer's nonces: many transactions under way at once, each journalled before it is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import structlog
from eth_account.signers.local import LocalAccount
from sqlalchemy.engine import Engine

from plimsoll.chain.endpoints import Endpoints, HeadError
from plimsoll.chain.head import Head
from plimsoll.chain.node import Node
from plimsoll.chain.problem import NodeProblem
from plimsoll.errors import InputError
from plimsoll.transact.broadcast import Broadcaster
from plimsoll.transact.budget import Budget, Failure
from plimsoll.transact.context import Context
from plimsoll.transact.desk import Desk
from plimsoll.transact.entry import PENDING, Entry, State
from plimsoll.transact.event import Event, Notice
from plimsoll.transact.fence import DeposedError, Fence, OvertakenError, open_to_all
from plimsoll.transact.follow import follow
from plimsoll.transact.intent import Outcome, Result, Simulation, Ticket, Transaction, refused
from plimsoll.transact.ledger import Ledger
from plimsoll.transact.policy import Policy
from plimsoll.transact.pusher import Pusher
from plimsoll.transact.sighting import BlockId, Sighting, look

log = structlog.get_logger()

#: A head that is younger than this, by the process's own clock, is good for a submission.
HEAD_REUSE_SEC: Final = 2.0
#: Reads of the journal in one advance while submissions keep changing it.
ATTEMPTS: Final = 3


def _log_event(event: Event) -> None:
    """Write an event to the log, where nobody else is told."""
    log.warning(event.notice.value, signer=event.signer, key=event.key, message=event.message)


class Transactor:
    """Sends the intents of one signer on one chain. Belongs to one event loop.

    Parameters
    ----------
    endpoints : Endpoints
        Nodes; closed by whoever opened them.
    account : LocalAccount
        Signer.
    engine : Engine
        Common database, with its migrations run.
    chain_id : int
        Chain that transactions are signed for.
    policy : Policy
        Bounds.
    relay : Node, optional
        Private relay.
    notify : Callable[[Event], None]
        Told what an operator should know; the log when not given.
    may_send : Callable[[], bool]
        Asked before anything is sent; false keeps a standby silent.
    fence : Fence
        Asked in every transaction that writes into the journal; refuses where another keeper acts now.
    on_replaced : Callable[[int], None]
        Told how many transactions take the place of others, at a higher fee.
    clock : Callable[[], float]
        Own unix time, seconds.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        account: LocalAccount,
        engine: Engine,
        chain_id: int,
        policy: Policy,
        *,
        relay: Node | None = None,
        notify: Callable[[Event], None] = _log_event,
        may_send: Callable[[], bool] = lambda: True,
        fence: Fence = open_to_all,
        on_replaced: Callable[[int], None] = lambda count: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.context = Context(
            endpoints=endpoints,
            account=account,
            chain_id=chain_id,
            policy=policy,
            ledger=Ledger(engine, chain_id, account.address, fence),
            budget=Budget(engine, chain_id, account.address, policy, fence),
            broadcaster=Broadcaster(endpoints, relay, policy),
            notify=notify,
            may_send=may_send,
            on_replaced=on_replaced,
            clock=clock,
        )
        self._desk = Desk(self.context)
        self.pusher = Pusher(self.context, self._desk)
        self._head: Head | None = None
        self._head_at_sec = 0.0
        self._has_resumed = False
        #: When a used nonce without receipt was first met, by nonce, in seconds of the process's own clock.
        self._unseen: dict[int, float] = {}

    async def close(self) -> None:
        """Stop waiting for slow endpoints; the journal holds everything else."""
        await self.context.broadcaster.close()

    async def submit(self, transaction: Transaction) -> Ticket:
        """Begin one intent; see :meth:`submit_all`."""
        return (await self.submit_all([transaction]))[0]

    async def submit_all(self, transactions: Sequence[Transaction]) -> list[Ticket]:
        """Simulate intents at the agreed head, give them nonces, journal them, send them, and return.

        Parameters
        ----------
        transactions : Sequence[Transaction]
            In the order in which their nonces are to follow; keys and groups are free to repeat.

        Returns
        -------
        list[Ticket]
            One for each, in their order. No failure of one keeps another from being sent.

        Raises
        ------
        InputError
            When one carries no call.
        StorageError
            When the journal fails; what is not in it is not sent.
        """
        for transaction in transactions:
            if not transaction.data or not transaction.key:
                raise InputError("transaction", f"{transaction.key!r} needs a key and call data")
        if not self.context.may_send():
            return [refused(item, Result.STANDBY, "another keeper sends") for item in transactions]
        try:
            head = await self.head()
            stale = self._stale(head)
            if stale:
                return [refused(item, Result.STALE, stale) for item in transactions]
            if not self._has_resumed:
                await self.resume(head)
            return await self._desk.begin(transactions, head)
        except DeposedError as reason:
            return [refused(item, Result.STANDBY, str(reason)) for item in transactions]
        except OvertakenError as reason:
            return [refused(item, Result.UNAVAILABLE, reason.message) for item in transactions]
        except (HeadError, NodeProblem) as reason:
            return [refused(item, Result.UNAVAILABLE, str(reason)) for item in transactions]

    async def simulate(self, transactions: Sequence[Transaction]) -> list[Simulation]:
        """Say what transactions would do at the agreed head, each by itself; nothing is journalled or sent.

        Parameters
        ----------
        transactions : Sequence[Transaction]
            What to run.

        Returns
        -------
        list[Simulation]
            Result, gas and cost of each.

        Raises
        ------
        UnavailableError
            When no node answers.
        """
        return (await self._desk.simulate(transactions, await self.head()))[0]

    async def resume(self, head: Head) -> int:
        """Send everything that waits for a block once more, before anything else is asked.

        Parameters
        ----------
        head : Head
            Agreed head.

        Returns
        -------
        int
            How many transactions were sent.
        """
        self._has_resumed = True
        entries = [e for e in await asyncio.to_thread(self.context.ledger.open_entries) if e.state in PENDING]
        await self.pusher.send_again(entries, head)
        return len(entries)

    async def advance(self, head: Head) -> list[Outcome]:
        """Look where everything stands, and send what has to be sent: again, replaced, or to fill a gap.

        Parameters
        ----------
        head : Head
            Agreed head.

        Returns
        -------
        list[Outcome]
            Intents that ended since the last call, also where the time ran out on the way.

        Raises
        ------
        UnavailableError
            When no node that showed the head answers, or the database fails.
        """
        outcomes: list[Outcome] = []
        try:
            async with asyncio.timeout(self.context.policy.advance_timeout_sec):
                await self._advance(head, outcomes)
        except TimeoutError:
            log.warning("advance cut short", signer=self.context.signer, head=head.number)
        return outcomes

    async def head(self) -> Head:
        """Return the agreed head, the last one while it is young and nobody has been shown another."""
        head, endpoints = self._head, self.context.endpoints
        is_old = head is None or time.monotonic() - self._head_at_sec > HEAD_REUSE_SEC
        if head is None or is_old or head.hash != endpoints.agreed_hash or not self._is_shown(head):
            head = await endpoints.head()
            self._see(head)
        return head

    async def final_number(self, head: Head) -> int:
        """Return the last final block as of a head, by the policy or by the chain."""
        confirmations = self.context.policy.confirmations
        if confirmations is not None:
            return head.number - confirmations + 1
        return await self.context.endpoints.final_number(head)

    async def _advance(self, head: Head, outcomes: list[Outcome]) -> None:
        """Follow the chain, then push."""
        if not self._is_shown(head):
            head = await self.context.endpoints.head()
        self._see(head)
        if not self._has_resumed:
            await self.resume(head)
        for attempt in range(ATTEMPTS):
            try:
                followed = await self._follow(head, outcomes)
                break
            except DeposedError as reason:
                log.warning("the journal is another keeper's", signer=self.context.signer, reason=str(reason))
                return
            except OvertakenError:
                if attempt == ATTEMPTS - 1:
                    return
        if followed is None or not self.context.may_send():
            return
        entries, sighting = followed
        orphans = [entry for entry in entries if entry.state is State.ORPHANED]
        try:
            outcomes.extend(await self._desk.plan_anew(orphans, head))
        except (OvertakenError, NodeProblem) as reason:
            # What already has its nonce does not wait for it.
            log.warning("planning anew put off", signer=self.context.signer, reason=str(reason))
        outcomes.extend(await self.pusher.push(entries, sighting, head))

    async def _follow(self, head: Head, outcomes: list[Outcome]) -> tuple[list[Entry], Sighting] | None:
        """Bring the journal in line with the chain; nothing when there is nothing in it."""
        context = self.context
        entries, recorded = await asyncio.to_thread(self._read, head)
        if not entries and not recorded:
            return None
        final_number = await self.final_number(head)
        sighting = await look(context.endpoints, context.signer, head, entries, recorded, context.policy.lost_blocks)
        if sighting.gone:
            numbers = sorted(number for number, _ in sighting.gone)
            others = await asyncio.to_thread(context.ledger.of_blocks, numbers)
            entries = list({entry.row_id: entry for entry in (*others, *entries)}.values())
        lost = self._lost(sighting)
        step = follow(entries, sighting, final_number, lost, head.ts, context.signer)
        reverts = await self._judge(step.reverted, head)
        if step.changed:
            await asyncio.to_thread(context.ledger.write, step.in_order())
        for event in step.events:
            context.tell(event)
        outcomes.extend([*step.outcomes, *reverts])
        changed = {row_id: replace(entry, revision=entry.revision + 1) for row_id, entry in step.changed.items()}
        return [changed.get(row_id, entry) for row_id, entry in step.entries.items()], sighting

    def _read(self, head: Head) -> tuple[list[Entry], frozenset[BlockId]]:
        """Read what is unfinished, and the blocks that the journal believes in."""
        ledger = self.context.ledger
        return ledger.open_entries(), ledger.blocks(head.number - self.context.policy.watch_blocks)

    def _lost(self, sighting: Sighting) -> set[int]:
        """Say which nonces went to unknown transactions: used deep enough, and without a receipt for long enough."""
        now_sec = time.monotonic()
        self._unseen = {nonce: self._unseen.get(nonce, now_sec) for nonce in sighting.unseen}
        for nonce in sighting.unseen:
            text = f"nonce {nonce} is used, and no endpoint shows a receipt of it"
            self.context.say(Notice.RECEIPT_MISSING, text, f"nonce {nonce}")
        return {
            nonce
            for nonce, since_sec in self._unseen.items()
            if nonce < sighting.used_deep and now_sec - since_sec >= self.context.policy.lost_sec
        }

    async def _judge(self, reverted: Sequence[Entry], head: Head) -> list[Outcome]:
        """Tell "somebody else was faster" from a failure, for what was mined without effect."""
        if not reverted:
            return []
        context = self.context
        simulations, _ = await self._desk.simulate([entry.transaction for entry in reverted], head)
        outcomes = []
        for entry, seen in zip(reverted, simulations, strict=True):
            reason = seen.reason or "reverted when mined, and would not now"
            result = Result.ALREADY_DONE if seen.result is Result.ALREADY_DONE else Result.REVERTED
            if result is Result.REVERTED:
                await asyncio.to_thread(context.budget.note, entry.transaction, Failure.MINED, reason, head.ts)
            outcomes.append(
                Outcome(entry.key, result, reason, entry.mined_hash, entry.block_number, cost_wei=entry.cost_wei)
            )
        return outcomes

    def _see(self, head: Head) -> None:
        """Remember a head; a fresh block that is far from the own clock is reported."""
        if self._head is not None and head.number > self._head.number:
            skew_sec = head.ts - self.context.clock()
            if abs(skew_sec) > self.context.policy.max_clock_skew_sec:
                text = f"block {head.number} is {skew_sec:+.0f} s from the clock, limit"
                self.context.say(Notice.CLOCK_SKEW, f"{text} {self.context.policy.max_clock_skew_sec} s")
        self._head, self._head_at_sec = head, time.monotonic()

    def _stale(self, head: Head) -> str:
        """Say why a head is too old to act on, or nothing."""
        limit_sec = self.context.policy.max_head_age_sec
        age_sec = self.context.clock() - head.ts
        return (
            f"head is {age_sec:.0f} s old, limit {limit_sec} s" if limit_sec is not None and age_sec > limit_sec else ""
        )

    def _is_shown(self, head: Head) -> bool:
        """Whether a node is known that has shown a head."""
        return bool(self.context.endpoints.nodes_at(head))
