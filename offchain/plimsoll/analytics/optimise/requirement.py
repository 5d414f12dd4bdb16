"""The requirement of one underlying as rows of a linear program.

Exact for the certified scan, the scan with every expiry in its own vol state, the skew term, the short minimum and
every cut-off: all of them are maxima of sums, which a program minimises as columns above their terms. The basis charge
is exact for what is held; a future that is traded is taken to be entered at the forward, so its cash leg is off by
what the half spread is of it. The charge for size is exact to its tangents while it grows more slowly than the size,
and too small beyond; its cut-offs are left to the mirror, which states the true requirement of every suggestion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.optimise.linear_program import INFINITY, Index, LinearProgram
from plimsoll.mirror.cutoffs import NO_CUTOFF, cutoffs_of, scales_at
from plimsoll.mirror.scenario_book import Book, scenario_book
from plimsoll.mirror.settlement_window import time_to_expiry, window_of
from plimsoll.mirror.unit_risk import InstrumentRisk, price_instruments
from plimsoll.model import Instrument, Round
from plimsoll.params import Params, UnderlyingParams

Vector = npt.NDArray[np.float64]
Terms = list[tuple[Index | int, Vector | float]]
#: Tangents of a charge for size: the program's is below the true one by less than 2e-4 of the size.
TANGENTS: Final = 24


@dataclass(frozen=True, slots=True)
class Block:
    """Instruments of one underlying with their prices under every row; ``entry`` of linear ones, cash."""

    round_: Round
    instruments: tuple[Instrument, ...]
    unit: InstrumentRisk
    book: Book
    params: UnderlyingParams
    entry: Vector

    @property
    def is_option(self) -> npt.NDArray[np.bool_]:
        """Which instruments are options."""
        return np.array([i.is_option for i in self.instruments], dtype=bool)

    @property
    def expiries(self) -> Vector:
        """Expiry of each instrument, 0 for the perpetual."""
        return np.array([i.expiry_ts for i in self.instruments], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class LinkedColumn:
    """A column of linked collateral: units of the underlying per unit of the column."""

    column: int
    units: float


def block_of(
    round_: Round, instruments: Sequence[Instrument], params: Params, entry: Sequence[float] | None = None
) -> Block:
    """Price instruments once for a program; ``entry`` is that of linear ones, 0 where only greeks are wanted."""
    own = params.for_underlying(round_.underlying)
    book = scenario_book(params.book_of(round_.underlying), own.price_range)
    unit = price_instruments(round_, list(instruments), own, book)
    entries = np.zeros(len(instruments)) if entry is None else np.asarray(entry, dtype=np.float64)
    return Block(round_, tuple(instruments), unit, book, own, entries)


@dataclass(frozen=True, slots=True)
class _Strikes:
    """Net long columns of the strikes of one expiry, and the gap of one unit of each, shape (n_intervals, n)."""

    column: Index
    gap: Vector


class _Rows:
    """Adds the rows of one underlying; columns that belong to an expiry are shared by all cut-offs."""

    def __init__(self, lp: LinearProgram, block: Block, trades: tuple[Index, Index], name: str) -> None:
        self.lp, self.block, self.name = lp, block, name
        self.long, self.short = trades
        options = sorted({i.expiry_ts for i in block.instruments if i.is_option})
        self.strikes = {expiry: self._strikes(expiry) for expiry in options}
        self.worst_vol = {expiry: self._worst_vol(expiry) for expiry in options} if len(options) > 1 else {}
        self.skew = {expiry: self._skew(expiry) for expiry in options}
        self.basis = {expiry: self._basis(expiry) for expiry in sorted({i.expiry_ts for i in block.instruments})}

    def net(self, of: Index, per_unit: Vector) -> Terms:
        """Sum of the net quantities of some instruments, each times its number."""
        return [(self.long[of], per_unit), (self.short[of], -per_unit)]

    def _options(self, expiry: int) -> Index:
        found = [k for k, i in enumerate(self.block.instruments) if i.is_option and i.expiry_ts == expiry]
        return np.array(found, dtype=np.int32)

    def _strikes(self, expiry: int) -> _Strikes:
        """Columns at least what is long of each strike after netting calls and puts."""
        of = self._options(expiry)
        strikes = np.array([self.block.instruments[k].strike for k in of])
        listed, first = np.unique(strikes, return_index=True)
        column = self.lp.columns([f"strike {self.name} {expiry} {strike:g}" for strike in listed])
        for at, strike in zip(column, listed, strict=True):
            members = of[strikes == strike]
            self.lp.row("strike", [(int(at), 1.0), *self.net(members, -np.ones(members.size))], lower=0.0)
        return _Strikes(column, self.block.unit.gap[:, of[first]])

    def _worst_vol(self, expiry: int) -> Index:
        """Columns at least the loss of an expiry in each vol state: lower end of every price step, then upper ends."""
        book, of = self.block.book, self._options(expiry)
        bounds = [*book.steps.tolist(), len(book.intervals)]
        names = [f"vol {self.name} {expiry} {k}" for k in range(2 * book.steps.size)]
        columns = self.lp.columns(names, lower=-INFINITY)
        for side, ends in enumerate((book.lows, book.highs)):
            for step in range(book.steps.size):
                column = int(columns[side * book.steps.size + step])
                for k in range(bounds[step], bounds[step + 1]):
                    weight = float(book.weights[ends[k]])
                    pnl = weight * self.block.unit.row_pnl[ends[k], of]
                    terms = [(column, 1.0), *self.net(of, pnl), *self._gaps(expiry, k, 1.0)]
                    self.lp.row("vol", terms, lower=0.0, lazy=True)
        return columns

    def _gaps(self, expiry: int, interval: int, scale: float) -> Terms:
        """Return the gaps of an expiry inside an interval, with their sign on the left of a loss."""
        weights, (low, high) = self.block.book.weights, self.block.book.intervals[interval]
        strikes = self.strikes[expiry]
        return [(strikes.column, -scale * max(weights[low], weights[high]) * strikes.gap[interval])]

    def _skew(self, expiry: int) -> Index:
        """Columns at least what either side of each skew pair loses beyond the pair's own row."""
        book, pnl, of = self.block.book, self.block.unit.row_pnl, self._options(expiry)
        columns = self.lp.columns([f"skew {self.name} {expiry} {k}" for k in range(len(book.skew_pairs))])
        for column, pair, node in zip(columns, book.skew_pairs, book.skew_nodes, strict=True):
            for side in pair:
                lost = self.net(of, pnl[side, of] - pnl[node, of])
                self.lp.row("skew", [(int(column), 1.0), *lost], lower=0.0, lazy=True)
        return columns

    def _basis(self, expiry: int) -> int:
        """Return a column at least the basis charge of an expiry: net cash delta, or net cash leg, either way."""
        block, unit = self.block, self.block.unit
        of = np.flatnonzero(block.expiries == expiry).astype(np.int32)
        rate, legs = block.params.perp_basis, [unit.cash_delta[of]]
        if expiry:
            time = time_to_expiry(expiry, block.round_.ts)
            rate = max(block.params.basis_min, float(np.expm1(block.params.basis_rate * time)))
            value = unit.mark[of] - block.entry[of] * unit.entry_factor[of]
            legs.append((unit.cash_delta[of] - value) * window_of(block.round_, expiry).open)
        charge = self.lp.column(f"basis {self.name} {expiry}")
        for leg in legs:
            for sign in (1.0, -1.0):
                self.lp.row("basis", [(charge, 1.0), *self.net(of, sign * rate * leg)], lower=0.0)
        return charge

    def _straight(self, scale: Vector, row: int, linked: tuple[float, Sequence[LinkedColumn]]) -> tuple[Terms, float]:
        """P&L of everything linear in a row: terms of columns, and what is fixed."""
        held_units, columns = linked
        book, block = self.block.book, self.block
        cash = float(book.weights[row]) * float(book.moves[row]) * block.round_.spot
        of = np.flatnonzero(~block.is_option).astype(np.int32)
        pnl = float(book.weights[row]) * block.unit.row_pnl[row, of] * scale[of]
        return [*self.net(of, pnl), *((c.column, cash * c.units) for c in columns)], cash * held_units

    def scan(self, share: dict[int, float], scale: Vector, linked: tuple[float, Sequence[LinkedColumn]]) -> int:
        """Return a column at least the certified scan of a set."""
        book, block = self.block.book, self.block
        scan = self.lp.column(f"scan {self.name}")
        of = np.flatnonzero(block.is_option).astype(np.int32)

        def add(row: int, gaps: Terms) -> None:
            terms, fixed = self._straight(scale, row, linked)
            pnl = float(book.weights[row]) * block.unit.row_pnl[row, of] * scale[of]
            self.lp.row(f"row {row}", [(scan, 1.0), *terms, *self.net(of, pnl), *gaps], lower=-fixed, lazy=True)

        for row in set(range(book.nodes)) - {row for pair in book.intervals for row in pair}:
            add(row, [])
        for k, pair in enumerate(book.intervals):
            gaps = [term for expiry in self.strikes for term in self._gaps(expiry, k, share[expiry])]
            for row in pair:
                add(row, gaps)
        return scan

    def any_vol(
        self, scan: int, share: dict[int, float], scale: Vector, linked: tuple[float, Sequence[LinkedColumn]]
    ) -> int:
        """Return a column at least the scan with every expiry in its own vol state, never below the scan."""
        book, column = self.block.book, self.lp.column(f"own vols {self.name}")
        self.lp.row("own vols", [(column, 1.0), (scan, -1.0)], lower=0.0)
        for side, ends in enumerate((book.lows, book.highs)):
            for step, first in enumerate(book.steps):
                terms, fixed = self._straight(scale, int(ends[first]), linked)
                at = side * book.steps.size + step
                losses: Terms = [(int(self.worst_vol[e][at]), -share[e]) for e in self.worst_vol]
                self.lp.row("own vols", [(column, 1.0), *terms, *losses], lower=-fixed, lazy=True)
        return column

    def skew_term(self, share: dict[int, float]) -> int:
        """Return a column at least what the skew pair of every place moves in all expiries together."""
        column = self.lp.column(f"skew {self.name}")
        for place in range(len(self.block.book.skew_pairs)):
            terms: Terms = [(int(columns[place]), -share[expiry]) for expiry, columns in self.skew.items()]
            self.lp.row("skew term", [(column, 1.0), *terms], lower=0.0)
        return column


