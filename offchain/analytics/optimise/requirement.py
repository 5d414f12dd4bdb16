"""The requirement of one underlying as rows of a linear program.

Exact for scan, certified scan, basis and short minimum. The vega term holds a concave part, ``-|sum W|``, replaced by
its tangent at the present book, which is never below it. The concentration charge is not in the objective; the
program may not take net delta or vega beyond what is free, or beyond what is held where that is more already. So the
program's requirement is an upper bound, and the mirror states the true one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offchain.analytics.optimise.linear_program import Index, LinearProgram
from offchain.mirror.risk_engine import Instrument, InstrumentRisk, price_instruments, time_to_expiry
from offchain.mirror.scenario_book import Book, scenario_book
from offchain.model import Kind, Round
from offchain.params import Params, UnderlyingParams

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Block:
    """Instruments of one underlying with their prices under every row."""

    round_: Round
    instruments: tuple[Instrument, ...]
    unit: InstrumentRisk
    book: Book
    params: UnderlyingParams

    @property
    def is_option(self) -> npt.NDArray[np.bool_]:
        """Which instruments are options."""
        return np.array([i.kind in (Kind.CALL, Kind.PUT) for i in self.instruments], dtype=bool)


@dataclass(frozen=True, slots=True)
class LinkedColumn:
    """A column of linked collateral: units of the underlying per unit of the column."""

    column: int
    units: float


def block_of(round_: Round, instruments: Sequence[Instrument], params: Params) -> Block:
    """Price instruments once for a program."""
    own = params.for_underlying(round_.underlying)
    book = scenario_book(params.book, own.price_range)
    unit = price_instruments(round_, list(instruments), own, book)
    return Block(round_, tuple(instruments), unit, book, own)


def _basis(lp: LinearProgram, block: Block, long: Index, short: Index, name: str) -> list[tuple[Index | int, float]]:
    """Columns of the basis charge, at least both signs of every net delta."""
    terms: list[tuple[Index | int, float]] = []
    for expiry in sorted({i.expiry_ts for i in block.instruments}):
        of = np.array([k for k, i in enumerate(block.instruments) if i.expiry_ts == expiry])
        rate = block.params.perp_basis
        if expiry:
            time = time_to_expiry(expiry, block.round_.ts)
            rate = max(block.params.basis_min, float(np.expm1(block.params.basis_rate * time)))
        charge = lp.column(f"basis {name} {expiry}")
        cash = rate * block.unit.cash_delta[of]
        for sign in (1.0, -1.0):
            lp.row("basis", [(charge, 1.0), (long[of], sign * cash), (short[of], -sign * cash)], lower=0.0)
        terms.append((charge, 1.0))
    return terms


def _vega(
    lp: LinearProgram, block: Block, long: Index, short: Index, held: Vector, name: str
) -> list[tuple[Index | int, Vector | float]]:
    """Columns of the vega term: sum of ``|W_e|`` less the tangent of ``|sum W|``."""
    shocked = np.where(block.is_option, block.unit.shocked_vega, 0.0)
    rate = block.params.vega_term_rate
    terms: list[tuple[Index | int, Vector | float]] = []
    for expiry in sorted({i.expiry_ts for i, o in zip(block.instruments, block.is_option, strict=True) if o}):
        of = np.array([k for k, i in enumerate(block.instruments) if i.expiry_ts == expiry and block.is_option[k]])
        size = lp.column(f"vega {name} {expiry}")
        for sign in (1.0, -1.0):
            lp.row("vega", [(size, 1.0), (long[of], sign * shocked[of]), (short[of], -sign * shocked[of])], lower=0.0)
        terms.append((size, rate))
    sign = 1.0 if float(held @ shocked) >= 0.0 else -1.0
    return [*terms, (long, -sign * rate * shocked), (short, sign * rate * shocked)]


def _scan(
    lp: LinearProgram, block: Block, long: Index, short: Index, scan: int, linked: tuple[float, Sequence[LinkedColumn]]
) -> None:
    """Rows of the scan and of every interval of the certified scan."""
    held_units, columns = linked
    spot, book, unit = block.round_.spot, block.book, block.unit
    covered = {i for pair in book.intervals for i in pair}

    def add(j: int, gap: Vector | None) -> None:
        weight, move = float(book.weights[j]), float(book.moves[j])
        pnl = weight * unit.row_pnl[j]
        own = pnl if gap is None else pnl - gap
        terms: list[tuple[Index | int, Vector | float]] = [(scan, 1.0), (long, own), (short, -pnl)]
        terms += [(c.column, weight * move * spot * c.units) for c in columns]
        lp.row(f"row {j}", terms, lower=-weight * move * spot * held_units)

    for j in range(len(book.rows)):
        if j not in covered:
            add(j, None)
    for k, pair in enumerate(book.intervals):
        for j in pair:
            add(j, unit.gap[k])


def _free_sizes(
    lp: LinearProgram, block: Block, long: Index, short: Index, held: Vector, linked_units: float, name: str
) -> None:
    """Keep net delta and vega where the concentration charge cannot grow."""
    linked_cash = linked_units * block.round_.spot
    sizes: tuple[tuple[str, Vector, float, float], ...] = (
        ("net delta", block.unit.cash_delta, linked_cash, block.params.n0),
        ("net vega", block.unit.vega, 0.0, block.params.v0),
    )
    for what, per_unit, fixed, free in sizes:
        most = max(free, abs(float(held @ per_unit) + fixed))
        terms: list[tuple[Index | int, Vector | float]] = [(long, per_unit), (short, -per_unit)]
        lp.row(f"concentration of {name} ({what})", terms, lower=-most - fixed, upper=most - fixed, wanted=True)


def add_requirement(
    lp: LinearProgram,
    block: Block,
    held: Vector,
    trades: tuple[Index, Index],
    name: str,
    linked: tuple[float, Sequence[LinkedColumn]] = (0.0, ()),
    rate: float = 1.0,
    gross_rate: float = 0.0,
) -> int:
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
        Cost per unit of requirement.
    gross_rate : float
        Cost per unit of gross quantity (confidence charge).

    Returns
    -------
    int
        Column of the requirement, cash.
    """
    labels = [f"{name} instrument {i}" for i in range(len(block.instruments))]
    long = lp.columns([f"long {label}" for label in labels], cost=gross_rate)
    short = lp.columns([f"short {label}" for label in labels], cost=gross_rate)
    bought, sold = trades
    for i in range(len(labels)):
        terms = [(int(long[i]), 1.0), (int(short[i]), -1.0), (int(bought[i]), -1.0), (int(sold[i]), 1.0)]
        lp.row(labels[i], terms, lower=float(held[i]), upper=float(held[i]))
    scan, required = lp.column(f"scan {name}"), lp.column(f"requirement {name}", cost=rate)
    _scan(lp, block, long, short, scan, linked)
    parts: list[tuple[Index | int, Vector | float]] = [(scan, 1.0)]
    parts += _basis(lp, block, long, short, name)
    parts += _vega(lp, block, long, short, held, name)
    lp.row("requirement", [(required, 1.0), *((i, -np.asarray(v)) for i, v in parts)], lower=0.0)
    minimum: Vector = np.where(block.is_option, -block.params.short_min_rate * block.round_.spot, 0.0)
    lp.row("short minimum", [(required, 1.0), (short, minimum)], lower=0.0)
    _free_sizes(lp, block, long, short, held, linked[0], name)
    return required
