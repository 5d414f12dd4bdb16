"""What one unit of every instrument of an underlying adds to its holder: priced once per round, whoever holds it.

The same quantities as :mod:`plimsoll.mirror.unit_risk`, from columns instead of objects, in the form that the kernel
adds up. Inside a settlement window a unit is what is still open of it. A call is a put and a forward, in every
scenario: rows and gaps are kept for one put of each strike, and the forward counts as linear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.errors import DomainError
from plimsoll.mirror import svi, vol_shock
from plimsoll.mirror.fleet.layout import VOLS, Grid, Shape
from plimsoll.mirror.fleet.reasons import Reason
from plimsoll.mirror.kernels import price_and_delta, price_and_greeks
from plimsoll.mirror.linear import linear_unit
from plimsoll.mirror.settlement_window import Window, window_of
from plimsoll.mirror.unit_risk import certified_gap
from plimsoll.model import CALLS, OPTIONS, Kind, Round, Surface
from plimsoll.params import UnderlyingParams

Vector = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class UnitRows:
    """Per-unit arrays of ``n`` instruments of one underlying.

    Attributes
    ----------
    rows : ndarray, shape (n, shape.row)
        Of a put: weighted losses by (vol state, price), then what the plus and the minus side of each skew pair lose
        beyond their place. Filled for the first instrument of each strike.
    gap : ndarray, shape (n, 3*shape.width)
        Weighted gaps of what is long, likewise.
    mark, cash_delta, vega : ndarray, shape (n,)
        Mark of linear instruments is before the entry.
    straight : ndarray, shape (n,)
        Cash delta of what is linear in it: all of a future or perpetual, the forward in a call.
    entry_factor, open_share : ndarray, shape (n,)
    scan_long, scan_short : ndarray, shape (n,)
        Worst weighted loss of one unit held, between nodes too, and of one unit sold.
    long_alone, short_alone : ndarray, shape (n,)
        What one unit held or sold needs alone, without size; of options.
    problem : ndarray of uint8, shape (n,)
        Reason why it has no price, 0 when it has one.
    """

    rows: Vector
    gap: Vector
    mark: Vector
    cash_delta: Vector
    vega: Vector
    straight: Vector
    entry_factor: Vector
    open_share: Vector
    scan_long: Vector
    scan_short: Vector
    long_alone: Vector
    short_alone: Vector
    problem: npt.NDArray[np.uint8]

    @classmethod
    def empty(cls, n: int, shape: Shape) -> UnitRows:
        """Return ``n`` instruments that nobody has priced."""
        return cls(
            rows=np.zeros((n, shape.row)),
            gap=np.zeros((n, VOLS * shape.width)),
            mark=np.zeros(n),
            cash_delta=np.zeros(n),
            vega=np.zeros(n),
            straight=np.zeros(n),
            entry_factor=np.zeros(n),
            open_share=np.zeros(n),
            scan_long=np.zeros(n),
            scan_short=np.zeros(n),
            long_alone=np.zeros(n),
            short_alone=np.zeros(n),
            problem=np.full(n, Reason.NO_ROUND, dtype=np.uint8),
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Instruments to price, all of one underlying; ``curve`` is the place among them of the first of each strike."""

    kind: Index
    expiry_ts: Index
    strike: Vector
    curve: Index
    basis_rate: Vector

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True)
class Pricing:
    """All that prices the instruments of one underlying."""

    round_: Round
    params: UnderlyingParams
    grid: Grid
    shape: Shape

    def put_rows(self, out: UnitRows, index: Index, pnl: Vector) -> None:
        """Store losses and skew differences from the P&L of puts, shape (n, n_rows)."""
        book, width = self.grid.book, self.shape.width
        out.rows[index, : VOLS * width] = self.grid.dense(-pnl[:, : book.nodes] * book.weights, width)
        if self.grid.places:
            plus, minus = np.array(book.skew_pairs).T
            start, places = VOLS * width, self.grid.places
            for first, side in ((start, plus), (start + self.shape.places, minus)):
                out.rows[index, first : first + places] = pnl[:, book.skew_nodes] - pnl[:, side]


