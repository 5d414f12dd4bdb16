"""What an operator asks of a signer, and does by hand: status, and freeing nonces that are stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from plimsoll.chain.head import Head
from plimsoll.transact.context import day_of
from plimsoll.transact.entry import PENDING, Entry, State
from plimsoll.transact.fees import Fees, raised, replacement
from plimsoll.transact.ground import Ground, survey
from plimsoll.transact.intent import Ticket
from plimsoll.transact.plan import filler_of
from plimsoll.transact.policy import Policy
from plimsoll.transact.signing import TRANSFER_GAS
from plimsoll.transact.transactor import Transactor


@dataclass(frozen=True, slots=True)
class Line:
    """One open entry, as an operator sees it.

    Parameters
    ----------
    key : str
        Intent.
    nonce : int
        Nonce that it holds, or held.
    state : State
        Where it stands.
    hashes : tuple[str, ...]
        Its transactions, oldest first.
    age_sec : int
        Since it was planned.
    max_fee_wei, tip_wei : int
        Fees of the newest transaction, per gas.
    gas : int
        Gas limit.
    replacements : int
        Replacements of its nonce.
    block_number : int
        Block that holds it; -1 while none does.
    answer : str
        What endpoints said last.
    reason : str
        Why it stands there; may be empty.
    """

    key: str
    nonce: int
    state: State
    hashes: tuple[str, ...]
    age_sec: int
    max_fee_wei: int
    tip_wei: int
    gas: int
    replacements: int
    block_number: int
    answer: str
    reason: str


@dataclass(frozen=True, slots=True)
class SignerStatus:
    """Where a signer stands.

    Parameters
    ----------
    signer : str
        Address.
    head : Head
        Agreed head.
    ground : Ground
        Nonces, balance and fees at it.
    spent_wei : int
        Paid on the head's day.
    pending_wei : int
        Worst case of what is pending.
    daily_spend_wei : int or None
        Cap on the sum of both.
    lines : list[Line]
        Open entries by nonce.
    """

    signer: str
    head: Head
    ground: Ground
    spent_wei: int
    pending_wei: int
    daily_spend_wei: int | None
    lines: list[Line]


async def status(transactor: Transactor) -> SignerStatus:
    """Say what is open, and what it costs.

    Parameters
    ----------
    transactor : Transactor
        Of the signer.

    Returns
    -------
    SignerStatus
        As of the agreed head; nothing is sent or changed.

    Raises
    ------
    UnavailableError
        When no node answers, or the database fails.
    """
    context = transactor.context
    head, ground, entries = await _survey(transactor)
    now_ts = int(context.clock())
    return SignerStatus(
        signer=context.signer,
        head=head,
        ground=ground,
        spent_wei=await asyncio.to_thread(context.ledger.spent_wei, day_of(head)),
        pending_wei=sum(entry.worst_cost_wei for entry in entries if entry.state in PENDING),
        daily_spend_wei=context.policy.daily_spend_wei,
        lines=[_line(entry, now_ts) for entry in entries],
    )


@dataclass(frozen=True, slots=True)
class Freed:
    """What was done about the nonces of a signer, and what could not be done.

    Parameters
    ----------
    tickets : list[Ticket]
        One for every nonce that something was sent for, gaps and nonces of unknown transactions included.
    left : dict[int, str]
        Nonces that are as stuck as before, each with the reason.
    """

    tickets: list[Ticket]
    left: dict[int, str]


async def unstick(transactor: Transactor, below_nonce: int | None = None, *, cancel: bool = False) -> Freed:
    """Replace, or cancel, everything pending below a nonce, whatever the number of replacements so far.

    Parameters
    ----------
    transactor : Transactor
        Of the signer.
    below_nonce : int, optional
        First nonce to leave alone; none when not given.
    cancel : bool
        Send an empty transfer instead of each, and give the intents up.

    Returns
    -------
    Freed

    Raises
    ------
    UnavailableError
        When no node answers, or the database fails.
    """
    context = transactor.context
    head, ground, entries = await _survey(transactor)
    if not context.may_send():
        return Freed([], {})
    limit = max([ground.queued, *(entry.nonce + 1 for entry in entries)]) if below_nonce is None else below_nonce
    stuck = [entry for entry in entries if entry.state in PENDING and ground.used <= entry.nonce < limit]
    fees_of = {
        entry.nonce: fees
        for entry in stuck
        if (fees := replacement(entry.fees, ground.market, context.policy)) is not None
    }
    movable = [entry for entry in stuck if entry.nonce in fees_of]
    if cancel:
        async with context.lock:
            ready = await asyncio.to_thread(_cancel, transactor, movable, fees_of, head)
        await asyncio.to_thread(_give_up, transactor, [e for e in entries if e.state is State.ORPHANED])
    else:
        ready = await transactor.pusher.write_raised([(entry, fees_of[entry.nonce]) for entry in movable], head)
    held = {entry.nonce for entry in entries if entry.state in (*PENDING, State.INCLUDED)}
    gaps: dict[int, Fees | None] = {nonce: None for nonce in range(ground.used, limit) if nonce not in held}
    ready += await transactor.pusher.write_fillers(gaps, ground, head)
    await transactor.pusher.send_again(ready, head)
    moved = {entry.nonce for entry in ready}
    tickets = [Ticket(entry.key, entry.nonce, entry.hashes[-1]) for entry in ready]
    left = {entry.nonce: _why_left(entry, context.policy) for entry in stuck if entry.nonce not in moved}
    cap = f"transact.max_fee_wei is {context.policy.max_fee_wei}"
    left |= {nonce: f"a gap: the chain asks for more per gas, {cap}" for nonce in gaps if nonce not in moved}
    return Freed(tickets, left)


def _why_left(entry: Entry, policy: Policy) -> str:
    """Say why a pending entry was not replaced."""
    needed_wei = raised(entry.fees.max_wei, policy)
    if needed_wei > policy.max_fee_wei:
        return (
            f"{entry.key}: to replace it takes {needed_wei} wei per gas, transact.max_fee_wei is {policy.max_fee_wei}"
        )
    return f"{entry.key}: was changed by somebody else meanwhile"


async def _survey(transactor: Transactor) -> tuple[Head, Ground, list[Entry]]:
    """Read chain and journal."""
    context = transactor.context
    head = await transactor.head()
    _, ground, _ = await survey(context.endpoints, context.signer, head, [])
    return head, ground, await asyncio.to_thread(context.ledger.open_entries)


def _cancel(transactor: Transactor, entries: Sequence[Entry], fees_of: dict[int, Fees], head: Head) -> list[Entry]:
    """Put an empty transfer in the place of each entry."""
    dropped = [replace(entry, state=State.DROPPED, reason="cancelled by hand") for entry in entries]
    fillers = [filler_of(transactor.context, entry, fees_of[entry.nonce], TRANSFER_GAS, head) for entry in entries]
    return transactor.context.ledger.write(dropped, fillers)[len(dropped) :]


def _give_up(transactor: Transactor, orphans: Sequence[Entry]) -> None:
    """Close intents that wait for a new nonce."""
    closed = [replace(entry, state=State.FAILED, reason="cancelled by hand") for entry in orphans]
    transactor.context.ledger.write(closed)


def _line(entry: Entry, now_ts: int) -> Line:
    """Show an entry."""
    return Line(
        key=entry.key,
        nonce=entry.nonce,
        state=entry.state,
        hashes=entry.hashes,
        age_sec=max(now_ts - entry.planned_ts, 0),
        max_fee_wei=entry.fees.max_wei,
        tip_wei=entry.fees.tip_wei,
        gas=entry.gas,
        replacements=entry.replacements,
        block_number=entry.block_number,
        answer=entry.answer,
        reason=entry.reason,
    )