def _sizes(free: float, rate: float) -> Vector:
    """Sizes at which the charge for size gets a tangent: from what is free to where it grows as fast as the size."""
    end = free * (1.0 + 0.5 / rate) if rate > 0.0 else free
    return free * np.exp(np.linspace(0.0, np.log(end / free), TANGENTS)) if end > free else np.zeros(0)


def _charge(lp: LinearProgram, name: str, size: int, free: float, rate: float) -> int:
    """Return a column at least ``rate*(size - free)^2/free``, by tangents, none of them steeper than 1.

    The charge is never more than the size, which makes it a line of slope 1 in the end; the last tangent is that of the
    largest convex function below it.
    """
    charge = lp.column(f"concentration of {name}")
    for at in _sizes(free, rate)[1:]:
        slope = 2.0 * rate * (at - free) / free
        fixed = rate * (at - free) ** 2 / free - slope * at
        lp.row("concentration", [(charge, 1.0), (size, -slope)], lower=float(fixed), lazy=True)
    return charge


def _concentration(rows: _Rows, scan: int, linked: tuple[float, Sequence[LinkedColumn]]) -> tuple[int, int]:
    """Return the columns of the charges for size: by net delta or what the range loses, and by vega."""
    block, lp, unit = rows.block, rows.lp, rows.block.unit
    own, (units, columns) = block.params, linked
    every = np.arange(len(block.instruments), dtype=np.int32)
    size, vega = lp.column(f"size {rows.name}"), lp.column(f"vega {rows.name}")
    cash = block.round_.spot
    delta: Terms = [*rows.net(every, unit.cash_delta), *((c.column, cash * c.units) for c in columns)]
    lp.row("size", [(size, own.price_range), (scan, -1.0)], lower=0.0)
    for sign in (1.0, -1.0):
        signed: Terms = [(column, -sign * value) for column, value in delta]
        lp.row("size", [(size, 1.0), *signed], lower=sign * units * cash)
        lp.row("size", [(vega, 1.0), *rows.net(every, -sign * unit.vega)], lower=0.0)
    return (
        _charge(lp, f"{rows.name} (net delta and scan)", size, own.n0, own.conc_rate),
        _charge(lp, f"{rows.name} (net vega)", vega, own.v0, own.conc_vega_rate),
    )


