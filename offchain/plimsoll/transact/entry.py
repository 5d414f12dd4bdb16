"""One line of the journal: an intent with the nonce it was given, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plimsoll.transact.fees import Fees
from plimsoll.transact.intent import Transaction


class State(StrEnum):
    """Life of an entry.

    ::

        planned -> sent -> included -> done | reverted
           |         |        |
           |         +--------+--> orphaned   its nonce went elsewhere: it wants a new one
           +--> dropped                       given up for another entry of its nonce
        orphaned -> replaced | failed         a new entry took over, or its effect is no longer to be had
        dropped -> replaced                   the nonce is final without it
    """

    #: Journalled and signed; no endpoint is known to have it.
    PLANNED = "planned"
    #: At least one endpoint has taken it.
    SENT = "sent"
    #: A block of the agreed chain holds it.
    INCLUDED = "included"
    ORPHANED = "orphaned"
    #: No longer pursued, but one of its transactions may still be mined.
    DROPPED = "dropped"
    DONE = "done"
    REVERTED = "reverted"
    REPLACED = "replaced"
    FAILED = "failed"


#: Holds its nonce, and no other entry may.
HOLDING = (State.PLANNED, State.SENT, State.INCLUDED)
#: Waits for a block.
PENDING = (State.PLANNED, State.SENT)
#: Answer of an entry that was given up because its effect was no longer to be had, and has its outcome.
OBSOLETE = "obsolete"
#: Something remains to be done about it.
OPEN = (*HOLDING, State.ORPHANED, State.DROPPED)
#: Final, by what was known then.
MINED = (State.DONE, State.REVERTED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One journalled intent.

    Parameters
    ----------
    row_id : int
        Number in the journal; 0 before it is written.
    revision : int
        Changes so far, so that two processes never overwrite each other.
    nonce : int
        Nonce that it was given.
    transaction : Transaction
        What is to be done.
    gas : int
        Gas limit.
    fees : Fees
        Highest fees that were signed for it.
    hashes : tuple[str, ...]
        Its transactions, oldest first.
    raw : bytes
        Newest transaction, signed.
    state : State
        Where it stands.
    answer : str
        What endpoints said when it was last sent.
    replacements : int
        Replacements of its nonce so far, those of older entries included.
    planned_ts, sent_ts, closed_ts : int
        Unix seconds; 0 before.
    planned_block, sent_block : int
        Heads at which it was planned, and last signed anew.
    block_number : int
        Block that holds it; -1 while none does.
    mined_hash : str
        Which of the transactions it holds; empty while none does.
    block_hash : str
        Its hash; kept after a reorganisation, so that it can be seen that there was one.
    succeeded : bool
        Whether it was mined with success.
    cost_wei : int
        What was paid for it.
    spent_day : int
        Days since 1970 at which it was first seen mined; -1 while it is not.
    reason : str
        Why it stands there, in words.
    """

    row_id: int
    revision: int
    nonce: int
    transaction: Transaction
    gas: int
    fees: Fees
    hashes: tuple[str, ...]
    raw: bytes
    state: State
    answer: str = ""
    replacements: int = 0
    planned_ts: int = 0
    sent_ts: int = 0
    closed_ts: int = 0
    planned_block: int = -1
    sent_block: int = -1
    block_number: int = -1
    mined_hash: str = ""
    block_hash: str = ""
    succeeded: bool = False
    cost_wei: int = 0
    spent_day: int = -1
    reason: str = ""

    @property
    def key(self) -> str:
        """Key of the intent."""
        return self.transaction.key

    @property
    def worst_cost_wei(self) -> int:
        """What it can cost while it is pending, wei."""
        return self.gas * self.fees.max_wei

    @property
    def is_filler(self) -> bool:
        """Whether it is an empty transfer that only uses up its nonce."""
        return not self.transaction.data
