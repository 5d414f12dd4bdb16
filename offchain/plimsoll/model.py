"""The nouns every stage shares: rounds, instruments, portfolios. Each refuses what no contract could hold.

What is checked here is what a noun knows of itself; what needs the market beside it (an expiry that is listed) is
checked by the readers of files, which also name the key, and by the engine.

Floats here carry no scale: prices are cash per unit, volatility and rates are decimals per year,
times are unix seconds. Integers of the chain (wad) appear only in ``plimsoll.units`` and to its left.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import pairwise
from typing import Final, NamedTuple, Self

from plimsoll.errors import DomainError

#: Prices in cash: one wad to what every fixed-point product of the contracts still holds.
MIN_PRICE: Final = 1e-18
MAX_PRICE: Final = 1e12
#: Cash; 72 bits of 1e-8 hold 2.36e13, less room for rounding. Strikes and entries.
MAX_STORED_PRICE: Final = 2.3e13
#: 128 bits of wad hold 1.7e20.
MAX_QUANTITY: Final = 1e15
#: One wad.
MIN_QUANTITY: Final = 1e-18
MAX_CASH: Final = 1e18
MAX_RATE: Final = 9.0
MAX_RATIO: Final = 1e6
#: Liquidity over all prices of a pool ends far above the prices that anything is valued at.
MAX_RANGE_PRICE: Final = 1e60
MAX_EXPIRIES: Final = 12
MAX_POSITIONS: Final = 128
#: The token that cash is held in.
CASH_SYMBOL: Final = "USDC"
#: 40 bits of seconds; a time in milliseconds is beyond them.
MAX_TS: Final = 2**40 - 1
#: Largest double: what is within it is finite.
_HUGE: Final = sys.float_info.max
#: Rounding of a double: a slice that touches zero variance exactly is inside the domain.
_VARIANCE_SLACK: Final = 2e-18


def _within(source: str, name: str, value: float, low: float, high: float, *, open_low: bool = False) -> None:
    """Refuse what is not a finite number from ``low`` to ``high``; NaN is inside no interval."""
    if not (low < value if open_low else low <= value) or not value <= high:
        left = "(" if open_low else "["
        raise DomainError(source, f"{name} is {value:g}, outside {left}{low:g}, {high:g}]")


def _time(source: str, name: str, value: int, low: int = 1) -> None:
    """Refuse what is no whole number of unix seconds."""
    if isinstance(value, bool) or value != int(value) or not low <= value <= MAX_TS:
        hint = " (milliseconds?)" if value > MAX_TS else ""
        raise DomainError(source, f"{name} is {value}{hint}, no time in unix seconds from {low} to {MAX_TS}")


class Kind(IntEnum):
    """Instrument kind, and the one place off chain that knows what a kind is: everybody else asks its answers.

    Values equal ``PositionWord.sol``. ``tools/lint/kinds.py`` refuses code elsewhere that decides by a member.
    """

    CALL = 0
    PUT = 1
    FUTURE = 2
    PERP = 3

    @property
    def is_option(self) -> bool:
        """Whether it is a call or a put: its price is a strike and a part of what it is."""
        return self in (Kind.CALL, Kind.PUT)

    @property
    def is_call(self) -> bool:
        """Whether it is an option to buy; of an option that is none, a put."""
        return self is Kind.CALL

    @property
    def is_linear(self) -> bool:
        """Whether it is a future or a perpetual: its price is an entry, no part of its identity."""
        return not self.is_option

    @property
    def has_expiry(self) -> bool:
        """Whether it settles one day; a perpetual does not."""
        return self is not Kind.PERP

    @property
    def pays_funding(self) -> bool:
        """Whether holders pay each other funding, whose index an account keeps for each underlying."""
        return self is Kind.PERP

    @property
    def word(self) -> str:
        """Its name in files and for people: ``call``, ``put``, ``future``, ``perp``."""
        return self.name.lower()

    @property
    def title(self) -> str:
        """Its name for people where there is room: ``perpetual`` instead of ``perp``."""
        return _TITLES[self]

    @property
    def ending(self) -> str:
        """Last part of an instrument's name, ``C`` in ``ETH-27MAR26-1800-C``; empty for a future."""
        return _ENDINGS[self]

    @classmethod
    def of(cls, word: str) -> Self:
        """Return the kind whose :attr:`word` it is.

        Parameters
        ----------
        word : str
            ``call``, ``put``, ``future`` or ``perp``.

        Returns
        -------
        Kind

        Raises
        ------
        KeyError
            When no kind has it.
        """
        return cls[word.upper()]


