"""Names of instruments as venues write them: ``ETH-PERP``, ``ETH-27MAR26``, ``ETH-27MAR26-1800-C``.

A name is its underlying, the day where the kind expires, the strike of an option, and what its kind ends with. Both
directions follow from :class:`plimsoll.model.Kind`, so that a kind that is added there has a name everywhere.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from plimsoll.model import Kind


class InstrumentName(NamedTuple):
    """The parts of a name, as they are written; day and strike are empty where the kind has none."""

    underlying: str
    kind: Kind
    day: str
    strike: str

    def __str__(self) -> str:
        middle = (self.day if self.kind.has_expiry else "", self.strike if self.kind.is_option else "")
        return "-".join(part for part in (self.underlying, *middle, self.kind.ending) if part)


def _endings(kind: Kind) -> set[str]:
    """Ways in which a name of a kind ends; Deribit writes ``PERPETUAL``."""
    return {kind.ending, kind.title.upper()} if kind.ending else set()


#: What tells a kind from the next: parts behind the underlying, and the ways in which the last one is written. A day
#: alone could be any word, so that what has an ending is asked first.
_FORMS: Final = sorted(
    ((kind, kind.has_expiry + kind.is_option + bool(kind.ending), _endings(kind)) for kind in Kind),
    key=lambda form: not form[2],
)
#: One name of each kind, for messages.
EXAMPLES: Final = tuple(str(InstrumentName("ETH", kind, "27MAR26", "1800")) for kind in Kind)


def parse_name(text: str) -> InstrumentName | None:
    """Take a name apart; what day and strike say is the reader's to check.

    Parameters
    ----------
    text : str
        For example ``ETH-27MAR26-1800-P``. Capitals of the end do not matter.

    Returns
    -------
    InstrumentName or None
        ``None`` when it has the form of no kind.

    Examples
    --------
    >>> parse_name("ETH-27MAR26-1800-P").kind.word
    'put'
    >>> parse_name("ETH-27MAR26-1800") is None
    True
    """
    underlying, *parts = text.split("-")
    for kind, count, endings in _FORMS:
        if len(parts) == count and (not endings or parts[-1].upper() in endings):
            return InstrumentName(
                underlying, kind, parts[0] if kind.has_expiry else "", parts[1] if kind.is_option else ""
            )
    return None
