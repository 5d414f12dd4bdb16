"""What a node means when it refuses a transaction: each meaning asks for something else."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Answer(StrEnum):
    """What an endpoint said to a transaction that it was sent."""

    #: It has had this very transaction.
    KNOWN = "known"
    #: It has not had it, and has it now.
    ACCEPTED = "accepted"
    #: It holds another one of this nonce, which pays as much.
    UNDERPRICED = "underpriced"
    #: The nonce is used on its chain.
    NONCE_LOW = "nonce too low"
    #: It does not queue behind a gap.
    NONCE_HIGH = "nonce too high"
    #: The signer cannot pay.
    NO_FUNDS = "insufficient funds"
    #: The fee is below what the chain asks for.
    FEE_LOW = "fee too low"
    #: No answer, so it may or may not have it.
    NONE = "no answer"
    #: No block can hold that much gas, or the limit is below the least.
    GAS = "gas limit"
    #: Refused for another reason.
    REFUSED = "refused"


#: The first phrase that a message holds says what it means; nodes of several makes, in lower case.
PHRASES: Final[tuple[tuple[str, Answer], ...]] = (
    ("already known", Answer.KNOWN),
    ("alreadyknown", Answer.KNOWN),
    ("already imported", Answer.KNOWN),
    ("known transaction", Answer.KNOWN),
    ("already exists", Answer.KNOWN),
    ("already in mempool", Answer.KNOWN),
    ("replacement", Answer.UNDERPRICED),
    ("replacenotallowed", Answer.UNDERPRICED),
    ("could not replace", Answer.UNDERPRICED),
    ("insufficient funds", Answer.NO_FUNDS),
    ("insufficientfunds", Answer.NO_FUNDS),
    ("insufficient balance", Answer.NO_FUNDS),
    ("not have enough funds", Answer.NO_FUNDS),
    ("overshot", Answer.NO_FUNDS),
    ("nonce too low", Answer.NONCE_LOW),
    ("nonce is too low", Answer.NONCE_LOW),
    ("oldnonce", Answer.NONCE_LOW),
    ("invalid nonce", Answer.NONCE_LOW),
    ("nonce too high", Answer.NONCE_HIGH),
    ("nonce gap", Answer.NONCE_HIGH),
    ("noncegap", Answer.NONCE_HIGH),
    ("underpriced", Answer.FEE_LOW),
    ("less than block base fee", Answer.FEE_LOW),
    ("feetoolow", Answer.FEE_LOW),
    ("fee too low", Answer.FEE_LOW),
    ("gas price too low", Answer.FEE_LOW),
    ("gas too low", Answer.GAS),
    ("gas too high", Answer.GAS),
    ("gas limit", Answer.GAS),
    ("gaslimit", Answer.GAS),
)


def meaning(message: str) -> Answer:
    """Say what a refusal means.

    Parameters
    ----------
    message : str
        Text of the node's error.

    Returns
    -------
    Answer
        ``REFUSED`` for a text that is none of those known.
    """
    lowered = message.lower()
    return next((answer for phrase, answer in PHRASES if phrase in lowered), Answer.REFUSED)


#: Ordered by how much an answer says about what becomes of the transaction.
_WEIGHT: Final = {answer: rank for rank, answer in enumerate(Answer)}


def strongest(answers: list[Answer]) -> Answer:
    """Sum up what several endpoints said.

    Parameters
    ----------
    answers : list[Answer]
        One per endpoint.

    Returns
    -------
    Answer
        Taken when any has taken it; refused for good only when each one says so, for one that does not answer may
        have it.
    """
    return min(answers, key=_WEIGHT.__getitem__, default=Answer.NONE)
