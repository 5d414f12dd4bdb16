"""The accounts of the demo, as recipes that pick really listed expiries and strikes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.mirror.linear import linear_unit
from plimsoll.model import Instrument, Kind, Mode, Position, Round

# Listed strikes by underlying and expiry.
Listing = Mapping[str, Mapping[int, tuple[float, ...]]]


@dataclass(frozen=True, slots=True)
class Leg:
    """One position of a recipe.

    Parameters
    ----------
    underlying : str
        Symbol.
    kind : Kind
        Instrument kind.
    days : float
        The listed expiry nearest to this many days ahead is taken; ignored for a perpetual.
    moneyness : float
        The listed strike nearest to this multiple of the forward is taken; options only.
    quantity : float
        Units of the underlying, negative when short.
    """

    underlying: str
    kind: Kind
    days: float
    moneyness: float
    quantity: float


@dataclass(frozen=True, slots=True)
class Book:
    """Recipe of one account.

    Parameters
    ----------
    name : str
        Shown in the report.
    mode : Mode
        Margin mode.
    legs : tuple[Leg, ...]
        Long legs first, so that every order passes on its own where it can.
    cushion : float
        Equity after the last trade, as a multiple of the initial requirement.
    collateral : Mapping[str, float]
        Token amounts besides cash.
    min_cash : float
        Smallest cash balance, in cash units.
    by_permit : bool
        Deposit with an EIP-2612 signature instead of an approval.
    isolate : Leg or None
        Moved into a sub-account of its own with ``isolate_cushion``.
    isolate_cushion : float
        Equity of that sub-account as a multiple of its initial requirement.
    by_quote : bool
        Built by one signed quote of all its legs instead of an order each.
    """

    name: str
    mode: Mode
    legs: tuple[Leg, ...]
    cushion: float
    collateral: Mapping[str, float] = field(default_factory=dict)
    min_cash: float = 500.0
    by_permit: bool = False
    isolate: Leg | None = None
    isolate_cushion: float = 0.0
    by_quote: bool = False


MARKET_MAKER = "market maker"
FLOW_DESK = "flow desk"
LIQUIDATOR = "liquidator"
ISOLATED = "isolated sub-account"
BORROWER = "borrower"
BACKSTOP = "backstop"

MAKER_CASH = 500_000.0
# Enough for every book but the dip buyer's, whose slice asks for more margin than this.
LIQUIDATOR_CASH = 40_000.0
BACKSTOP_CASH = 300_000.0
BORROWER_WETH = 100.0
BORROWED_CASH = 120_000.0
FUND_CASH = 200_000.0
MAKER_POSITIONS = 110


def _strangle(quantity: float) -> tuple[Leg, ...]:
    return (Leg("ETH", Kind.PUT, 28, 0.85, quantity), Leg("ETH", Kind.CALL, 28, 1.15, quantity))


def _condor(quantity: float) -> tuple[Leg, ...]:
    return (
        Leg("ETH", Kind.PUT, 28, 0.80, quantity),
        Leg("ETH", Kind.CALL, 28, 1.20, quantity),
        Leg("ETH", Kind.PUT, 28, 0.90, -quantity),
        Leg("ETH", Kind.CALL, 28, 1.10, -quantity),
    )


BOOKS: tuple[Book, ...] = (
    Book("covered call", Mode.SINGLE, (Leg("ETH", Kind.CALL, 28, 1.10, -10),), 1.0, {"WETH": 10.0}, min_cash=1_000),
    Book("short strangle", Mode.SINGLE, _strangle(-20), 1.15),
    Book("strangle, standard", Mode.STANDARD, _strangle(-20), 1.35),
    Book("iron condor", Mode.SINGLE, _condor(10), 1.6, by_permit=True, by_quote=True),
    Book(
        "one-day straddle",
        Mode.SINGLE,
        (Leg("ETH", Kind.CALL, 1, 1.0, 10), Leg("ETH", Kind.PUT, 1, 1.0, 10)),
        1.5,
    ),
    Book("calendar", Mode.SINGLE, (Leg("ETH", Kind.CALL, 28, 1.0, 5), Leg("ETH", Kind.CALL, 7, 1.0, -5)), 1.5),
    Book(
        "collar",
        Mode.SINGLE,
        (Leg("ETH", Kind.PUT, 56, 0.90, 10), Leg("ETH", Kind.CALL, 56, 1.10, -10)),
        1.0,
        {"WETH": 10.0},
        min_cash=1_000,
        by_permit=True,
    ),
    Book("naked put", Mode.SINGLE, (Leg("ETH", Kind.PUT, 14, 0.92, -15),), 1.15),
    Book(
        "delta-hedged short vol",
        Mode.SINGLE,
        (
            Leg("ETH", Kind.PERP, 0, 0, 2.0),
            Leg("ETH", Kind.CALL, 28, 1.0, -15),
            Leg("ETH", Kind.PUT, 28, 1.0, -15),
        ),
        1.1,
    ),
    Book(
        "long straddle",
        Mode.SINGLE,
        (Leg("ETH", Kind.CALL, 28, 1.0, 10), Leg("ETH", Kind.PUT, 28, 1.0, 10)),
        1.5,
        by_permit=True,
    ),
    Book(
        "perp basis trade",
        Mode.SINGLE,
        (Leg("ETH", Kind.PERP, 0, 0, 20.0), Leg("ETH", Kind.FUTURE, 56, 0, -20.0)),
        3.0,
    ),
    Book(
        "mixed ETH and BTC",
        Mode.SINGLE,
        (
            Leg("BTC", Kind.PUT, 28, 0.80, 0.5),
            Leg("ETH", Kind.CALL, 28, 1.20, -8),
            Leg("ETH", Kind.PUT, 28, 0.80, -8),
            Leg("BTC", Kind.PUT, 28, 0.90, -0.5),
            Leg("BTC", Kind.CALL, 28, 1.15, -0.5),
        ),
        1.4,
        {"WBTC": 0.25},
    ),
    Book(
        "protected perp",
        Mode.SINGLE,
        (Leg("ETH", Kind.PUT, 56, 0.90, 6), Leg("ETH", Kind.PERP, 0, 0, 6.0)),
        2.5,
        isolate=Leg("ETH", Kind.PERP, 0, 0, 6.0),
        isolate_cushion=1.2,
    ),
)

# Joins when spot has fallen by this share: a large position on the least margin there is.
DIP = 0.01
DIP_UNDERLYING = "ETH"
DIP_BUYER = Book("dip buyer", Mode.STANDARD, (Leg("ETH", Kind.PERP, 0, 0, 500.0),), 1.02)

# The market maker's other side: small, alternating lots over the whole board.
FLOW_DAYS = (2, 3, 7, 14, 21, 28, 56, 84, 147)
FLOW_MONEYNESS = (0.80, 0.90, 0.97, 1.03, 1.10, 1.25)
FLOW_SIZE = {"ETH": 1.0, "BTC": 0.04}
FLOW_CUSHION = 4.0


def flow_legs() -> tuple[Leg, ...]:
    """Return the board of the flow desk: out-of-the-money options of alternating sign.

    Returns
    -------
    tuple[Leg, ...]
        More than are needed; duplicates of one listed instrument are dropped when resolved.
    """
    legs: list[Leg] = []
    for number, (days, moneyness, underlying) in enumerate(product(FLOW_DAYS, FLOW_MONEYNESS, FLOW_SIZE)):
        kind = Kind.PUT if moneyness < 1.0 else Kind.CALL
        # Runs of two keep the sign independent of the underlying, which alternates fastest.
        sign = 1.0 if (number // 2) % 2 == 0 else -1.0
        legs.append(Leg(underlying, kind, days, moneyness, sign * FLOW_SIZE[underlying]))
    return tuple(legs)


def resolve(leg: Leg, rounds: Mapping[str, Round], listing: Listing) -> Position:
    """Pick the listed instrument of a leg.

    Parameters
    ----------
    leg : Leg
        Recipe.
    rounds : Mapping[str, Round]
        First round of each underlying.
    listing : Listing
        Strikes listed at that round.

    Returns
    -------
    Position
        With the strike of an option or, for a linear instrument, the mark as entry.

    Raises
    ------
    InputError
        When the market lists nothing for the underlying.
    """
    market_round = rounds[leg.underlying]
    if not leg.kind.has_expiry:
        return Position(leg.underlying, leg.kind, 0, float(linear_unit(market_round, leg.kind, 0).fair), leg.quantity)
    target_ts = market_round.ts + leg.days * DAY_SEC
    alive = [s for s in market_round.surfaces if s.expiry_ts > market_round.ts + DAY_SEC / 2]
    if not alive:
        raise InputError("demo", f"no expiry of {leg.underlying} lies half a day ahead of the first round")
    surface = min(alive, key=lambda s: abs(s.expiry_ts - target_ts))
    if leg.kind.is_linear:
        price = float(linear_unit(market_round, leg.kind, surface.expiry_ts).fair)
        return Position(leg.underlying, leg.kind, surface.expiry_ts, price, leg.quantity)
    strikes = listing[leg.underlying][surface.expiry_ts]
    strike = min(strikes, key=lambda k: abs(k - leg.moneyness * surface.forward))
    return Position(leg.underlying, leg.kind, surface.expiry_ts, float(strike), leg.quantity)


def resolve_flow(
    rounds: Mapping[str, Round], listing: Listing, held: frozenset[tuple[str, Instrument]]
) -> tuple[Position, ...]:
    """Resolve the flow desk's board until the market maker holds enough distinct instruments.

    Parameters
    ----------
    rounds : Mapping[str, Round]
        First round of each underlying.
    listing : Listing
        Strikes listed at that round.
    held : frozenset
        Instruments the market maker already holds against the other books; left out here.

    Returns
    -------
    tuple[Position, ...]
        Distinct instruments.
    """
    chosen: dict[tuple[str, Instrument], Position] = {}
    for leg in flow_legs():
        if len(chosen) + len(held) >= MAKER_POSITIONS:
            break
        position = resolve(leg, rounds, listing)
        if position.identity not in held:
            chosen.setdefault(position.identity, position)
    return tuple(chosen.values())
