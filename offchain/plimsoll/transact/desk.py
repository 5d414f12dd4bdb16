"""Takes intents in: what is known, what is allowed, what would succeed, and who gets which nonce."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from plimsoll.chain.head import Head
from plimsoll.transact.budget import Counted, Failure
from plimsoll.transact.context import Context
from plimsoll.transact.delivery import Delivery
from plimsoll.transact.entry import MINED, PENDING, Entry, State
from plimsoll.transact.ground import Ground, survey
from plimsoll.transact.intent import Outcome, Result, Simulation, Ticket, Transaction
from plimsoll.transact.plan import Planned, Wanted, plan
from plimsoll.transact.simulate import SIMULATION_SIZE, read_simulation, simulation_requests

#: What a second try may change, so an entry that lost its nonce stays and is tried again.
LATER = (Result.UNAVAILABLE, Result.TOO_EXPENSIVE)


class Desk:
    """Submissions of one transactor.

    Parameters
    ----------
    context : Context
        Shared parts.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.delivery = Delivery(context)

    async def begin(self, transactions: Sequence[Transaction], head: Head) -> list[Ticket]:
        """Begin intents.

        Parameters
        ----------
        transactions : Sequence[Transaction]
            In the order of their nonces.
        head : Head
            Agreed head.

        Returns
        -------
        list[Ticket]
            One for each.

        Raises
        ------
        UnavailableError
            When no node answers, or the database fails.
        """
        known, failures = await asyncio.to_thread(self._recall, transactions, head)
        tickets: dict[int, Ticket] = {}
        for place, transaction in enumerate(transactions):
            ticket = self._known_ticket(transaction, known, failures, head)
            if ticket is not None:
                tickets[place] = ticket
        places = [place for place in range(len(transactions)) if place not in tickets]
        if not places:
            return [tickets[place] for place in range(len(transactions))]
        simulations, ground = await self.simulate([transactions[place] for place in places], head)
        run = [(place, transactions[place], seen) for place, seen in zip(places, simulations, strict=True)]
        newest = {item.replaces: place for place, item, seen in run if item.replaces and seen.succeeds}
        wanted: dict[int, Wanted] = {}
        for place, transaction, seen in run:
            if seen.succeeds and newest.get(transaction.replaces, place) > place:
                tickets[place] = Ticket(seen.key, outcome=Outcome(seen.key, Result.REPLACED, "a newer one came along"))
            elif seen.succeeds:
                wanted[place] = Wanted(transaction, seen.gas)
            else:
                tickets[place] = Ticket(seen.key, outcome=_outcome(seen))
                await self._note(transaction, seen, head)
        planned = await self._plan(list(wanted.values()), ground, head)
        tickets |= dict(zip(wanted, planned.tickets, strict=True))
        delivered = await self.delivery.deliver(planned.entries, ground, head)
        sent = {entry.key for entry in planned.entries if entry.row_id in delivered.taken}
        ended = {outcome.key: outcome for outcome in delivered.outcomes}
        for place in wanted:
            ticket = tickets[place]
            is_sent, outcome = ticket.is_sent or ticket.key in sent, ticket.outcome or ended.get(ticket.key)
            tickets[place] = replace(ticket, is_sent=is_sent, outcome=outcome)
        return [tickets[place] for place in range(len(transactions))]

    async def simulate(self, transactions: Sequence[Transaction], head: Head) -> tuple[list[Simulation], Ground]:
        """Run transactions at a head, each by itself.

        Parameters
        ----------
        transactions : Sequence[Transaction]
            What to run.
        head : Head
            Agreed head.

        Returns
        -------
        tuple[list[Simulation], Ground]
            One for each; and nonces, balance and fees as of the head.

        Raises
        ------
        UnavailableError
            When no node answers.
        """
        context = self._context
        requests = simulation_requests(context.signer, transactions, head)
        _, ground, answers = await survey(context.endpoints, context.signer, head, requests)
        simulations = []
        for place, transaction in enumerate(transactions):
            part = answers[SIMULATION_SIZE * place :][:SIMULATION_SIZE]
            simulations.append(read_simulation(transaction, part, ground.market, context.policy))
        return simulations, ground

    async def plan_anew(self, orphans: Sequence[Entry], head: Head) -> list[Outcome]:
        """Give new nonces to intents whose nonce went elsewhere, where their effect is still to be had.

        Parameters
        ----------
        orphans : Sequence[Entry]
            Entries of the journal.
        head : Head
            Agreed head.

        Returns
        -------
        list[Outcome]
            Intents that ended instead.
        """
        orphans, outcomes, closed = await self._without_older(orphans, head)
        if not orphans:
            await asyncio.to_thread(self._context.ledger.write, closed)
            return outcomes
        simulations, ground = await self.simulate([orphan.transaction for orphan in orphans], head)
        wanted = []
        for orphan, seen in zip(orphans, simulations, strict=True):
            if seen.succeeds:
                wanted.append(Wanted(orphan.transaction, seen.gas, orphan))
            elif seen.result not in LATER:
                closed.append(replace(orphan, state=State.FAILED, reason=seen.reason, closed_ts=head.ts))
                outcomes.append(_outcome(seen))
                await self._note(orphan.transaction, seen, head)
        await asyncio.to_thread(self._context.ledger.write, closed)
        planned = await self._plan(wanted, ground, head)
        return outcomes + (await self.delivery.deliver(planned.entries, ground, head)).outcomes

    async def _without_older(
        self, orphans: Sequence[Entry], head: Head
    ) -> tuple[list[Entry], list[Outcome], list[Entry]]:
        """Part orphans from those that a newer intent of their group made obsolete: they would take its place."""
        groups = sorted({orphan.transaction.replaces for orphan in orphans if orphan.transaction.replaces})
        newest = await asyncio.to_thread(self._context.ledger.newest_of, groups) if groups else {}
        kept, outcomes, closed = list[Entry](), list[Outcome](), list[Entry]()
        for orphan in orphans:
            if newest.get(orphan.transaction.replaces, 0) <= orphan.row_id:
                kept.append(orphan)
                continue
            reason = "a newer one of its group came along"
            closed.append(replace(orphan, state=State.REPLACED, reason=reason, closed_ts=head.ts))
            outcomes.append(Outcome(orphan.key, Result.REPLACED, reason))
        return kept, outcomes, closed

    async def _plan(self, wanted: Sequence[Wanted], ground: Ground, head: Head) -> Planned:
        """Give nonces, one caller after the other."""
        if not wanted:
            return Planned([], [])
        async with self._context.lock:
            return await asyncio.to_thread(plan, self._context, wanted, ground, head)

    async def _note(self, transaction: Transaction, seen: Simulation, head: Head) -> None:
        """Count a simulation that reverted; what a node could not answer is nobody's failure."""
        if seen.result is Result.FAILED:
            note = self._context.budget.note
            await asyncio.to_thread(note, transaction, Failure.SIMULATED, seen.reason, head.ts)

    def _recall(self, transactions: Sequence[Transaction], head: Head) -> tuple[dict[str, Entry], list[Counted]]:
        """Read what the journal knows of intents, and who failed of late."""
        ledger = self._context.ledger
        known = ledger.latest(sorted({transaction.key for transaction in transactions}))
        dropped = {entry.nonce for entry in known.values() if entry.state is State.DROPPED}
        # One that was given up may yet be mined, until another entry of its nonce is.
        others = ledger.of_nonces(sorted(dropped)) if dropped else []
        freed = {entry.nonce for entry in others if entry.state in (State.INCLUDED, *MINED)}
        known = {key: e for key, e in known.items() if e.state is not State.DROPPED or e.nonce not in freed}
        return known, self._context.budget.recent(head.ts)

    def _known_ticket(
        self, transaction: Transaction, known: dict[str, Entry], failures: list[Counted], head: Head
    ) -> Ticket | None:
        """Answer from the journal and the budget; nothing when the intent is to be begun."""
        entry = known.get(transaction.key)
        if entry is not None:
            ticket = _ticket_of(entry, transaction.is_repeatable)
            if ticket is not None:
                return ticket
        refusal = self._context.budget.refusal(transaction, failures, head.ts)
        if refusal:
            return Ticket(transaction.key, outcome=Outcome(transaction.key, Result.BUDGET, refusal))
        return None


def _ticket_of(entry: Entry, is_repeatable: bool) -> Ticket | None:
    """Answer a submission whose key is in the journal; nothing when it is to be begun anew."""
    mined = entry.state in (State.INCLUDED, State.DONE) and entry.succeeded
    if entry.state in (*PENDING, State.ORPHANED, State.DROPPED) or (mined and not is_repeatable):
        outcome = None
        if entry.state is State.DONE:
            outcome = Outcome(entry.key, Result.DONE, "", entry.mined_hash, entry.block_number, cost_wei=entry.cost_wei)
        return Ticket(entry.key, entry.nonce, entry.hashes[-1], entry.state is not State.PLANNED, outcome)
    return None


def _outcome(seen: Simulation) -> Outcome:
    """Describe an intent that its simulation ended."""
    return Outcome(seen.key, seen.result, seen.reason, gas_estimate=seen.gas_estimate)
