"""What is to be sent for pending entries: again, replaced, or to fill a gap. A pure decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from plimsoll.transact.answers import Answer
from plimsoll.transact.entry import HOLDING, PENDING, Entry, State
from plimsoll.transact.event import Event, Notice
from plimsoll.transact.fees import Fees, replacement
from plimsoll.transact.policy import Policy
from plimsoll.transact.sighting import Sighting

#: Gaps filled in one advance.
MOST_FILLED: Final = 16
#: A node that does not show a transaction which it took may be one of several behind one address.
UNKNOWN_PATIENCE: Final = 3


@dataclass(frozen=True, slots=True)
class Pushes:
    """What to send.

    Parameters
    ----------
    again : list[Entry]
        Newest transaction once more, as it is.
    raised : list[tuple[Entry, Fees]]
        To be signed with these fees, of the same nonce.
    gaps : list[int]
        Nonces for an empty transfer.
    events : list[Event]
        For the operator.
    """

    again: list[Entry]
    raised: list[tuple[Entry, Fees]]
    gaps: list[int]
    events: list[Event]


def pursue(
    entries: Sequence[Entry], sighting: Sighting, head_number: int, policy: Policy, room_wei: int | None, signer: str
) -> Pushes:
    """Decide what to send for what waits for a block.

    Parameters
    ----------
    entries : Sequence[Entry]
        Unfinished entries.
    sighting : Sighting
        What the chain shows of them.
    head_number : int
        Agreed head.
    policy : Policy
        Bounds.
    room_wei : int or None
        What the day's spend cap leaves for raises; ``None`` for no cap.
    signer : str
        Address, for events.

    Returns
    -------
    Pushes
        Every pending entry is in at most one of the lists.
    """
    pushes = Pushes([], [], [], [])
    waiting = [entry for entry in entries if entry.state in PENDING and entry.nonce >= sighting.ground.used]
    for entry in sorted(waiting, key=lambda item: item.nonce):
        if _is_foreign(entry, entries):
            text = f"nonce {entry.nonce} is held in the pool by an unknown transaction"
            pushes.events.append(Event(Notice.FOREIGN_NONCE, signer, text, entry.key))
        fees = None
        if _is_due(entry, entries, sighting, head_number, policy):
            fees = raise_of(entry, sighting, policy, room_wei)
            if fees is None:
                text = f"nonce {entry.nonce} pends at {entry.fees.max_wei} wei, {entry.replacements} replacements"
                pushes.events.append(Event(Notice.AT_CAP, signer, text, entry.key))
        if fees is not None:
            pushes.raised.append((entry, fees))
            if room_wei is not None:
                room_wei -= entry.gas * (fees.max_wei - entry.fees.max_wei)
        elif entry.state is State.PLANNED or entry.hashes[-1] not in sighting.known:
            pushes.again.append(entry)
    pushes.gaps.extend(_gaps(entries, sighting, signer, pushes.events))
    return pushes


def raise_of(entry: Entry, sighting: Sighting, policy: Policy, room_wei: int | None) -> Fees | None:
    """Fees of an entry's next transaction.

    Parameters
    ----------
    entry : Entry
        Pending entry.
    sighting : Sighting
        Balance and market.
    policy : Policy
        Bounds.
    room_wei : int or None
        What the day's spend cap leaves.

    Returns
    -------
    Fees or None
        ``None`` when the cap on fees, on replacements, on the day's spend, or the balance does not allow another.
    """
    if entry.replacements >= policy.max_replacements:
        return None
    fees = replacement(entry.fees, sighting.ground.market, policy)
    if fees is None or entry.gas * fees.max_wei > sighting.ground.balance_wei:
        return None
    more_wei = entry.gas * (fees.max_wei - entry.fees.max_wei)
    return None if room_wei is not None and more_wei > room_wei else fees


def _is_due(entry: Entry, entries: Sequence[Entry], sighting: Sighting, head_number: int, policy: Policy) -> bool:
    """Whether a pending entry needs more than to be sent again."""
    covered = sighting.ground.market.covers(entry.fees)
    if entry.answer == Answer.FEE_LOW and not covered:
        return True
    if entry.answer == Answer.UNDERPRICED and not _is_foreign(entry, entries):
        return True
    if entry.state is State.PLANNED and covered and entry.answer != Answer.UNDERPRICED:
        # No pool has it, and its fee is not why.
        return False
    # Pools put out what the base fee has left behind; one that is not shown for another reason may be there yet.
    known = entry.hashes[-1] in sighting.known or entry.answer == Answer.UNDERPRICED or not covered
    patience = policy.bump_after_blocks * (1 if known else UNKNOWN_PATIENCE)
    if head_number - entry.sent_block < patience:
        return False
    # What stands behind another nonce waits for that one and not for a fee, unless its own fee is too low as well.
    return entry.nonce == sighting.ground.used or not covered


def _is_foreign(entry: Entry, entries: Sequence[Entry]) -> bool:
    """Whether a pool refuses an entry for a transaction that is not ours."""
    own = sum(len(other.hashes) for other in entries if other.nonce == entry.nonce)
    return entry.answer == Answer.UNDERPRICED and own == 1


def _gaps(entries: Sequence[Entry], sighting: Sighting, signer: str, events: list[Event]) -> list[int]:
    """Return nonces that nobody holds, although a later one waits behind them."""
    held = {entry.nonce for entry in entries if entry.state in HOLDING}
    if not held:
        return []
    missing = [nonce for nonce in range(sighting.ground.used, max(held)) if nonce not in held][:MOST_FILLED]
    foreign = [nonce for nonce in missing if nonce < sighting.ground.queued]
    if foreign:
        text = f"nonce {foreign[0]} is held in the pool by an unknown transaction"
        events.append(Event(Notice.FOREIGN_NONCE, signer, text))
    return [nonce for nonce in missing if nonce >= sighting.ground.queued]
