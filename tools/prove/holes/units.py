"""What one unit of every instrument of an underlying does under every row: the mirror's arrays behind the requirement.

Columns of an underlying are the perpetual, then for each expiry its future and its calls. A put is a call and a
future. Everything is per unit of spot, forwards at spot and rates at zero (a rate scales an expiry as a whole), so
that one program serves every price level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.scenario_book import Book, scenario_book
from plimsoll.mirror.unit_risk import InstrumentRisk, price_instruments
from plimsoll.model import Instrument, Kind, Round, Surface, Svi
from plimsoll.params import BookSpec, UnderlyingParams
from tools.prove.holes.layout import Layout, layout_of
from tools.prove.holes.pricing import Slice
from tools.prove.holes.sample import DAY, Expiry

Vector = npt.NDArray[np.float64]
#: The mirror's vol states on the line that the search walks.
STATES: Final = (1.0, 0.0, -1.0)
#: When every unit is priced; only the time from here to an expiry counts.
START_TS: Final = 1_000_000


@dataclass(frozen=True)
class ExpiryUnits:
    """Arrays of one expiry over its future and calls (column 0 is the future).

    ``pnl`` maps a vol state to P&L (prices, columns), ``gap`` a vol state to (steps, columns) of long options,
    ``skew`` is the P&L of both sides of every pair beyond that of its node (places, sides, columns); ``charge`` is the
    basis rate. ``slice`` prices the same calls with the search's own code.
    """

    slice: Slice
    pnl: dict[float, Vector]
    gap: dict[float, Vector]
    skew: Vector
    delta: Vector
    cash_leg: Vector
    charge: float
    omega: float


@dataclass(frozen=True)
class Units:
    """Arrays of one underlying; column 0 is the perpetual, then the expiries one after the other."""

    symbol: str
    params: UnderlyingParams
    layout: Layout
    expiries: tuple[ExpiryUnits, ...]

    @property
    def starts(self) -> list[int]:
        """First column of each expiry, and the number of columns."""
        sizes = [e.delta.size for e in self.expiries]
        return [1 + sum(sizes[:i]) for i in range(len(sizes) + 1)]


def _with_future(future: Vector, calls: Vector) -> Vector:
    return np.concatenate([future[..., None], calls], axis=-1)


def _priced(expiry: Expiry, strikes: Vector, p: UnderlyingParams, book: Book) -> InstrumentRisk:
    """Per-unit arrays of the mirror."""
    ends = START_TS + expiry.tau
    surface = Surface(ends, 1.0, 0.0, Svi(**expiry.svi))
    round_ = Round("U", START_TS, 1.0, 1.0, 1.0, (surface,), None)
    return price_instruments(round_, [Instrument(Kind.CALL, ends, float(k)) for k in strikes], p, book)


def _by_price(rows: dict[tuple[float, float], Vector], layout: Layout, state: float, calls: int) -> Vector:
    """P&L of one vol state at every price of the layout; what is no row stays empty and is never read."""
    nothing = np.full(calls, np.nan)
    found = np.array([rows.get((float(x), state), nothing) for x in layout.moves])
    return _with_future(layout.moves, found)


def _gaps(unit: InstrumentRisk, book: Book, layout: Layout, state: float, calls: int) -> Vector:
    """Gaps of one vol state over every step of the layout."""
    found = np.zeros((len(layout.steps), calls))
    places = {float(x): i for i, x in enumerate(layout.moves)}
    for number, (low, _) in enumerate(book.intervals):
        if STATES[book.rows[low].vol] == state:
            found[places[book.rows[low].price]] = unit.gap[number]
    return _with_future(np.zeros(len(layout.steps)), found)


def expiry_units(expiry: Expiry, strikes: Vector, p: UnderlyingParams, spec: BookSpec, layout: Layout) -> ExpiryUnits:
    """Arrays of one expiry."""
    book = scenario_book(spec, p.price_range)
    part, unit = Slice(expiry, strikes, p), _priced(expiry, strikes, p, book)
    rows = {(row.price, STATES[row.vol]): unit.row_pnl[i] for i, row in enumerate(book.rows[: book.nodes])}
    states = sorted({s for found in layout.states for s in found})
    skew = [
        [unit.row_pnl[side] - rows[book.rows[side].price, STATES[book.rows[side].vol]] for side in pair]
        for pair in book.skew_pairs
    ]
    return ExpiryUnits(
        slice=part,
        pnl={s: _by_price(rows, layout, s, strikes.size) for s in states},
        gap={s: _gaps(unit, book, layout, s, strikes.size) for s in states},
        skew=_with_future(np.zeros((len(skew), 2)), np.array(skew).reshape(len(skew), 2, strikes.size)),
        delta=np.r_[1.0, unit.cash_delta],
        cash_leg=np.r_[1.0, unit.cash_delta - unit.mark],
        charge=max(p.basis_min, float(np.exp(p.basis_rate * expiry.years)) - 1.0),
        omega=float(np.clip((DAY - expiry.tau) / (22.0 * 3_600.0), 0.0, 1.0)),
    )


def units_of(
    symbol: str, expiries: tuple[Expiry, ...], strikes: list[Vector], p: UnderlyingParams, spec: BookSpec
) -> Units:
    """Arrays of one underlying at its own price range."""
    layout = layout_of(spec, p.price_range)
    found = [expiry_units(e, k, p, spec, layout) for e, k in zip(expiries, strikes, strict=True)]
    return Units(symbol, p, layout, tuple(found))
