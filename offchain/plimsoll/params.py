"""Risk parameters: every name and default of the risk model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, Literal

from plimsoll.errors import DomainError

VolName = Literal["up", "flat", "down"]
#: In the order of the vol states' numbers on chain.
VOL_NAMES: Final[tuple[VolName, ...]] = ("up", "flat", "down")
#: Most rows of one book: a tail move counts on both sides, a skew pair as two.
MAX_NODES: Final = 48
MAX_SKEW: Final = 0.99
#: Largest price range that the contracts accept.
MAX_PRICE_RANGE: Final = 0.5

#: A row moves the price by no more than this many price ranges.
MAX_MULTIPLE: Final = 100.0


@dataclass(frozen=True, slots=True)
class BookSpec:
    """Scenario rows as governance stores them (risk-model section 3); moves are multiples of the price range.

    Attributes
    ----------
    grid_moves, grid_vols
        Every move under every vol state, at weight 1.
    tail_moves, tail_vols
        Moves beyond the grid, each meant up and down; weighted with the price range over the move.
    skew_size, skew_at
        The skew added and taken off at places (move, vol state); these rows feed the skew term alone.
    """

    grid_moves: tuple[float, ...] = (-1.0, -0.4, 0.0, 0.4, 1.0)
    grid_vols: tuple[VolName, ...] = VOL_NAMES
    tail_moves: tuple[float, ...] = (3.0,)
    tail_vols: tuple[VolName, ...] = VOL_NAMES
    skew_size: float = 0.25
    skew_at: tuple[tuple[float, VolName], ...] = (
        *((-1.0, "up"), (-1.0, "down")),
        *((0.0, "up"), (0.0, "flat"), (0.0, "down")),
        *((1.0, "up"), (1.0, "down")),
    )

    def __post_init__(self) -> None:
        self._check_moves()
        _check_vols("grid", self.grid_vols)
        if not self.grid_vols:
            raise DomainError("book.grid.vols", "is empty")
        _check_vols("tails", self.tail_vols)
        if bool(self.tail_moves) != bool(self.tail_vols):
            raise DomainError("book.tails", "moves and vol states belong together: one of them is empty")
        strange = [vol for vol in self.tail_vols if vol not in self.grid_vols]
        if strange:
            raise DomainError("book.tails.vols", f"{strange[0]!r} is no vol state of the grid")
        self._check_skew()
        if self.nodes > MAX_NODES:
            raise DomainError("book", f"{self.nodes} rows, the limit is {MAX_NODES}")

    @property
    def nodes(self) -> int:
        """Number of rows before clamped duplicates are dropped."""
        grid = len(self.grid_moves) * len(self.grid_vols)
        return grid + 2 * len(self.tail_moves) * len(self.tail_vols) + 2 * len(self.skew_at)

    @property
    def label(self) -> str:
        """One line for people, for example ``5 prices x 3 vols, 1 tail x 3 vols, 7 skew pairs``."""
        grid = f"{len(self.grid_moves)} prices x {len(self.grid_vols)} vols"
        tails = f"{len(self.tail_moves)} tails x {len(self.tail_vols)} vols" if self.tail_moves else "no tails"
        return f"{grid}, {tails}, {len(self.skew_at)} skew pairs"

    def _check_moves(self) -> None:
        _check_rising("book.grid.moves", self.grid_moves)
        if 0.0 not in self.grid_moves:
            raise DomainError("book.grid.moves", "does not contain 0, the price as it is")
        if len(self.grid_moves) < 2:
            raise DomainError("book.grid.moves", "holds one move; an interval to certify needs two")
        _check_rising("book.tails.moves", self.tail_moves)
        outermost = max(abs(move) for move in self.grid_moves)
        if self.tail_moves and self.tail_moves[0] <= outermost:
            message = f"{self.tail_moves[0]:g} is not beyond the outermost move of the grid, {outermost:g}"
            raise DomainError("book.tails.moves", message)

    def _check_skew(self) -> None:
        if not 0.0 <= self.skew_size <= MAX_SKEW:
            raise DomainError("book.skew.size", f"{self.skew_size:g} is outside [0, {MAX_SKEW:g}]")
        for move, vol in self.skew_at:
            # What a pair is compared with: its own place without skew.
            if move not in self.grid_moves or vol not in self.grid_vols:
                raise DomainError("book.skew.at", f"({move:g}, {vol}) is no row of the grid")
        if len(set(self.skew_at)) < len(self.skew_at):
            raise DomainError("book.skew.at", "names a place twice")


def _check_rising(source: str, moves: tuple[float, ...]) -> None:
    for move in moves:
        if not math.isfinite(move):
            raise DomainError(source, f"{move} is not a finite number")
        if abs(move) > MAX_MULTIPLE:
            raise DomainError(source, f"{move:g} price ranges are outside [-{MAX_MULTIPLE:g}, {MAX_MULTIPLE:g}]")
    for low, high in pairwise(moves):
        if high <= low:
            raise DomainError(source, f"{high:g} does not come after {low:g}")


def _check_vols(part: str, vols: tuple[VolName, ...]) -> None:
    if list(vols) != [vol for vol in VOL_NAMES if vol in vols]:
        raise DomainError(f"book.{part}.vols", f"{', '.join(vols)} are not distinct states in the order up, flat, down")


@dataclass(frozen=True, slots=True)
class UnderlyingParams:
    """Parameters of one underlying; ratios unless stated, ``n0`` and ``v0`` in cash (``v0`` per 1.00 of vol)."""

    price_range: float = 0.25
    vol_up: float = 0.50
    vol_down: float = 0.25
    vol_floor: float = 0.40
    basis_min: float = 0.003
    basis_rate: float = 0.05
    perp_basis: float = 0.002
    vega_term_rate: float = 0.7
    skew_rate: float = 0.85
    short_min_rate: float = 0.01
    conc_rate: float = 0.1
    conc_vega_rate: float = 0.1
    n0: float = 50e6
    v0: float = 5e6


@dataclass(frozen=True, slots=True)
class AccountParams:
    """Parameters that act on the whole account; from ``buffer`` on they belong to liquidation."""

    mm_factor: float = 0.8
    im_factor: float = 1.0
    peg_threshold: float = 0.99
    peg_slope: float = 4.0
    conf_threshold: float = 0.55
    conf_rate: float = 1.0
    stress_share: float = 0.6
    debt_rate: float = 0.003
    close_share: float = 0.1
    buffer: float = 0.15
    fee_rate: float = 0.01
    bonus_share: float = 0.25
    fund_per_hour: float = 0.2


#: Defaults that differ between underlyings (risk-model section 3): ranges pass their own back-test.
UNDERLYING_DEFAULTS: Final[Mapping[str, UnderlyingParams]] = {
    "ETH": UnderlyingParams(price_range=0.285),
    "BTC": UnderlyingParams(price_range=0.23, n0=100e6),
}


@dataclass(frozen=True, slots=True)
class Params:
    """All parameters: account-wide, for every underlying (``overrides_all``), for one (``overrides``).

    ``book`` holds for every underlying that ``books`` gives none of its own.
    """

    account: AccountParams = AccountParams()
    book: BookSpec = BookSpec()
    overrides_all: Mapping[str, float] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    books: Mapping[str, BookSpec] = field(default_factory=dict)

    def book_of(self, name: str) -> BookSpec:
        """Rows of ``name``."""
        return self.books.get(name, self.book)

    def for_underlying(self, name: str) -> UnderlyingParams:
        """Parameters of ``name``: its defaults, then the general, then its own overrides."""
        base = UNDERLYING_DEFAULTS.get(name, UnderlyingParams())
        return replace(base, **{**self.overrides_all, **self.overrides.get(name, {})})
