"""What speaks against a message, as typed reasons: for logs, metrics, and the answer of a signer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What is wrong with a message; the names are labels of metrics and stay."""

    MALFORMED = "malformed"
    FROM_FUTURE = "from-future"
    STALE = "stale"
    NOT_NEWER = "not-newer"
    OUT_OF_DOMAIN = "out-of-domain"
    WINDOWS_OVERLAP = "windows-overlap"
    TOO_FAST = "too-fast"
    BUTTERFLY = "butterfly"
    CALENDAR = "calendar"
    FORWARD = "forward"
    CARRY = "carry"
    PERPETUAL = "perpetual"
    OUTSIDE_QUOTES = "outside-quotes"
    CONFIDENCE = "confidence"
    MEAN = "mean"
    DISAGREES = "disagrees"
    UNCONFIRMED = "unconfirmed"
    UNKNOWN_EXPIRY = "unknown-expiry"
    LEFT_OUT = "left-out"
    UNKNOWN_TOKEN = "unknown-token"  # noqa: S105 (a word of ours, no secret)
    NO_OWN_DATA = "no-own-data"
    NOT_EXPIRED = "not-expired"
    SETTLED = "settled"
    SAMPLES = "samples"
    SIGNED_OTHERWISE = "signed-otherwise"
    CHAIN = "chain"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks against a message.

    Attributes
    ----------
    code : Code
    subject : str
        Field, token or expiry that is concerned.
    observed, limit : float
        What was seen, and what would have passed; NaN where no number decided.
    expiry_ts : int
        Expiry whose numbers are concerned; 0 when it is the whole message.
    """

    code: Code
    subject: str
    observed: float = float("nan")
    limit: float = float("nan")
    expiry_ts: int = 0

    def __str__(self) -> str:
        at = f" of {self.expiry_ts}" if self.expiry_ts else ""
        numbers = "" if self.observed != self.observed else f" {self.observed:.6g}, the limit is {self.limit:.6g}"
        return f"{self.code}: {self.subject}{at}{numbers}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that speaks against a message; it passes when nothing does."""

    reasons: tuple[Reason, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether it may be signed."""
        return not self.reasons

    def joined(self, more: Iterable[Reason]) -> Verdict:
        """Return a verdict with more reasons."""
        return Verdict((*self.reasons, *more))

    def bad_expiries(self) -> frozenset[int] | None:
        """Return the expiries without which the message would pass; ``None`` when it would not."""
        if any(not reason.expiry_ts for reason in self.reasons):
            return None
        return frozenset(reason.expiry_ts for reason in self.reasons)

    def __str__(self) -> str:
        return "; ".join(map(str, self.reasons)) or "passes"
