"""States of accounts as numbers, and why an account is in none that the mirror knows."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

from plimsoll.mirror.margin_engine import HEALTHY, INSOLVENT, LIQUIDATABLE, MARGIN_CALL


class State(IntEnum):
    """State of an account (risk-model section 6); ``UNKNOWN`` is what the chain must be asked about."""

    HEALTHY = 0
    MARGIN_CALL = 1
    LIQUIDATABLE = 2
    INSOLVENT = 3
    UNKNOWN = 4


#: As the plain mirror calls them.
WORDS: Final = {
    State.HEALTHY: HEALTHY,
    State.MARGIN_CALL: MARGIN_CALL,
    State.LIQUIDATABLE: LIQUIDATABLE,
    State.INSOLVENT: INSOLVENT,
}


class Reason(IntFlag):
    """Why an account is unknown; several may hold."""

    NONE = 0
    #: An underlying has no round, or the id no name.
    NO_ROUND = 1
    #: The round does not list the expiry.
    NO_EXPIRY = 2
    #: The settlement window is open and the round carries no mean.
    NO_MEAN = 4
    #: A token has no price, or the id no name.
    NO_TOKEN = 8
    #: The rows that governance stored are none that a book may have.
    NO_BOOK = 16
    #: The record itself: a number outside what a contract can hold, an instrument twice, a mode or kind that is none.
    BAD_RECORD = 32
    #: A result is not a finite number.
    NOT_FINITE = 64
    #: A token whose worth bends: its holders are few, and the plain mirror or the chain is asked about each.
    BENT = 128


def explained(reason: int) -> str:
    """Say why in words, for a log or an alert."""
    texts = {
        Reason.NO_ROUND: "no round of an underlying",
        Reason.NO_EXPIRY: "an expiry that the round does not list",
        Reason.NO_MEAN: "a settlement window without a mean",
        Reason.NO_TOKEN: "a token without a price",
        Reason.NO_BOOK: "scenario rows that are no book",
        Reason.BAD_RECORD: "a record that no contract could hold",
        Reason.NOT_FINITE: "a result that is no finite number",
        Reason.BENT: "a token whose worth bends",
    }
    return ", ".join(text for flag, text in texts.items() if reason & flag) or "nothing"
