"""What a source said at one time, and what was left out of it with the reason.

A source never fails as a whole because a part of it is wrong: what it could read is in the reading, what it could not
is a problem that names it. Only a source that cannot be reached at all raises.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from plimsoll.errors import DomainError, UnavailableError
from plimsoll.market.fit.bands import Bands
from plimsoll.model import MAX_PRICE, MAX_TS, MIN_PRICE, Round

#: Time, unix seconds, and spot in cash.
Sample = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a source should have said and did not.

    Attributes
    ----------
    source : str
        Who should have said it.
    subject : str
        Underlying, token, expiry or instrument that is concerned.
    reason : str
        What is wrong, with the observed value and the limit.
    """

    source: str
    subject: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source} {self.subject}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Price:
    """One price in cash at one time, unix seconds."""

    ts: int
    value: float

    def __post_init__(self) -> None:
        if not 1 <= self.ts <= MAX_TS:
            raise DomainError("price", f"{self.ts} is no time in seconds; the limit is {MAX_TS} (milliseconds?)")
        if not MIN_PRICE <= self.value <= MAX_PRICE:
            raise DomainError("price", f"{self.value:g} is outside [{MIN_PRICE:g}, {MAX_PRICE:g}]")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source said.

    Attributes
    ----------
    rounds : Mapping[str, Round]
        By underlying.
    spots : Mapping[str, Price]
        Spot by underlying, of sources that know no options; a source with rounds need not repeat theirs.
    tokens : Mapping[str, Price]
        Market prices in cash by token symbol.
    bands : Mapping[str, Mapping[int, Bands]]
        What bid and ask of listed options allow, by underlying and expiry; of sources that see quotes.
    problems : tuple[Problem, ...]
        What is missing, and why.
    backed : frozenset of str
        Numbers that two sources or more agree on, see :func:`number_of`.
    """

    rounds: Mapping[str, Round] = field(default_factory=dict)
    spots: Mapping[str, Price] = field(default_factory=dict)
    tokens: Mapping[str, Price] = field(default_factory=dict)
    bands: Mapping[str, Mapping[int, Bands]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    backed: frozenset[str] = frozenset()

    def spot_of(self, underlying: str) -> Price | None:
        """Return the spot of an underlying, its round's before any other; ``None`` when the source has none."""
        found = self.rounds.get(underlying)
        return self.spots.get(underlying) if found is None else Price(found.ts, found.spot)

    def underlyings(self) -> list[str]:
        """Return the underlyings that have a round or a spot, sorted."""
        return sorted({*self.rounds, *self.spots})


def number_of(symbol: str, name: str, expiry_ts: int = 0) -> str:
    """Return what one number of a reading is called.

    Parameters
    ----------
    symbol : str
        Underlying or token.
    name : str
        Field, as the speed limit names it; ``token`` for the price of a token.
    expiry_ts : int
        Expiry that it belongs to, 0 for none.

    Returns
    -------
    str
    """
    return f"{symbol} {name} {expiry_ts}" if expiry_ts else f"{symbol} {name}"


class SourceError(UnavailableError):
    """A source could not be read at all."""


class Source(Protocol):
    """Where rounds, spots and token prices come from."""

    @property
    def name(self) -> str:
        """Name in problems, logs and metrics; never with a password or a token of an address."""
        ...

    async def read(self, required: Mapping[str, Collection[int]]) -> Reading:
        """Return the newest of everything the source knows.

        Parameters
        ----------
        required : Mapping[str, Collection[int]]
            Expiries that positions hold, by underlying.

        Returns
        -------
        Reading

        Raises
        ------
        SourceError
            When the source cannot be read at all.
        """
        ...

    async def samples(self, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
        """Return the history of spot in the settlement window of an expiry.

        Parameters
        ----------
        underlying : str
            Symbol.
        expiry_ts : int
            Unix seconds.

        Returns
        -------
        tuple[Sample, ...]
            Increasing, in ``(expiry_ts - 1800, expiry_ts]``; empty when the source keeps no history.

        Raises
        ------
        SourceError
            When the source cannot be read.
        """
        ...

    def covers(self, symbol: str) -> bool:
        """Return whether the source is expected to price an underlying or a token; its silence then counts.

        Parameters
        ----------
        symbol : str
            Underlying or token.

        Returns
        -------
        bool
            A source that cannot know beforehand covers everything until it has answered, then what it has priced once.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class NoSource:
    """A source that says nothing: its keeper settles and liquidates on what others post."""

    name = "none"

    async def read(self, required: Mapping[str, Collection[int]]) -> Reading:
        """Return nothing."""
        return Reading()

    async def samples(self, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
        """Return nothing."""
        return ()

    def covers(self, symbol: str) -> bool:
        """Cover nothing."""
        return False

    async def close(self) -> None:
        """Do nothing."""