def _linear(pricing: Pricing, out: UnitRows, index: Index, kind: Kind, expiry_ts: int) -> None:
    """Price what is of one linear kind and one expiry."""
    unit = linear_unit(pricing.round_, kind, expiry_ts)
    out.entry_factor[index], out.open_share[index] = unit.entry_factor, unit.share
    out.mark[index] = unit.value(0.0)
    out.cash_delta[index] = out.straight[index] = unit.share * unit.discount * unit.price


def _walk(pricing: Pricing, out: UnitRows, index: Index, strip: tuple[Vector, Vector], sides: _Sides) -> None:
    """Price puts under every row, and their gaps."""
    (strike, sigma), book = strip, pricing.grid.book
    surface, window = sides.surface, sides.window
    k = np.log(strike / surface.forward)[:, None]
    shocked = np.array([vol_shock.shocked_volatility(sigma, v, window.time, pricing.params) for v in range(VOLS)]).T
    std = shocked[:, book.vols] * vol_shock.skew_factor(book.skews, k, window.time) * sides.root
    forwards = surface.forward * (1.0 + book.moves)
    put, discount = np.zeros((1, 1), dtype=np.bool_), np.array(sides.discount)
    values, deltas = price_and_delta(put, forwards, strike[:, None], std, discount)
    base, _ = price_and_delta(put[0], np.array(surface.forward), strike, sigma * sides.root, discount)
    pricing.put_rows(out, index, window.open * (values - base[:, None]))
    low, high = book.lows, book.highs
    steps = surface.forward * (book.moves[high] - book.moves[low])
    gaps = certified_gap(steps, (values[:, low], values[:, high]), (deltas[:, low], deltas[:, high]))
    # The gap carries the larger weight of its interval's two ends.
    weighted = window.open * gaps * np.maximum(book.weights[low], book.weights[high])
    out.gap[index] = pricing.grid.dense_gaps(weighted, pricing.shape.width)


@dataclass(frozen=True, slots=True)
class _Sides:
    """One expiry at a round."""

    surface: Surface
    window: Window
    discount: float
    root: float


def _curved(
    pricing: Pricing, out: UnitRows, index: Index, is_call: Flags, strike: Vector, first: Flags, sides: _Sides
) -> None:
    """Price options of one expiry with positive open strikes; ``first`` marks those whose rows are kept."""
    surface, window = sides.surface, sides.window
    sigma = svi.volatility(surface.svi, np.log(strike / surface.forward), window.variance_time)
    # Deviation and discount are those of two times: the kernel is given a year of the deviation.
    rate = np.array(surface.rate * window.time)
    one = np.array(1.0)
    mark, greeks = price_and_greeks(is_call, np.array(surface.forward), strike, sigma * sides.root, one, rate)
    out.mark[index] = window.open * mark
    out.cash_delta[index] = window.open * greeks.delta * surface.forward
    out.vega[index] = window.open * greeks.vega * sides.root
    _walk(pricing, out, index[first], (strike[first], sigma[first]), sides)


def _options(pricing: Pricing, out: UnitRows, index: Index, wanted: Wanted, expiry_ts: int) -> None:
    """Price options of one expiry."""
    surface = pricing.round_.surface(expiry_ts)
    window = window_of(pricing.round_, expiry_ts)
    is_call, strike = np.isin(wanted.kind[index], CALLS), wanted.strike[index]
    out.open_share[index] = window.open
    if window.open == 0.0:
        settled = np.where(is_call, window.mean - strike, strike - window.mean)
        out.mark[index] = np.maximum(settled, 0.0)
        return
    open_strike = (strike - window.known * window.mean) / window.open
    scale = window.open * np.exp(-surface.rate * window.time)
    out.straight[index] = np.where(is_call, scale * surface.forward, 0.0)
    # A call whose open strike is zero or below is a forward, the put of such a strike is nothing.
    gone = open_strike <= 0.0
    forward = gone & is_call
    out.mark[index[forward]] = scale * (surface.forward - open_strike[forward])
    out.cash_delta[index[forward]] = scale * surface.forward
    if not gone.all():
        left, first = ~gone, wanted.curve[index] == index
        root = float(np.sqrt(window.variance_time))
        sides = _Sides(surface, window, float(np.exp(-surface.rate * window.time)), root)
        _curved(pricing, out, index[left], is_call[left], open_strike[left], first[left], sides)