_TITLES: Final = {Kind.CALL: "call", Kind.PUT: "put", Kind.FUTURE: "future", Kind.PERP: "perpetual"}
_ENDINGS: Final = {Kind.CALL: "C", Kind.PUT: "P", Kind.FUTURE: "", Kind.PERP: "PERP"}
#: Kinds of one sort, to compare a column of kinds with: ``np.isin(column, OPTIONS)``.
OPTIONS: Final = tuple(kind for kind in Kind if kind.is_option)
CALLS: Final = tuple(kind for kind in Kind if kind.is_call)
FUNDED: Final = tuple(kind for kind in Kind if kind.pays_funding)


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
    """Raw SVI of total variance, ``w(k) = a + b*(rho*(k-m) + sqrt((k-m)^2 + sigma^2))``.

    Five numbers, which a fit may try anywhere; only those inside the domain make a :class:`Surface`.
    """

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    @property
    def least_variance(self) -> float:
        """Smallest total variance of all strikes."""
        return self.a + self.b * self.sigma * math.sqrt(1.0 - self.rho**2)

    def check(self, source: str) -> None:
        """Refuse numbers that are no variance; a surface does so by itself.

        What a signed round may hold is narrower (risk-model section 1): a market under stress, which nobody can post,
        may have steeper wings.

        Parameters
        ----------
        source : str
            What the slice belongs to, for the message.

        Raises
        ------
        DomainError
            When a number is not finite or outside its interval, or the variance is negative somewhere.
        """
        _within(source, "a", self.a, -_HUGE, _HUGE)
        _within(source, "b", self.b, 0.0, _HUGE)
        _within(source, "m", self.m, -_HUGE, _HUGE)
        _within(source, "sigma", self.sigma, 0.0, _HUGE, open_low=True)
        if not -1.0 < self.rho < 1.0:
            raise DomainError(source, f"rho is {self.rho:g}, outside (-1, 1)")
        least = self.least_variance
        if least < -_VARIANCE_SLACK:
            message = f"the smallest total variance a + b*sigma*sqrt(1-rho^2) is {least:g}, it must be at least 0"
            raise DomainError(source, message)


@dataclass(frozen=True, slots=True)
class Surface:
    """One expiry of a round: forward, continuously compounded rate and SVI slice.

    ``vols`` are explicit (strike, volatility) pairs, and ``confidence`` is the least of its forward, rate and
    volatilities, where a venue has one for each; only the float margin models of other venues read them.
    """

    expiry_ts: int
    forward: float
    rate: float
    svi: Svi
    vols: tuple[tuple[float, float], ...] = ()
    confidence: float = 1.0

    def __post_init__(self) -> None:
        _time("surface", "expiry_ts", self.expiry_ts)
        source = f"surface of {self.expiry_ts}"
        _within(source, "forward", self.forward, MIN_PRICE, MAX_PRICE)
        _within(source, "rate", self.rate, -MAX_RATE, MAX_RATE)
        _within(source, "confidence", self.confidence, 0.0, 1.0)
        self.svi.check(source)


