"""What a sighting of the chain means for the journal: a pure step from entries to entries, outcomes and events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from plimsoll.constants import DAY_SEC
from plimsoll.transact.entry import HOLDING, MINED, OBSOLETE, PENDING, Entry, State
from plimsoll.transact.event import Event, Notice
from plimsoll.transact.intent import Outcome, Result
from plimsoll.transact.sighting import BlockId, Mined, Sighting


@dataclass(slots=True)
class Followed:
    """What changed.

    Parameters
    ----------
    entries : dict[int, Entry]
        All entries as they now stand, by row.
    rows : dict[int, list[int]]
        Rows of each nonce.
    changed : dict[int, Entry]
        Those that differ, by row.
    outcomes : list[Outcome]
        Intents that ended.
    reverted : list[Entry]
        Entries that were just seen mined without effect.
    events : list[Event]
        For the operator.
    """

    entries: dict[int, Entry]
    rows: dict[int, list[int]] = field(default_factory=dict)
    changed: dict[int, Entry] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    reverted: list[Entry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Sort the rows by nonce."""
        for row_id, entry in self.entries.items():
            self.rows.setdefault(entry.nonce, []).append(row_id)

    def put(self, entry: Entry) -> None:
        """Set an entry as it now stands."""
        self.entries[entry.row_id] = self.changed[entry.row_id] = entry

    def at_nonce(self, entry: Entry) -> list[Entry]:
        """Return the other entries of an entry's nonce."""
        return [self.entries[row_id] for row_id in self.rows[entry.nonce] if row_id != entry.row_id]

    def in_order(self) -> list[Entry]:
        """Return the changes so that a nonce is let go before it is taken."""
        return sorted(self.changed.values(), key=lambda entry: entry.state in HOLDING)


def follow(
    entries: Sequence[Entry], sighting: Sighting, final_number: int, lost: Iterable[int], now_ts: int, signer: str
) -> Followed:
    """Bring the journal in line with the chain.

    Parameters
    ----------
    entries : Sequence[Entry]
        Unfinished entries; and of the nonces of blocks that went, the finished ones too.
    sighting : Sighting
        What the chain shows of them.
    final_number : int
        Last final block.
    lost : Iterable[int]
        Nonces that an unknown transaction has used.
    now_ts : int
        Time of the head, unix seconds.
    signer : str
        Address, for events.

    Returns
    -------
    Followed
        Entries to write, outcomes and events.
    """
    step = Followed({entry.row_id: entry for entry in entries})
    _reopen(step, sighting.gone, signer)
    _include(step, sighting.mined, now_ts)
    _lose(step, set(lost), now_ts, signer)
    _finish(step, final_number, now_ts)
    return step


def _reopen(step: Followed, gone: frozenset[BlockId], signer: str) -> None:
    """Pursue again what was in a block that is no longer there, whatever state it had reached."""
    for entry in list(step.entries.values()):
        if entry.state not in (State.INCLUDED, *MINED) or (entry.block_number, entry.block_hash) not in gone:
            continue
        siblings = step.at_nonce(entry)
        for other in siblings:
            if other.state is State.REPLACED:
                # Its transaction may still be in a pool, and the nonce is free again.
                step.put(replace(other, state=State.DROPPED, reason="its nonce is free again after a reorganisation"))
        held = any(other.state in HOLDING for other in siblings)
        text = f"block {entry.block_number} {entry.block_hash} with it was reorganised away"
        state = State.ORPHANED if held else State.PLANNED
        fresh = replace(entry, block_number=-1, mined_hash="", succeeded=False, cost_wei=0, spent_day=-1, closed_ts=0)
        step.put(replace(fresh, state=state, answer="", reason=text))
        step.events.append(Event(Notice.REOPENED, signer, text, entry.key))


def _include(step: Followed, mined: dict[str, Mined], now_ts: int) -> None:
    """Note what a block holds, and that its nonce is no longer to be had by others."""
    for entry in list(step.entries.values()):
        receipt = next((mined[tx_hash] for tx_hash in entry.hashes if tx_hash in mined), None)
        if receipt is None or entry.state in (State.INCLUDED, *MINED):
            continue
        for other in step.at_nonce(entry):
            if other.state in PENDING:
                state = State.REPLACED if other.is_filler else State.ORPHANED
                step.put(replace(other, state=state, reason=f"its nonce {entry.nonce} went to {entry.key}"))
        after = replace(
            entry,
            state=State.INCLUDED,
            block_number=receipt.block_number,
            block_hash=receipt.block_hash,
            succeeded=receipt.succeeded,
            cost_wei=receipt.cost_wei(entry.fees.max_wei),
            spent_day=now_ts // DAY_SEC,
            mined_hash=receipt.tx_hash,
            reason="",
        )
        step.put(after)
        if not receipt.succeeded and not entry.is_filler:
            step.reverted.append(after)


def _lose(step: Followed, lost: set[int], now_ts: int, signer: str) -> None:
    """Let go of nonces that went to a transaction which is not in the journal."""
    for entry in list(step.entries.values()):
        if entry.nonce not in lost or entry.state not in (*PENDING, State.DROPPED):
            continue
        text = f"nonce {entry.nonce} was used by an unknown transaction"
        if entry.state is State.DROPPED or entry.is_filler:
            step.put(replace(entry, state=State.REPLACED, closed_ts=now_ts, reason=text))
        else:
            step.put(replace(entry, state=State.ORPHANED, reason=text))
            step.events.append(Event(Notice.FOREIGN_NONCE, signer, text, entry.key))


def _finish(step: Followed, final_number: int, now_ts: int) -> None:
    """Close what is final, and what has lost its nonce for good to what is final."""
    for entry in list(step.entries.values()):
        if entry.state is not State.INCLUDED or entry.block_number > final_number:
            continue
        state = State.DONE if entry.succeeded else State.REVERTED
        step.put(replace(entry, state=state, closed_ts=now_ts))
        # What was mined without effect has its outcome since it was seen in a block.
        if entry.succeeded and not entry.is_filler:
            step.outcomes.append(_outcome(entry, Result.DONE))
        for other in step.at_nonce(entry):
            if other.state is State.DROPPED:
                step.put(replace(other, state=State.REPLACED, closed_ts=now_ts))
                if not other.is_filler and other.answer != OBSOLETE:
                    step.outcomes.append(Outcome(other.key, Result.REPLACED, other.reason))


def _outcome(entry: Entry, result: Result) -> Outcome:
    """Describe how an entry ended."""
    return Outcome(entry.key, result, "", entry.mined_hash, entry.block_number, cost_wei=entry.cost_wei)
