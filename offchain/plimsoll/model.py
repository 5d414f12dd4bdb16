"""The nouns every stage shares: rounds, instruments, portfolios.

Floats here carry no scale: prices are cash per unit, volatility and rates are decimals per year,
times are unix seconds. Integers of the chain (wad) appear only in ``plimsoll.units`` and to its left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from plimsoll.errors import DomainError


class Kind(IntEnum):
    """Instrument kind; values equal ``PositionWord.sol``."""

    CALL = 0
    PUT = 1
    FUTURE = 2
    PERP = 3

    @property
    def is_option(self) -> bool:
        """Whether it is a call or a put."""
        return self in (Kind.CALL, Kind.PUT)

    @property
    def is_linear(self) -> bool:
        """Whether it is a future or a perpetual: its price is an entry, no part of its identity."""
        return not self.is_option


class Instrument(NamedTuple):
    """What can be held in one underlying, and all that tells two instruments apart.

    ``strike`` is 0 for linear instruments, ``expiry_ts`` 0 for the perpetual.
    """

    kind: Kind
    expiry_ts: int
    strike: float

    @property
    def is_option(self) -> bool:
        """Whether it is a call or a put."""
        return self.kind.is_option


class Mode(IntEnum):
    """Margin mode; values equal ``IAccounts.Mode``."""

    SINGLE = 0
    STANDARD = 1
    CROSS = 2


@dataclass(frozen=True, slots=True)
class Svi:
    """Raw SVI of total variance, ``w(k) = a + b*(rho*(k-m) + sqrt((k-m)^2 + sigma^2))``."""

    a: float
    b: float
    rho: float
    m: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Surface:
    """One expiry of a round: forward, continuously compounded rate and SVI slice.

    ``vols`` are explicit (strike, volatility) pairs; only the float margin models of other venues read them.
    """

    expiry_ts: int
    forward: float
    rate: float
    svi: Svi
    vols: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """One atomic snapshot of an underlying (risk-model section 1).

    ``surfaces`` is strictly increasing in ``expiry_ts``, at most 12 long. ``mean`` is the mean of spot since the
    settlement window of the first expiry opened, ``None`` while no window is open.
    """

    underlying: str
    ts: int
    spot: float
    perp: float
    confidence: float
    surfaces: tuple[Surface, ...]
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """Collateral token: haircuts as fractions, and either a price in cash or a link to an underlying.

    A linked token has no price of its own: it is worth ``spot*ratio`` of the underlying's round, so that no margin
    ever reads two clocks.
    """

    symbol: str
    price: float | None
    haircut: float
    linked: str | None = None
    linked_haircut: float = 0.0
    ratio: float = 1.0

    def __post_init__(self) -> None:
        if self.linked is None and self.price is None:
            raise DomainError(self.symbol, "has neither a price nor a link to an underlying")
        if self.linked is not None and self.price is not None:
            raise DomainError(self.symbol, f"is linked to {self.linked} and has no price of its own")


@dataclass(frozen=True, slots=True)
class Market:
    """Everything a margin number depends on besides the portfolio and the parameters."""

    ts: int
    tokens: Mapping[str, Token]
    rounds: Mapping[str, Round]

    def price_of(self, symbol: str) -> float:
        """Price of a token in cash: its own, or ``spot*ratio`` of the underlying it is linked to."""
        token = self.tokens[symbol]
        if token.linked is not None:
            return self.rounds[token.linked].spot * token.ratio
        if token.price is None:
            raise DomainError(symbol, "has no price")
        return token.price

    @property
    def usdc_price(self) -> float:
        """Price of the cash token, which drives the peg charge."""
        return self.price_of("USDC")


@dataclass(frozen=True, slots=True)
class Position:
    """``price`` is the strike of an option, the entry of a future or perpetual; ``expiry_ts`` 0 for a perpetual."""

    underlying: str
    kind: Kind
    expiry_ts: int
    price: float
    quantity: float

    @property
    def instrument(self) -> Instrument:
        """What is held, whatever it was entered at."""
        return Instrument(self.kind, self.expiry_ts, self.price if self.kind.is_option else 0.0)

    @property
    def identity(self) -> tuple[str, Instrument]:
        """Underlying and instrument: an account holds each once."""
        return self.underlying, self.instrument


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One account: mode, cash, collateral amounts by token symbol, positions."""

    mode: Mode
    cash: float
    collateral: Mapping[str, float] = field(default_factory=dict)
    positions: tuple[Position, ...] = ()