@dataclass(frozen=True, slots=True)
class Round:
    """One atomic snapshot of an underlying (risk-model section 1).

    ``surfaces`` is strictly increasing in ``expiry_ts``, at most 12 long. ``mean`` is the mean of spot since the
    settlement window of the first expiry opened, ``None`` while no window is open. ``perp_confidence`` is that of the
    perpetual's price, where a venue has one of its own; only the float margin models of other venues read it.
    """

    underlying: str
    ts: int
    spot: float
    perp: float
    confidence: float
    surfaces: tuple[Surface, ...]
    mean: float | None = None
    perp_confidence: float = 1.0

    def __post_init__(self) -> None:
        source = f"round of {self.underlying}"
        _time(source, "ts", self.ts)
        _within(source, "spot", self.spot, MIN_PRICE, MAX_PRICE)
        _within(source, "perp", self.perp, MIN_PRICE, MAX_PRICE)
        _within(source, "confidence", self.confidence, 0.0, 1.0)
        _within(source, "perp_confidence", self.perp_confidence, 0.0, 1.0)
        if self.mean is not None:
            _within(source, "mean", self.mean, MIN_PRICE, MAX_PRICE)
        if len(self.surfaces) > MAX_EXPIRIES:
            raise DomainError(source, f"has {len(self.surfaces)} expiries, the limit is {MAX_EXPIRIES}")
        for before, after in pairwise(self.surfaces):
            if after.expiry_ts <= before.expiry_ts:
                raise DomainError(source, f"expiry {after.expiry_ts} does not come after {before.expiry_ts}")

    def surface(self, expiry_ts: int) -> Surface:
        """Return the slice of one expiry.

        Raises
        ------
        DomainError
            When the round does not list the expiry: nothing is valued from another date.
        """
        for surface in self.surfaces:
            if surface.expiry_ts == expiry_ts:
                return surface
        raise DomainError(self.underlying, f"expiry {expiry_ts} is not in the round of {self.ts}")


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Prices in cash between which liquidity of an automated market lies, and what one unit of it is worth.

    With ``y`` the price, clipped to the range for its root ``s``, one unit is ``1/s - 1/sqrt(upper)`` of the underlying
    and ``s - sqrt(lower)`` of cash: concave in ``y``, and never owed.
    """

    lower: float
    upper: float

    def __post_init__(self) -> None:
        _within("price range", "lower", self.lower, 0.0, MAX_RANGE_PRICE, open_low=True)
        _within("price range", "upper", self.upper, self.lower, MAX_RANGE_PRICE, open_low=True)

    def units(self, price: float) -> float:
        """Units of the underlying that one unit of liquidity holds, which is how its worth rises with the price."""
        clipped = min(max(price, self.lower), self.upper)
        root, top = math.sqrt(clipped), math.sqrt(self.upper)
        # A difference of roots would lose the digits of a narrow range.
        return (self.upper - clipped) / ((top + root) * root * top)

    def value(self, price: float) -> float:
        """Worth of one unit of liquidity, cash."""
        clipped = min(max(price, self.lower), self.upper)
        cash = (clipped - self.lower) / (math.sqrt(clipped) + math.sqrt(self.lower))
        return self.units(price) * price + cash

    def gamma(self, price: float) -> float:
        """How the units change with the price: fewer inside the range, not at all outside."""
        return -0.5 / (price * math.sqrt(price)) if self.lower < price < self.upper else 0.0


@dataclass(frozen=True, slots=True)
class Token:
    """Collateral token: haircuts as fractions, and either a price in cash or a link to an underlying.

    A linked token has no price of its own: it is worth ``spot*ratio`` of the underlying's round, so that no margin
    ever reads two clocks; one with a ``span`` is a unit of liquidity between two prices of the underlying, and has no
    ratio. ``confidence`` is that of its price, where a venue has one; only the float margin models of other venues read
    it.
    """

    symbol: str
    price: float | None
    haircut: float
    linked: str | None = None
    linked_haircut: float = 0.0
    ratio: float = 1.0
    confidence: float = 1.0
    span: PriceRange | None = None

    def __post_init__(self) -> None:
        if self.span is not None and self.linked is None:
            raise DomainError(self.symbol, "is liquidity of a range and linked to no underlying")
        if self.span is not None and self.ratio != 1.0:
            raise DomainError(self.symbol, f"is liquidity of a range and has no ratio, found {self.ratio:g}")
        if self.linked is None and self.price is None:
            raise DomainError(self.symbol, "has neither a price nor a link to an underlying")
        if self.linked is not None and self.price is not None:
            raise DomainError(self.symbol, f"is linked to {self.linked} and has no price of its own")
        if self.price is not None:
            _within(self.symbol, "price", self.price, MIN_PRICE, MAX_PRICE)
        _within(self.symbol, "haircut", self.haircut, 0.0, 1.0)
        _within(self.symbol, "linked_haircut", self.linked_haircut, 0.0, 1.0)
        _within(self.symbol, "ratio", self.ratio, 0.0, MAX_RATIO, open_low=True)
        _within(self.symbol, "confidence", self.confidence, 0.0, 1.0)

    def units_at(self, spot: float) -> float:
        """Units of the underlying that one token is: what its worth rises by with the spot; 0 of one without a link."""
        if self.span is not None:
            return self.span.units(spot)
        return 0.0 if self.linked is None else self.ratio

    def worth_at(self, spot: float) -> float:
        """Worth in cash of one linked token."""
        return spot * self.ratio if self.span is None else self.span.value(spot)


@dataclass(frozen=True, slots=True)
class Market:
    """Everything a margin number depends on besides the portfolio and the parameters."""

    ts: int
    tokens: Mapping[str, Token]
    rounds: Mapping[str, Round]

    def __post_init__(self) -> None:
        _time("market", "ts", self.ts)
        if CASH_SYMBOL not in self.tokens:
            raise DomainError("market", f"has no token {CASH_SYMBOL!r}: its price decides the peg charge")
        for symbol, token in self.tokens.items():
            if token.symbol != symbol:
                raise DomainError("market", f"token {symbol!r} calls itself {token.symbol!r}")
            if token.linked is not None and token.linked not in self.rounds:
                raise DomainError("market", f"token {symbol!r} is linked to {token.linked!r}, no underlying of it")
        for name, round_ in self.rounds.items():
            if round_.underlying != name:
                raise DomainError("market", f"the round of {name!r} calls itself that of {round_.underlying!r}")

    def price_of(self, symbol: str) -> float:
        """Price of a token in cash: its own, or what it is worth at the spot of the underlying it is linked to."""
        token = self.tokens[symbol]
        if token.linked is not None:
            return token.worth_at(self.rounds[token.linked].spot)
        if token.price is None:
            raise DomainError(symbol, "has no price")
        return token.price

    def spot_of(self, token: Token) -> float:
        """Spot of the underlying that a token is linked to; 0 of one without a link."""
        return 0.0 if token.linked is None else self.rounds[token.linked].spot

    @property
    def usdc_price(self) -> float:
        """Price of the cash token, which drives the peg charge."""
        return self.price_of(CASH_SYMBOL)


@dataclass(frozen=True, slots=True)
class Position:
    """``price`` is the strike of an option, the entry of a future or perpetual; ``expiry_ts`` 0 for a perpetual."""

    underlying: str
    kind: Kind
    expiry_ts: int
    price: float
    quantity: float

    def __post_init__(self) -> None:
        source = f"position in {self.underlying}"
        if not isinstance(self.kind, Kind):
            raise DomainError(source, f"{self.kind!r} is no kind of instrument")
        source = f"{self.underlying} {self.kind.word}"
        _time(source, "expiry_ts", self.expiry_ts, 0)
        if (self.expiry_ts != 0) != self.kind.has_expiry:
            raise DomainError(source, f"expiry_ts is {self.expiry_ts}; it is 0 for a perpetual and for nothing else")
        _within(source, "price", self.price, 0.0, MAX_STORED_PRICE, open_low=self.kind.is_option)
        _within(source, "quantity", self.quantity, -MAX_QUANTITY, MAX_QUANTITY)

    @property
    def instrument(self) -> Instrument:
        """What is held, whatever it was entered at."""
        return Instrument(self.kind, self.expiry_ts, self.price if self.kind.is_option else 0.0)

    @property
    def identity(self) -> tuple[str, Instrument]:
        """Underlying and instrument: an account holds each once."""
        return self.underlying, self.instrument

    def plus(self, more: Position) -> Position:
        """Add to a position in its own direction; the entry of a linear one becomes the mean by size.

        Parameters
        ----------
        more : Position
            Of the same identity.

        Returns
        -------
        Position

        Raises
        ------
        DomainError
            When ``more`` goes in the other direction, which would close some of it.
        """
        if self.quantity * more.quantity <= 0.0:
            what = f"{self.underlying} {self.kind.word}"
            raise DomainError(what, f"is held with {self.quantity:g}, {more.quantity:g} would close some of it")
        quantity = self.quantity + more.quantity
        if self.kind.is_option:
            return replace(self, quantity=quantity)
        cost = self.quantity * self.price + more.quantity * more.price
        return replace(self, quantity=quantity, price=cost / quantity)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One account: mode, cash, collateral amounts by token symbol, positions.

    ``credit`` is what guarantee lines can add to its equity where it lacks initial margin.
    """

    mode: Mode
    cash: float
    collateral: Mapping[str, float] = field(default_factory=dict)
    positions: tuple[Position, ...] = ()
    credit: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.mode, Mode):
            raise DomainError("portfolio", f"{self.mode!r} is no margin mode")
        _within("portfolio", "cash", self.cash, -MAX_CASH, MAX_CASH)
        _within("portfolio", "credit", self.credit, 0.0, MAX_CASH)
        for symbol, amount in self.collateral.items():
            _within("portfolio", f"the amount of {symbol}", amount, 0.0, MAX_QUANTITY)
        seen = set()
        for position in self.positions:
            if position.identity in seen:
                kind, expiry, strike = position.instrument
                what = f"{position.underlying} {kind.word} of {expiry} at {strike:g}"
                raise DomainError("portfolio", f"holds the {what} twice")
            seen.add(position.identity)

    def with_(self, *positions: Position) -> Portfolio:
        """Return the account with more legs; one that it holds already in the same direction is added to.

        Parameters
        ----------
        *positions : Position
            What would be put on. No cash is paid for options: the question is what the account would need.

        Returns
        -------
        Portfolio

        Raises
        ------
        DomainError
            When a leg is held in the other direction: whether that closes or hedges is the caller's to say.
        """
        held = {position.identity: position for position in self.positions}
        for new in positions:
            old = held.get(new.identity)
            held[new.identity] = new if old is None else old.plus(new)
        return replace(self, positions=tuple(held.values()))