def _held_columns(lp: LinearProgram, held: Vector, trades: tuple[Index, Index], name: str) -> tuple[Index, Index]:
    """Add columns of what is long and what is short after the trades."""
    labels = [f"{name} instrument {i}" for i in range(len(held))]
    long, short = (lp.columns([f"{side} {label}" for label in labels]) for side in ("long", "short"))
    bought, sold = trades
    for i, label in enumerate(labels):
        terms: Terms = [(int(long[i]), 1.0), (int(short[i]), -1.0), (int(bought[i]), -1.0), (int(sold[i]), 1.0)]
        lp.row(label, terms, lower=float(held[i]), upper=float(held[i]))
    return long, short


def add_requirement(
    lp: LinearProgram,
    block: Block,
    held: Vector,
    trades: tuple[Index, Index],
    name: str,
    linked: tuple[float, Sequence[LinkedColumn]] = (0.0, ()),
    rate: float = 1.0,
    gross_rate: float = 0.0,
) -> Terms:
    """Add one underlying of one account to a program.

    Parameters
    ----------
    lp : LinearProgram
    block : Block
        All instruments that are held or may be traded.
    held : ndarray
        Present quantity of each.
    trades : pair of index arrays
        Columns of what is bought and sold of each instrument.
    name : str
        For messages.
    linked : float, sequence of LinkedColumn
        Units of linked collateral that are held, and columns that add to them.
    rate : float
        Initial margin per unit of requirement.
    gross_rate : float
        Confidence charge per unit of gross quantity.

    Returns
    -------
    list of (column, rate)
        Its initial margin as a sum of columns, cash; they are free until the caller gives them a cost or a limit.
    """
    long, short = _held_columns(lp, held, trades, name)
    rows = _Rows(lp, block, (long, short), name)
    required, own = lp.column(f"requirement {name}"), block.params
    without_size = lp.column(f"requirement of {name} without its size")
    listed = [int(expiry) for expiry in sorted(set(block.expiries))]
    for cutoff in cutoffs_of(listed, block.round_.ts):
        share = dict(zip(listed, scales_at(cutoff, listed, block.round_.ts).tolist(), strict=True))
        scale = np.array([share[i.expiry_ts] for i in block.instruments])
        scan = rows.scan(share, scale, linked)
        parts: Terms = [(column, -share[expiry]) for expiry, column in rows.basis.items()]
        if rows.worst_vol:
            own_vols = rows.any_vol(scan, share, scale, linked)
            parts += [(scan, own.vega_term_rate - 1.0), (own_vols, -own.vega_term_rate)]
        else:
            parts.append((scan, -1.0))
        if rows.skew and block.book.skew_pairs:
            parts.append((rows.skew_term(share), -own.skew_rate))
        lp.row("requirement", [(without_size, 1.0), *parts], lower=0.0)
        if cutoff == NO_CUTOFF:
            charges = _concentration(rows, scan, linked)
            lp.row("requirement", [(required, 1.0), (without_size, -1.0), *((c, -1.0) for c in charges)], lower=0.0)
    sold = block.is_option * block.unit.open_share
    minimum = -own.short_min_rate * block.round_.spot * sold
    lp.row("short minimum", [(without_size, 1.0), (rows.short, minimum)], lower=0.0)
    return [(required, rate), (long, gross_rate), (short, gross_rate)]
