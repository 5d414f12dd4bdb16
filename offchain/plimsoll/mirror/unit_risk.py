"""Risk of one unit of every instrument of an underlying: priced once, whoever holds it.

Inside the settlement window a unit is what is still open of it; see :mod:`plimsoll.mirror.settlement_window`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.mirror import black76, svi, vol_shock
from plimsoll.mirror.linear import linear_unit
from plimsoll.mirror.scenario_book import FLAT, Book, Row
from plimsoll.mirror.settlement_window import Window, window_of
from plimsoll.model import Instrument, Round, Surface
from plimsoll.params import UnderlyingParams

Vector = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
#: The one row in which nothing moves, for what needs a mark alone.
_STILL: Final = Book((Row(0.0, FLAT, 0.0, 1.0),), ((0.0, FLAT, 1.0),))


@dataclass(frozen=True, slots=True)
class InstrumentRisk:
    """Per-unit risk of ``n`` instruments of one underlying.

    Attributes
    ----------
    row_pnl : ndarray, shape (n_rows, n)
        Cash per unit under each row, before the row's weight.
    gap : ndarray, shape (n_intervals, n)
        Cash by which a long unit can lie below its chord inside an interval; equal for call and put of one strike.
    mark, delta, gamma, vega, theta : ndarray, shape (n,)
        Mark of linear instruments is before the entry is subtracted (discounted for futures).
    cash_delta : ndarray, shape (n,)
        ``delta*F`` (options, futures) or ``P`` (perpetual), cash per unit.
    entry_factor : ndarray, shape (n,)
        What one unit of entry price takes off the value: D for futures, 1 for the perpetual, 0 for options.
    open_share : ndarray, shape (n,)
        Share of one unit that is not settled yet.
    """

    row_pnl: Vector
    gap: Vector
    mark: Vector
    delta: Vector
    gamma: Vector
    vega: Vector
    theta: Vector
    cash_delta: Vector
    entry_factor: Vector
    open_share: Vector


def certified_gap(step: float | Vector, price: tuple[Vector, Vector], delta: tuple[Vector, Vector]) -> Vector:
    """Largest distance of a convex value below its chord: ``h*(d1-c)*(c-d0)/(d1-d0)``.

    Parameters
    ----------
    step : float or ndarray
        ``h = F*(x1 - x0)``, cash, positive.
    price, delta : pair of ndarray
        Values and discounted deltas at the two ends.

    Returns
    -------
    ndarray
        At least 0; 0 where both deltas are equal.
    """
    chord = (price[1] - price[0]) / step
    spread = delta[1] - delta[0]
    curved = spread > 0.0
    room = np.maximum(delta[1] - chord, 0.0) * np.maximum(chord - delta[0], 0.0)
    return np.where(curved, step * room / np.where(curved, spread, 1.0), 0.0)


def _empty(n: int, book: Book) -> dict[str, Vector]:
    names = ("mark", "delta", "gamma", "vega", "theta", "cash_delta", "entry_factor")
    arrays = {name: np.zeros(n) for name in names}
    arrays["open_share"] = np.ones(n)
    arrays["row_pnl"] = np.zeros((len(book.rows), n))
    arrays["gap"] = np.zeros((len(book.intervals), n))
    return arrays


def open_volatility(round_: Round, instrument: Instrument) -> float:
    """Volatility per year at the open strike of an option; 0 where the strike is zero or below, or all is settled."""
    surface = round_.surface(instrument.expiry_ts)
    window = window_of(round_, instrument.expiry_ts)
    strike = instrument.strike - window.known * window.mean
    if window.open == 0.0 or strike <= 0.0:
        return 0.0
    log_moneyness = np.log(np.array(strike / window.open / surface.forward))
    return float(svi.volatility(surface.svi, log_moneyness, window.variance_time))


def mark_of(round_: Round, instrument: Instrument) -> float:
    """Value of one unit now, before the entry of a linear instrument is subtracted."""
    return float(price_instruments(round_, [instrument], UnderlyingParams(), _STILL).mark[0])


@dataclass(frozen=True, slots=True)
class _Strip:
    """Options of one expiry with positive open strikes, ready to be priced; ``share`` is what is open of a unit."""

    index: Index
    is_call: black76.Flags
    strike: Vector
    forward: Vector
    discount: Vector
    sigma: Vector
    root: float
    share: float

    def value(self, factor: float | Vector, std: Vector) -> tuple[Vector, Vector]:
        """Price and delta of the open unit with the forward multiplied by ``factor``."""
        return black76.price_and_delta(self.is_call, self.forward * factor, self.strike, std, self.discount)


def _fill_rows(
    out: dict[str, Vector], strip: _Strip, log_moneyness: Vector, time: float, params: UnderlyingParams, book: Book
) -> None:
    """P&L of every row and the gap of every interval."""
    base, _ = strip.value(1.0, strip.sigma * strip.root)
    shocked = np.array([vol_shock.shocked_volatility(strip.sigma, vol, time, params) for vol in (0, 1, 2)])
    skewed = vol_shock.skew_factor(book.skews[:, None], log_moneyness, time)
    values, deltas = strip.value(1.0 + book.moves[:, None], shocked[book.vols] * skewed * strip.root)
    out["row_pnl"][:, strip.index] = strip.share * (values - base)
    low, high = book.lows, book.highs
    steps = strip.forward[0] * (book.moves[high] - book.moves[low])[:, None]
    gaps = certified_gap(steps, (values[low], values[high]), (deltas[low], deltas[high]))
    out["gap"][:, strip.index] = strip.share * gaps


def _fill_strip(
    out: dict[str, Vector], strip: _Strip, surface: Surface, window: Window, params: UnderlyingParams, book: Book
) -> None:
    """Fill the columns of options whose open strike is positive."""
    log_moneyness = np.log(strip.strike / strip.forward)
    ones = np.ones_like(strip.strike)
    found = black76.greeks(
        strip.is_call,
        strip.forward,
        strip.strike,
        strip.sigma,
        window.time * ones,
        surface.rate * ones,
        window.variance_time * ones,
        1.0 / 3.0 if window.known > 0.0 else 1.0,
    )
    base, _ = strip.value(1.0, strip.sigma * strip.root)
    out["mark"][strip.index] = strip.share * base
    for name in ("delta", "gamma", "vega", "theta"):
        out[name][strip.index] = strip.share * getattr(found, name)
    out["cash_delta"][strip.index] = strip.share * found.delta * surface.forward
    _fill_rows(out, strip, log_moneyness, window.time, params, book)


def _fill_forwards(
    out: dict[str, Vector],
    index: Index,
    open_strike: Vector,
    share: float,
    surface: Surface,
    discount: float,
    book: Book,
) -> None:
    """Fill calls whose open strike is zero or below: a forward; the put of such a strike is nothing."""
    out["mark"][index] = share * discount * (surface.forward - open_strike)
    out["delta"][index] = share * discount
    out["theta"][index] = surface.rate * out["mark"][index]
    out["cash_delta"][index] = share * discount * surface.forward
    out["row_pnl"][:, index] = (share * discount * surface.forward * book.moves)[:, None]


def _price_options(
    out: dict[str, Vector],
    index: Index,
    instruments: Sequence[Instrument],
    round_: Round,
    params: UnderlyingParams,
    book: Book,
) -> None:
    """Fill the columns ``index`` (options of one expiry) of the per-unit arrays."""
    surface = round_.surface(instruments[int(index[0])].expiry_ts)
    window = window_of(round_, surface.expiry_ts)
    strike = np.array([instruments[i].strike for i in index])
    is_call = np.array([instruments[i].kind.is_call for i in index])
    out["open_share"][index] = window.open
    if window.open == 0.0:
        settled = window.mean - strike
        out["mark"][index] = np.maximum(np.where(is_call, settled, -settled), 0.0)
        return
    open_strike = (strike - window.known * window.mean) / window.open
    discount = float(np.exp(-surface.rate * window.time))
    curved = open_strike > 0.0
    linear = ~curved & is_call
    if linear.any():
        _fill_forwards(out, index[linear], open_strike[linear], window.open, surface, discount, book)
    if curved.any():
        positive = open_strike[curved]
        ones = np.ones_like(positive)
        sigma = svi.volatility(surface.svi, np.log(positive / surface.forward), window.variance_time)
        strip = _Strip(
            index=index[curved],
            is_call=is_call[curved],
            strike=positive,
            forward=surface.forward * ones,
            discount=discount * ones,
            sigma=sigma,
            root=float(np.sqrt(window.variance_time)),
            share=window.open,
        )
        _fill_strip(out, strip, surface, window, params, book)


def _price_linear(out: dict[str, Vector], i: int, instrument: Instrument, round_: Round, book: Book) -> None:
    """Fill column ``i`` for a linear instrument."""
    unit = linear_unit(round_, instrument.kind, instrument.expiry_ts)
    open_price = unit.share * unit.discount * unit.price
    out["mark"][i] = unit.value(0.0)
    out["delta"][i] = unit.delta
    out["cash_delta"][i] = open_price
    out["entry_factor"][i] = unit.entry_factor
    out["open_share"][i] = unit.share
    out["row_pnl"][:, i] = open_price * book.moves


def price_instruments(
    round_: Round, instruments: Sequence[Instrument], params: UnderlyingParams, book: Book
) -> InstrumentRisk:
    """Price every instrument once under every row.

    Parameters
    ----------
    round_ : Round
        The round that values everything.
    instruments : sequence of Instrument, length n
        Distinct.
    params : UnderlyingParams
        Shocks and charges.
    book : Book
        Scenario rows.

    Returns
    -------
    InstrumentRisk
        Per-unit arrays.

    Raises
    ------
    DomainError
        If an expiry is not in the round, or its settlement window is open and the round carries no mean.
    """
    out = _empty(len(instruments), book)
    by_expiry: dict[int, list[int]] = {}
    for i, instrument in enumerate(instruments):
        if instrument.is_option:
            by_expiry.setdefault(instrument.expiry_ts, []).append(i)
        else:
            _price_linear(out, i, instrument, round_, book)
    for members in by_expiry.values():
        _price_options(out, np.array(members, dtype=np.int64), instruments, round_, params, book)
    return InstrumentRisk(**out)
