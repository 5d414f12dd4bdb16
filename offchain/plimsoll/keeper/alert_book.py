"""Which alerts are on, and which messages they are worth: no flood, no flapping, nothing forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

#: Subjects that one message names; it counts the others.
MAX_NAMED: Final = 10
#: Alerts kept apart; a crash may endanger more accounts than anybody wants to be told of one by one.
MAX_KEPT: Final = 5_000
MAX_MESSAGE: Final = 500
#: Subject of one alert for all that are not kept apart.
OTHERS: Final = "others"


class AlertKind(StrEnum):
    """What a person is told about; each has a section of its own in the runbook."""

    MARGIN_CALL = "margin-call"
    OVERDUE_LIQUIDATION = "overdue-liquidation"
    ROUND_AGE = "round-age"
    SETTLEMENT_MISSING = "settlement-missing"
    SPEND = "spend"
    DISAGREEMENT = "disagreement-with-the-chain"
    VERIFICATION = "verification-difference"
    QUIET_CHAIN = "quiet-chain"
    NODE = "node"
    FEED = "feed"
    SIGNER = "signer"
    LOW_BALANCE = "low-balance"
    TRANSACTION = "transaction"
    STANDBY_TAKEOVER = "standby-takeover"
    DATABASE = "database"
    STALLED = "stalled"
    REMOTE = "remote-chain"


#: What should wake somebody; the rest can wait for the morning.
URGENT: Final = frozenset(
    {
        AlertKind.OVERDUE_LIQUIDATION,
        AlertKind.ROUND_AGE,
        AlertKind.SPEND,
        AlertKind.DISAGREEMENT,
        AlertKind.SETTLEMENT_MISSING,
        AlertKind.DATABASE,
        AlertKind.STALLED,
    }
)
Status = Literal["firing", "resolved"]


@dataclass(frozen=True, slots=True)
class Message:
    """What a sink sends: all alerts of one kind that are due.

    Parameters
    ----------
    kind : AlertKind
    status : {"firing", "resolved"}
    subjects : tuple of str
        At most ten, such as accounts or underlyings.
    count : int
        How many there are in all.
    texts : tuple of str
        What was seen, one for each subject.
    """

    kind: AlertKind
    status: Status
    subjects: tuple[str, ...]
    count: int
    texts: tuple[str, ...]


@dataclass(slots=True)
class _Alert:
    """One subject of one kind."""

    kind: AlertKind
    subject: str
    text: str
    is_on: bool = True
    told_at: float | None = None
    owes_resolved: bool = False
    is_event: bool = False


class AlertBook:
    """Remembers what is on and what has been told.

    The same alert is told at most once per ``repeat_sec``, also when it goes off and on again in between; one that is
    still on is told again after that. A resolved message follows once for every alert that was told.

    Parameters
    ----------
    repeat_sec : float
        Shortest time between two messages about the same alert.
    """

    def __init__(self, repeat_sec: float) -> None:
        self._repeat_sec = repeat_sec
        self._alerts: dict[tuple[AlertKind, str], _Alert] = {}

    def fire(self, kind: AlertKind, subject: str, text: str, *, is_event: bool = False) -> None:
        """Note that something is wrong, or still wrong.

        Parameters
        ----------
        kind : AlertKind
        subject : str
            What it is about: an account, an underlying, a signer; together with the kind it is the alert's identity.
        text : str
            What was seen, with the number and its limit.
        is_event : bool
            Whether it happened and is over: it is told once and never resolved.
        """
        known = self._alerts.get((kind, subject))
        if known is not None:
            known.is_on, known.text, known.is_event = True, text[:MAX_MESSAGE], is_event
        elif len(self._alerts) < MAX_KEPT or subject == OTHERS:
            self._alerts[kind, subject] = _Alert(kind, subject, text[:MAX_MESSAGE], is_event=is_event)
        else:
            self.fire(kind, OTHERS, f"more than {MAX_KEPT} alerts are on; the metrics have the number")

    def resolve(self, kind: AlertKind, subject: str) -> None:
        """Note that something is well; without an alert nothing happens."""
        known = self._alerts.get((kind, subject))
        if known is not None:
            known.is_on = False

    def is_on(self, kind: AlertKind, subject: str) -> bool:
        """Return whether an alert is on."""
        known = self._alerts.get((kind, subject))
        return known is not None and known.is_on

    def subjects(self, kind: AlertKind) -> set[str]:
        """Return what alerts of a kind are on about."""
        return {alert.subject for alert in self._alerts.values() if alert.kind is kind and alert.is_on}

    def due(self, now_sec: float) -> list[Message]:
        """Return the messages to send now, one per kind and status, and count them as told.

        Parameters
        ----------
        now_sec : float
            Any clock that nobody sets.

        Returns
        -------
        list[Message]
            Resolved ones first, so that a reader ends with what is on.
        """
        if len(self._alerts) < MAX_KEPT:
            for kind in AlertKind:
                self.resolve(kind, OTHERS)
        firing, resolved = list(self._newly_on(now_sec)), list(self._newly_off())
        self._forget(now_sec)
        return [*self._grouped(resolved, "resolved"), *self._grouped(firing, "firing")]

    def _newly_on(self, now_sec: float) -> Iterator[_Alert]:
        for alert in self._alerts.values():
            is_due = alert.told_at is None or now_sec - alert.told_at >= self._repeat_sec
            if alert.is_on and is_due:
                alert.told_at, alert.owes_resolved, alert.is_on = now_sec, not alert.is_event, not alert.is_event
                yield alert

    def _newly_off(self) -> Iterator[_Alert]:
        for alert in self._alerts.values():
            if not alert.is_on and alert.owes_resolved:
                alert.owes_resolved = False
                yield alert

    def _forget(self, now_sec: float) -> None:
        """Keep what is off only for as long as it must not be told again."""
        old = [
            identity
            for identity, alert in self._alerts.items()
            if not alert.is_on and (alert.told_at is None or now_sec - alert.told_at >= self._repeat_sec)
        ]
        for identity in old:
            del self._alerts[identity]

    def _grouped(self, alerts: list[_Alert], status: Status) -> list[Message]:
        """Make one message of all alerts of a kind."""
        by_kind: dict[AlertKind, list[_Alert]] = {}
        for alert in alerts:
            by_kind.setdefault(alert.kind, []).append(alert)
        messages = []
        for kind, group in by_kind.items():
            named = group[:MAX_NAMED]
            subjects, texts = tuple(a.subject for a in named), tuple(a.text for a in named)
            messages.append(Message(kind, status, subjects, len(group), texts))
        return messages
