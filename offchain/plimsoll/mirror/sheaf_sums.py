"""What portfolios hold in one underlying, added up by expiry under every round of a sheaf.

The formulas of :mod:`plimsoll.mirror.unit_risk` and ``exposure`` with the round as one more axis; where those have one
account to a row, here a row is one portfolio under one round, rounds outermost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.mirror import svi, vol_shock
from plimsoll.mirror.black76 import greeks, price_and_delta
from plimsoll.mirror.exposure import ExpirySums
from plimsoll.mirror.round_sheaf import RoundSheaf
from plimsoll.mirror.scenario_book import Book
from plimsoll.mirror.settlement_window import Window
from plimsoll.mirror.unit_risk import certified_gap
from plimsoll.model import Instrument
from plimsoll.params import UnderlyingParams

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SheafUnits:
    """One unit of ``k`` instruments of one expiry under ``n`` rounds.

    Attributes
    ----------
    row_pnl : ndarray, shape (n, n_rows, k)
        Of options, before weights; zeros of what is linear.
    strike_of : ndarray of int, shape (k,)
        Place of each option's strike among the ``s`` distinct ones, -1 of what is linear.
    gap : ndarray, shape (n, n_intervals, s)
    mark, cash_delta, vega : ndarray, shape (n, k)
        Mark of linear instruments is before the entry.
    entry_factor : ndarray, shape (n, k)
    is_option : ndarray of bool, shape (k,)
    open_share : float
    """

    row_pnl: Vector
    strike_of: npt.NDArray[np.int64]
    gap: Vector
    mark: Vector
    cash_delta: Vector
    vega: Vector
    entry_factor: Vector
    is_option: Flags
    open_share: float

    def value(self, entry: Vector) -> Vector:
        """Return what one unit that was entered at ``entry``, shape (k,), is worth, shape (n, k)."""
        return self.mark - entry * self.entry_factor

    def sums(self, quantity: Vector, entry: Vector) -> ExpirySums:
        """Add up portfolios.

        Parameters
        ----------
        quantity : ndarray, shape (m, k)
        entry : ndarray, shape (k,)

        Returns
        -------
        ExpirySums
            Of ``n*m`` rows, the portfolio innermost.
        """
        options = np.where(self.is_option, quantity, 0.0)
        netting = np.zeros((len(self.strike_of), self.gap.shape[2]))
        held = np.flatnonzero(self.strike_of >= 0)
        netting[held, self.strike_of[held]] = 1.0
        long = np.maximum(options @ netting, 0.0)
        rows = len(self.mark) * len(quantity)

        def by_row(unit: Vector, size: Vector) -> Vector:
            """From (n, rows, k) and (m, k) to (n*m, rows)."""
            return np.asarray(np.swapaxes(unit @ size.T, 1, 2).reshape(rows, unit.shape[1]))

        def flat(unit: Vector, size: Vector) -> Vector:
            return np.asarray((unit @ size.T).reshape(rows))

        sold = np.maximum(-options, 0.0).sum(axis=1) * self.open_share
        return ExpirySums(
            pnl=by_row(self.row_pnl, options),
            gaps=by_row(self.gap, long),
            linear=flat(self.cash_delta, quantity - options),
            net=flat(self.cash_delta, quantity),
            value=flat(self.value(entry), quantity),
            vega=flat(self.vega, options),
            short_units=np.tile(sold, len(self.mark)),
        )


def no_sums(rows: int, book: Book) -> ExpirySums:
    """Return what nothing adds up to."""
    nothing = np.zeros(rows)
    return ExpirySums(
        np.zeros((rows, len(book.rows))), np.zeros((rows, len(book.intervals))), *(nothing for _ in range(5))
    )


@dataclass(frozen=True, slots=True)
class _Strip:
    """Options of one expiry under every round: open strikes and volatilities, shape (n, k); the rest (n, 1)."""

    is_call: Flags
    curved: Flags
    strike: Vector
    forward: Vector
    discount: Vector
    sigma: Vector
    log_moneyness: Vector
    window: Window

    @property
    def root(self) -> float:
        return float(np.sqrt(self.window.variance_time))


def _strip(sheaf: RoundSheaf, expiry_ts: int, strike: Vector, is_call: Flags) -> _Strip:
    """Open strikes and volatilities; one that is zero or below is a forward and stands at the money meanwhile."""
    surface, window = sheaf.surface(expiry_ts), sheaf.window(expiry_ts)
    forward = surface.forward[:, None]
    open_strike = (strike - window.known * sheaf.mean[:, None]) / window.open
    curved = open_strike > 0.0
    log_moneyness = np.log(np.where(curved, open_strike, forward) / forward)
    slices = svi.Slices(*(numbers[:, None] for numbers in surface.svi))
    return _Strip(
        is_call=is_call,
        curved=curved,
        strike=open_strike,
        forward=forward,
        discount=sheaf.discount(expiry_ts)[:, None],
        sigma=svi.volatility(slices, log_moneyness, window.variance_time),
        log_moneyness=log_moneyness,
        window=window,
    )


def _walk(strip: _Strip, base: Vector, params: UnderlyingParams, book: Book) -> tuple[Vector, Vector, Vector]:
    """P&L of every row, shape (n, n_rows, k), and prices and deltas of the rows for the gaps."""
    window, safe = strip.window, np.where(strip.curved, strip.strike, strip.forward)
    shocked = np.stack(
        [vol_shock.shocked_volatility(strip.sigma, vol, window.time, params) for vol in (0, 1, 2)], axis=1
    )
    skewed = vol_shock.skew_factor(book.skews[:, None], strip.log_moneyness[:, None, :], window.time)
    std = shocked[:, book.vols] * skewed * strip.root
    forward = strip.forward[:, :, None] * (1.0 + book.moves[:, None])
    values, deltas = price_and_delta(strip.is_call, forward, safe[:, None, :], std, strip.discount[:, :, None])
    return window.open * (values - base[:, None, :]), values, deltas


def _gaps(
    strip: _Strip, values: Vector, deltas: Vector, first: npt.NDArray[np.int64], long: Flags, book: Book
) -> Vector:
    """Gap of every interval for one option of each strike, shape (n, n_intervals, s); 0 of strikes that are not long.

    ``first`` is the place of the first option of each strike.
    """
    out = np.zeros((len(strip.forward), len(book.intervals), len(first)))
    low, high, kept = book.lows, book.highs, first[long]
    if len(kept):
        steps = strip.forward[:, :, None] * (book.moves[high] - book.moves[low])[:, None]
        values, deltas = values[:, :, kept], deltas[:, :, kept]
        gaps = certified_gap(steps, (values[:, low], values[:, high]), (deltas[:, low], deltas[:, high]))
        out[:, :, long] = strip.window.open * gaps * strip.curved[:, None, kept]
    return out


def _options(
    sheaf: RoundSheaf,
    expiry_ts: int,
    strike: Vector,
    is_call: Flags,
    quantity: Vector,
    params: UnderlyingParams,
    book: Book,
) -> SheafUnits:
    """Price options of one expiry under every round and row."""
    n, k, window = len(sheaf), len(strike), sheaf.window(expiry_ts)
    _, first, strike_of = np.unique(strike, return_index=True, return_inverse=True)
    long = np.bincount(strike_of, quantity) > 0.0
    zeros = np.zeros((n, k))
    if window.open == 0.0:
        settled = sheaf.mean[:, None] - strike
        return SheafUnits(
            row_pnl=np.zeros((n, len(book.rows), k)),
            strike_of=strike_of.astype(np.int64),
            gap=np.zeros((n, len(book.intervals), len(first))),
            mark=np.maximum(np.where(is_call, settled, -settled), 0.0),
            cash_delta=zeros,
            vega=zeros,
            entry_factor=zeros,
            is_option=np.ones(k, dtype=np.bool_),
            open_share=0.0,
        )
    strip = _strip(sheaf, expiry_ts, strike, is_call)
    safe, variance_time = np.where(strip.curved, strip.strike, strip.forward), np.array(window.variance_time)
    base, _ = price_and_delta(is_call, strip.forward, safe, strip.sigma * strip.root, strip.discount)
    unit = greeks(
        is_call,
        strip.forward,
        safe,
        strip.sigma,
        np.array(window.time),
        sheaf.surface(expiry_ts).rate[:, None],
        variance_time,
    )
    row_pnl, values, deltas = _walk(strip, base, params, book)
    mark, cash_delta = window.open * base, window.open * unit.delta * strip.forward
    if not strip.curved.all():
        # A call whose open strike is zero or below is a forward; the put of such a strike is nothing.
        worth = window.open * strip.discount * is_call
        mark = np.where(strip.curved, mark, worth * (strip.forward - strip.strike))
        cash_delta = np.where(strip.curved, cash_delta, worth * strip.forward)
        straight = (worth * strip.forward)[:, None, :] * book.moves[:, None]
        row_pnl = np.where(strip.curved[:, None, :], row_pnl, straight)
    return SheafUnits(
        row_pnl=row_pnl,
        strike_of=strike_of.astype(np.int64),
        gap=_gaps(strip, values, deltas, first, long, book),
        mark=mark,
        cash_delta=cash_delta,
        vega=window.open * unit.vega * strip.curved,
        entry_factor=zeros,
        is_option=np.ones(k, dtype=np.bool_),
        open_share=window.open,
    )


def _linear(sheaf: RoundSheaf, expiry_ts: int, book: Book) -> SheafUnits:
    """Look at the future of an expiry, or the perpetual, under every round."""
    n = len(sheaf)
    if expiry_ts:
        window = sheaf.window(expiry_ts)
        price, discount = sheaf.surface(expiry_ts).forward, sheaf.discount(expiry_ts)
        known, share = window.known * sheaf.mean, window.open
    else:
        price, discount, known, share = sheaf.perp, np.ones(n), np.zeros(n), 1.0
    return SheafUnits(
        row_pnl=np.zeros((n, len(book.rows), 1)),
        strike_of=np.full(1, -1, dtype=np.int64),
        gap=np.zeros((n, len(book.intervals), 0)),
        mark=(discount * (share * price + known))[:, None],
        cash_delta=(share * discount * price)[:, None],
        vega=np.zeros((n, 1)),
        entry_factor=discount[:, None],
        is_option=np.zeros(1, dtype=np.bool_),
        open_share=share,
    )


def _beside(left: SheafUnits, right: SheafUnits) -> SheafUnits:
    """Put the units of one expiry side by side: its options, then its future."""
    return SheafUnits(
        row_pnl=np.concatenate((left.row_pnl, right.row_pnl), axis=2),
        strike_of=np.concatenate((left.strike_of, right.strike_of)),
        gap=np.concatenate((left.gap, right.gap), axis=2),
        mark=np.concatenate((left.mark, right.mark), axis=1),
        cash_delta=np.concatenate((left.cash_delta, right.cash_delta), axis=1),
        vega=np.concatenate((left.vega, right.vega), axis=1),
        entry_factor=np.concatenate((left.entry_factor, right.entry_factor), axis=1),
        is_option=np.concatenate((left.is_option, right.is_option)),
        open_share=left.open_share,
    )


def sheaf_units(
    sheaf: RoundSheaf, instruments: Sequence[Instrument], quantity: Vector, params: UnderlyingParams, book: Book
) -> SheafUnits:
    """Price one unit of instruments of one expiry under every round of a sheaf.

    Parameters
    ----------
    sheaf : RoundSheaf
    instruments : sequence of Instrument
        Distinct, of one expiry, sorted: options come first.
    quantity : ndarray, shape (k,)
        What is held of each: gaps are computed for the strikes alone that are long, of calls and puts together, and
        no portfolio that is added up later may be long in others.
    params : UnderlyingParams
    book : Book

    Returns
    -------
    SheafUnits

    Raises
    ------
    DomainError
        If the expiry is not in the rounds, or its settlement window is open and they carry no mean.

    Notes
    -----
    Within 1e-12 of :func:`plimsoll.mirror.unit_risk.price_instruments`, relative to spot.
    """
    expiry_ts = instruments[0].expiry_ts
    options = [instrument for instrument in instruments if instrument.is_option]
    parts = []
    if options:
        strike = np.array([instrument.strike for instrument in options])
        is_call = np.array([instrument.kind.is_call for instrument in options])
        parts.append(_options(sheaf, expiry_ts, strike, is_call, quantity[: len(options)], params, book))
    if len(options) < len(instruments):
        parts.append(_linear(sheaf, expiry_ts, book))
    return parts[0] if len(parts) == 1 else _beside(*parts)
