"""What an operator is told while transactions are under way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Notice(StrEnum):
    """Kinds of events; each is raised once until its cause has gone."""

    NO_FUNDS = "no funds"
    SPEND_CAP = "spend cap"
    REOPENED = "reopened"
    FOREIGN_NONCE = "foreign nonce"
    AT_CAP = "at the cap"
    CLOCK_SKEW = "clock skew"
    GAP = "nonce gap"
    RECEIPT_MISSING = "receipt missing"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person should know.

    Parameters
    ----------
    notice : Notice
        Kind.
    signer : str
        Address it is about.
    message : str
        What was seen, with the number and its limit.
    key : str
        Intent it is about; empty when it is about the signer.
    """

    notice: Notice
    signer: str
    message: str
    key: str = ""
