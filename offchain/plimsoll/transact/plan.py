"""Gives intents their nonces: one pass over the journal, inside the signer's lock, written before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from plimsoll.chain.head import Head
from plimsoll.transact.context import Context, day_of
from plimsoll.transact.entry import PENDING, Entry, State
from plimsoll.transact.event import Notice
from plimsoll.transact.fees import Fees, replacement
from plimsoll.transact.fence import DeposedError, OvertakenError
from plimsoll.transact.ground import Ground
from plimsoll.transact.intent import Result, Ticket, Transaction, refused
from plimsoll.transact.signing import sign_call

#: Another process of the same signer may take a nonce first; nobody is that unlucky so often.
ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """An intent that is to get a nonce.

    Parameters
    ----------
    transaction : Transaction
        Intent.
    gas : int
        Gas limit.
    orphan : Entry or None
        Entry of it that lost its nonce; replaced by the new one.
    """

    transaction: Transaction
    gas: int
    orphan: Entry | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What became of intents that wanted a nonce.

    Parameters
    ----------
    tickets : list[Ticket]
        One for each, in their order.
    entries : list[Entry]
        Entries to send.
    """

    tickets: list[Ticket]
    entries: list[Entry]


def plan(context: Context, wanted: Sequence[Wanted], ground: Ground, head: Head) -> Planned:
    """Give nonces and write them down.

    Parameters
    ----------
    context : Context
        Its lock is held by the caller.
    wanted : Sequence[Wanted]
        Intents whose simulation succeeded.
    ground : Ground
        Nonces, balance and fees.
    head : Head
        Agreed head.

    Returns
    -------
    Planned
        Tickets, and what is to be sent.

    Raises
    ------
    StorageError
        When the journal cannot be written: nothing may be sent then.
    OvertakenError
        When another process of the signer was faster every time.
    """
    attempts = ATTEMPTS
    while True:
        book = _Book(context, ground, head)
        tickets = [book.place(item) for item in wanted]
        try:
            written = context.ledger.write(list(book.changed.values()), book.added)
        except DeposedError:
            raise
        except OvertakenError:
            attempts -= 1
            if not attempts:
                raise
            continue
        context.on_replaced(sum(entry.replacements > 0 for entry in book.added))
        return Planned(tickets, written[len(book.changed) :])


def signed_entry(
    context: Context, nonce: int, transaction: Transaction, gas: int, fees: Fees, head: Head, replacements: int = 0
) -> Entry:
    """Sign an intent and describe it as a new entry of the journal.

    Parameters
    ----------
    context : Context
        Signer and chain.
    nonce : int
        Nonce that it gets.
    transaction : Transaction
        Intent.
    gas : int
        Gas limit.
    fees : Fees
        Fee fields.
    head : Head
        Agreed head.
    replacements : int
        Replacements of the nonce so far.

    Returns
    -------
    Entry
        Planned, and not yet written.
    """
    signed = sign_call(context.account, context.chain_id, nonce, transaction.target, transaction.data, gas, fees)
    return Entry(
        row_id=0,
        revision=0,
        nonce=nonce,
        transaction=transaction,
        gas=gas,
        fees=fees,
        hashes=(signed.tx_hash,),
        raw=signed.raw,
        state=State.PLANNED,
        replacements=replacements,
        planned_ts=int(context.clock()),
        planned_block=head.number,
        sent_block=head.number,
    )


def raised_entry(context: Context, entry: Entry, fees: Fees, head: Head) -> Entry:
    """Sign an entry's intent anew, with the same nonce and other fees.

    Parameters
    ----------
    context : Context
        Signer and chain.
    entry : Entry
        Pending entry.
    fees : Fees
        Fee fields.
    head : Head
        Agreed head.

    Returns
    -------
    Entry
        Planned again, and not yet written.
    """
    again = signed_entry(context, entry.nonce, entry.transaction, entry.gas, fees, head, entry.replacements + 1)
    return replace(
        again,
        row_id=entry.row_id,
        revision=entry.revision,
        hashes=(*entry.hashes, *again.hashes),
        planned_ts=entry.planned_ts,
        planned_block=entry.planned_block,
        block_hash=entry.block_hash,
    )


