"""Sends entries and writes down what became of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from plimsoll.chain.head import Head
from plimsoll.transact.answers import Answer
from plimsoll.transact.broadcast import TAKEN
from plimsoll.transact.context import Context
from plimsoll.transact.entry import Entry, State
from plimsoll.transact.event import Notice
from plimsoll.transact.fence import DeposedError, OvertakenError
from plimsoll.transact.ground import Ground
from plimsoll.transact.intent import Outcome, Result

log = structlog.get_logger()

#: How often every endpoint may refuse an entry for a reason that is none of those known, before it is given up.
MOST_REFUSALS: Final = 5


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of entries that were sent.

    Parameters
    ----------
    taken : frozenset[int]
        Rows that an endpoint has taken.
    outcomes : list[Outcome]
        Intents that were given up, because no chain will ever take them.
    """

    taken: frozenset[int]
    outcomes: list[Outcome]


class Delivery:
    """Deliveries of one transactor.

    Parameters
    ----------
    context : Context
        Shared parts.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._refusals: dict[int, int] = {}

    async def deliver(self, entries: Sequence[Entry], ground: Ground | None, head: Head) -> Delivered:
        """Send entries, unless there is nothing to pay with or another keeper sends.

        Parameters
        ----------
        entries : Sequence[Entry]
            Journalled.
        ground : Ground or None
            What the signer has; ``None`` when nobody has asked yet.
        head : Head
            Agreed head.

        Returns
        -------
        Delivered
            Nothing when nothing was sent.
        """
        context = self._context
        if not entries or not context.may_send():
            return Delivered(frozenset(), [])
        if ground is not None and context.is_starved(ground):
            context.say(Notice.NO_FUNDS, f"has {ground.balance_wei} wei; the chain refused for lack of funds")
            return Delivered(frozenset(), [])
        answers = await context.broadcaster.send(entries, head)
        if Answer.NO_FUNDS in answers.values():
            context.starved_at, context.starved_sec = ground, time.monotonic()
            context.say(Notice.NO_FUNDS, "the chain refused for lack of funds")
        outcomes: list[Outcome] = []
        after = [self._after(entry, answers[entry.row_id], head, outcomes) for entry in entries]
        changed = [now for now, before in zip(after, entries, strict=True) if now is not before]
        await asyncio.to_thread(self._write, changed)
        return Delivered(frozenset(row_id for row_id, said in answers.items() if said in TAKEN), outcomes)

    def _after(self, entry: Entry, answer: Answer, head: Head, outcomes: list[Outcome]) -> Entry:
        """Say what an entry is after it was sent."""
        now_ts = int(self._context.clock())
        if answer in TAKEN:
            self._refusals.pop(entry.row_id, None)
            if entry.state is State.SENT and answer is Answer.KNOWN and entry.answer == answer:
                return entry
            # Blocks that passed it by count from when a pool has it, and a pool that takes it now did not.
            is_new = entry.state is State.PLANNED or answer is Answer.ACCEPTED
            started = head.number if is_new else entry.sent_block
            return replace(entry, state=State.SENT, answer=answer.value, sent_ts=now_ts, sent_block=started)
        if self._is_hopeless(entry, answer):
            result = Result.TOO_MUCH_GAS if answer is Answer.GAS else Result.FAILED
            reason = f"every endpoint refused it: {answer.value}"
            if not entry.is_filler:
                outcomes.append(Outcome(entry.key, result, reason))
            return replace(entry, state=State.FAILED, answer=answer.value, closed_ts=now_ts, reason=reason)
        return entry if entry.answer == answer else replace(entry, answer=answer.value)

    def _is_hopeless(self, entry: Entry, answer: Answer) -> bool:
        """Whether an entry that no endpoint has ever taken never will be."""
        if entry.state is not State.PLANNED or len(entry.hashes) > 1 or answer not in (Answer.GAS, Answer.REFUSED):
            return False
        self._refusals[entry.row_id] = self._refusals.get(entry.row_id, 0) + 1
        return answer is Answer.GAS or self._refusals[entry.row_id] >= MOST_REFUSALS

    def _write(self, changed: Sequence[Entry]) -> None:
        """Write what was learnt; an entry that somebody else changed meanwhile is theirs."""
        try:
            self._context.ledger.write(changed)
        except DeposedError as reason:
            # What was learnt too late; whoever acts now sends the same transactions again, and learns it for itself.
            log.warning("the journal is another keeper's", reason=str(reason))
        except OvertakenError:
            for entry in changed:
                try:
                    self._context.ledger.write([entry])
                except OvertakenError:
                    continue