def _alone(pricing: Pricing, out: UnitRows, wanted: Wanted) -> None:
    """Find what single units need, from what stands."""
    width, places = VOLS * pricing.shape.width, pricing.shape.places
    straight, _ = pricing.grid.straight(pricing.shape.width)
    options = np.isin(wanted.kind, OPTIONS)[:, None]
    rows = np.where(options, out.rows[wanted.curve], 0.0)
    losses = rows[:, :width] + out.straight[:, None] * straight
    gaps = np.where(options, out.gap[wanted.curve], 0.0)
    out.scan_long[:] = _between(losses, gaps, pricing.shape.width)
    out.scan_short[:] = (-losses).max(axis=1, initial=0.0)
    skew = rows[:, width : width + 2 * places]
    cash_leg = np.abs(out.cash_delta - out.mark) * out.open_share
    basis = np.maximum(np.abs(out.cash_delta), cash_leg) * wanted.basis_rate
    params = pricing.params
    least = params.short_min_rate * pricing.round_.spot * out.open_share
    held, sold = (params.skew_rate * side.max(axis=1, initial=0.0) for side in (skew, -skew))
    out.long_alone[:] = out.scan_long + basis + held
    out.short_alone[:] = np.maximum(out.scan_short + basis + sold, least)


def _between(losses: Vector, gaps: Vector, width: int) -> Vector:
    """Return the worst loss of each row of two tables, shape (n, 3*width), at nodes and in the intervals above them."""
    loss, gap = (table.reshape(len(table), VOLS, width) for table in (losses, gaps))
    worst = np.maximum(loss[:, :, :-1], loss[:, :, 1:]) + gap[:, :, :-1]
    found: Vector = worst.max(axis=(1, 2), initial=0.0)
    return found


def _reason(pricing: Pricing, expiry_ts: int) -> Reason:
    """Say why an expiry cannot be priced."""
    try:
        pricing.round_.surface(expiry_ts)
    except DomainError:
        return Reason.NO_EXPIRY
    return Reason.NO_MEAN


def unit_rows(pricing: Pricing, wanted: Wanted) -> UnitRows:
    """Price every instrument of one underlying under every row.

    Parameters
    ----------
    pricing : Pricing
    wanted : Wanted
        All instruments of the underlying.

    Returns
    -------
    UnitRows
        What has no price carries the reason, and nobody else is affected.
    """
    out = UnitRows.empty(len(wanted), pricing.shape)
    out.problem[:] = Reason.NONE
    options = np.isin(wanted.kind, OPTIONS)
    for expiry in np.unique(wanted.expiry_ts).tolist():
        members = np.flatnonzero(wanted.expiry_ts == expiry)
        is_option = options[members]
        linear = members[~is_option]
        try:
            for kind in np.unique(wanted.kind[linear]).tolist():
                _linear(pricing, out, linear[wanted.kind[linear] == kind], Kind(kind), expiry)
            if is_option.any():
                _options(pricing, out, members[is_option], wanted, expiry)
        except DomainError:
            out.problem[members] = _reason(pricing, expiry)
    _alone(pricing, out, wanted)
    # A sum is finite where all of its parts are: values stay far from the largest float.
    finite = np.isfinite(out.rows.sum(axis=1) + out.gap.sum(axis=1))
    numbers = out.mark + out.cash_delta + out.vega + out.straight + out.long_alone + out.short_alone
    finite = finite[wanted.curve] & np.isfinite(numbers)
    out.problem[~finite] |= np.uint8(Reason.NOT_FINITE)
    return out