def filler_of(context: Context, entry: Entry, fees: Fees, gas: int, head: Head) -> Entry:
    """Sign an empty transfer that takes an entry's nonce.

    Parameters
    ----------
    context : Context
        Signer and chain.
    entry : Entry
        Pending entry.
    fees : Fees
        Fee fields that replace its own.
    gas : int
        What an empty transfer needs.
    head : Head
        Agreed head.

    Returns
    -------
    Entry
        Planned, and not yet written.
    """
    transaction = Transaction(f"fill:{entry.nonce}", context.signer, b"")
    return signed_entry(context, entry.nonce, transaction, gas, fees, head, entry.replacements + 1)


class _Book:
    """The journal as it would be, while intents are placed in it."""

    def __init__(self, context: Context, ground: Ground, head: Head) -> None:
        self._context, self._ground, self._head = context, ground, head
        entries = context.ledger.open_entries()
        self._pending = {entry.nonce: entry for entry in entries if entry.state in PENDING}
        taken = context.ledger.next_nonce(head.number - context.policy.watch_blocks)
        self._next = max(ground.used, ground.queued, taken)
        self._spent_wei = context.ledger.spent_wei(day_of(head))
        #: Entries that let go, by row, and new ones.
        self.changed: dict[int, Entry] = {}
        self.added: list[Entry] = []

    def place(self, wanted: Wanted) -> Ticket:
        """Give one intent a nonce, or say why not."""
        transaction = wanted.transaction
        same = next((entry for entry in self._pending.values() if entry.key == transaction.key), None)
        if same is not None:
            self._let_go(wanted.orphan, State.REPLACED, "its key was submitted again")
            return Ticket(same.key, same.nonce, same.hashes[-1], same.state is State.SENT)
        older = self._older(transaction)
        if older is None:
            fees, nonce, replacements = self._ground.market.opening(self._context.policy), self._next, 0
        else:
            fees, nonce, replacements = self._takeover_fees(older), older.nonce, older.replacements + 1
        if fees is None:
            result = Result.TOO_EXPENSIVE if older is None else Result.WAITING
            return refused(transaction, result, "" if older is None else f"{older.key} holds nonce {older.nonce}")
        worst_wei = wanted.gas * fees.max_wei
        refusal = self._too_dear(transaction, worst_wei, nonce)
        if refusal is not None:
            return refusal
        entry = signed_entry(self._context, nonce, transaction, wanted.gas, fees, self._head, replacements)
        if older is None:
            self._next += 1
        else:
            self._let_go(older, State.DROPPED, f"{transaction.key} took its nonce")
        self._let_go(wanted.orphan, State.REPLACED, "planned anew")
        self._pending[nonce] = entry
        self.added.append(entry)
        return Ticket(entry.key, nonce, entry.hashes[-1])

    def _older(self, transaction: Transaction) -> Entry | None:
        """Return the pending entry whose nonce an intent takes over."""
        if not transaction.replaces:
            return None
        group = (e for e in self._pending.values() if e.transaction.replaces == transaction.replaces)
        return next((entry for entry in group if entry.nonce >= self._ground.used), None)

    def _takeover_fees(self, older: Entry) -> Fees | None:
        """Fees that replace an older entry, within its bounds."""
        policy = self._context.policy
        if older.replacements >= policy.max_replacements:
            return None
        return replacement(older.fees, self._ground.market, policy)

    def _too_dear(self, transaction: Transaction, worst_wei: int, nonce: int) -> Ticket | None:
        """Refuse what the day's cap or the balance does not cover."""
        context = self._context
        pending_wei = sum(entry.worst_cost_wei for entry in self._pending.values() if entry.nonce != nonce)
        cap_wei = context.policy.daily_spend_wei
        needed_wei = self._spent_wei + pending_wei + worst_wei
        if cap_wei is not None and needed_wei > cap_wei:
            reason = f"the day would cost up to {needed_wei} wei, limit {cap_wei}"
            context.say(Notice.SPEND_CAP, reason)
            return refused(transaction, Result.SPEND_CAP, reason)
        balance_wei = self._ground.balance_wei
        if context.is_starved(self._ground) or pending_wei + worst_wei > balance_wei:
            reason = f"has {balance_wei} wei, needs up to {pending_wei + worst_wei}"
            context.say(Notice.NO_FUNDS, reason)
            return refused(transaction, Result.NO_FUNDS, reason)
        return None

    def _let_go(self, entry: Entry | None, state: State, reason: str) -> None:
        """Take an entry out of the race for its nonce."""
        if entry is None:
            return
        if entry.row_id == 0:
            # It was placed by this very pass, and nothing of it is written or sent.
            self.added.remove(entry)
            return
        self.changed[entry.row_id] = replace(entry, state=state, reason=reason)
