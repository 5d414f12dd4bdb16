"""What the transactor is given, and what it says about it: transactions, tickets, simulations, outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: Decimals of the coin that a chain charges gas in.
COIN_DECIMALS: Final = 18


class Result(StrEnum):
    """How an intent ended, or why it was not begun."""

    #: Mined, and final.
    DONE = "done"
    #: Somebody else achieved the effect.
    ALREADY_DONE = "already done"
    #: Mined without effect, and paid for.
    REVERTED = "reverted"
    #: Would revert now; nothing was sent.
    FAILED = "failed"
    #: Needs more gas than one transaction may use: the caller has to split it.
    TOO_MUCH_GAS = "too much gas"
    #: It, or its account, failed too often of late.
    BUDGET = "failure budget spent"
    #: The day's spend cap does not cover its worst case.
    SPEND_CAP = "spend cap"
    #: The chain asks for more per gas than the policy allows.
    TOO_EXPENSIVE = "too expensive"
    #: The signer cannot pay for its worst case.
    NO_FUNDS = "no funds"
    #: An older intent of the group holds the nonce and may not be replaced again: come back.
    WAITING = "waiting"
    #: Another keeper is the one that sends.
    STANDBY = "standby"
    #: The chain's head is older than the policy allows.
    STALE = "stale head"
    #: No node answered what has to be known before sending.
    UNAVAILABLE = "unavailable"
    #: A newer intent of its group, or a cancellation, took its nonce.
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Transaction:
    """An encoded intent.

    Parameters
    ----------
    key : str
        Names the effect and never the time at which it was decided, so that a retry and a second keeper give the same
        effect the same key, and failures add up.
    target : str
        Contract address.
    data : bytes
        Call data.
    already_done : frozenset[str]
        Custom errors which say that somebody else achieved the effect.
    account : str
        Whose failure budget it counts against, besides its own; empty for none.
    replaces : str
        Group of which only the newest intent matters; it takes the nonce of an older one that is pending. Empty for
        none.
    is_private : bool
        Goes to the private relay first, where there is one.
    is_repeatable : bool
        The effect may be wanted again after it was achieved (an auction of one account); without it a journalled
        success answers every later submission of the key.
    """

    key: str
    target: str
    data: bytes
    already_done: frozenset[str] = frozenset()
    account: str = ""
    replaces: str = ""
    is_private: bool = False
    is_repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a transaction would do at the agreed head.

    Parameters
    ----------
    key : str
        Intent.
    result : Result
        ``DONE`` when it would succeed; ``ALREADY_DONE``, ``FAILED``, ``TOO_MUCH_GAS``, ``TOO_EXPENSIVE`` or
        ``UNAVAILABLE`` otherwise.
    reason : str
        Error of the contract or the node; empty on success.
    gas_estimate : int
        What the node says it uses; 0 when it does not.
    gas : int
        Limit that it would be sent with; 0 when it would not be.
    cost_wei : int
        What it would most likely cost.
    worst_cost_wei : int
        What it could cost at most.
    """

    key: str
    result: Result
    reason: str = ""
    gas_estimate: int = 0
    gas: int = 0
    cost_wei: int = 0
    worst_cost_wei: int = 0

    @property
    def succeeds(self) -> bool:
        """Whether sending it would achieve something."""
        return self.result is Result.DONE


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an intent ended.

    Parameters
    ----------
    key : str
        Intent.
    result : Result
        How.
    reason : str
        Why, where it is no success.
    tx_hash : str
        Transaction that was mined; empty when none was.
    block_number : int
        Its block; -1 when none was mined.
    gas_estimate : int
        Gas of the simulation, where it decided; 0 otherwise.
    cost_wei : int
        What was paid for it.
    """

    key: str
    result: Result
    reason: str = ""
    tx_hash: str = ""
    block_number: int = -1
    gas_estimate: int = 0
    cost_wei: int = 0

    @property
    def done(self) -> bool:
        """Whether the effect is there."""
        return self.result in (Result.DONE, Result.ALREADY_DONE)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Answer to a submission.

    Parameters
    ----------
    key : str
        Intent.
    nonce : int or None
        Nonce that it holds; ``None`` when nothing was journalled.
    tx_hash : str
        Newest transaction; empty when nothing was journalled.
    is_sent : bool
        Whether an endpoint has taken it; a journalled one that none has taken is sent again at the next advance.
    outcome : Outcome or None
        Set when the submission ended the intent at once.
    """

    key: str
    nonce: int | None = None
    tx_hash: str = ""
    is_sent: bool = False
    outcome: Outcome | None = None


def refused(transaction: Transaction, result: Result, reason: str) -> Ticket:
    """Answer that an intent was not begun.

    Parameters
    ----------
    transaction : Transaction
        What was asked for.
    result : Result
        How it ended.
    reason : str
        Why.

    Returns
    -------
    Ticket
        Without a nonce.
    """
    return Ticket(transaction.key, outcome=Outcome(transaction.key, result, reason))


def coins(amount_wei: int) -> str:
    """Write an amount of wei in whole coins of the chain.

    Parameters
    ----------
    amount_wei : int
        Amount, not negative.

    Returns
    -------
    str
        Exact decimal text without trailing zeros.
    """
    digits = str(amount_wei).rjust(COIN_DECIMALS + 1, "0")
    return f"{digits[:-COIN_DECIMALS]}.{digits[-COIN_DECIMALS:]}".rstrip("0").rstrip(".")
