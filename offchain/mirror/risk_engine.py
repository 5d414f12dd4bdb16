"""Risk of many accounts in one underlying; mirror of contracts/risk/RiskEngine.sol.

Axis order everywhere: (account, scenario, instrument). Every instrument is priced once; accounts are
then products of a quantity matrix with the per-unit arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from offchain.errors import DomainError
from offchain.mirror import black76, svi, vol_shock
from offchain.mirror.scenario_book import Book
from offchain.model import Kind, Round, Surface
from offchain.params import UnderlyingParams

Vector = npt.NDArray[np.float64]
YEAR_SEC = 365 * 86_400


class Instrument(NamedTuple):
    """What can be held in one underlying; ``strike`` is 0 for linear instruments, ``expiry_ts`` 0 for the perpetual."""

    kind: Kind
    expiry_ts: int
    strike: float


@dataclass(frozen=True, slots=True)
class InstrumentRisk:
    """Per-unit risk of ``n`` instruments of one underlying.

    Attributes
    ----------
    row_pnl : ndarray, shape (n_rows, n)
        Cash per unit under each row, before the row's weight.
    gap : ndarray, shape (n_intervals, n)
        Cash by which a long unit can lie below its chord inside an interval.
    mark, delta, gamma, vega, theta : ndarray, shape (n,)
        Mark of linear instruments is before the entry is subtracted (discounted for futures).
    cash_delta : ndarray, shape (n,)
        ``delta*F`` (options, futures) or ``P`` (perpetual), cash per unit.
    shocked_vega : ndarray, shape (n,)
        ``vega*sigma*volUp*g``, cash per unit.
    entry_factor : ndarray, shape (n,)
        What one unit of entry price takes off the value: D for futures, 1 for the perpetual, 0 for options.
    reference : ndarray, shape (n,)
        Price that standard margin of a linear instrument is a fraction of.
    """

    row_pnl: Vector
    gap: Vector
    mark: Vector
    delta: Vector
    gamma: Vector
    vega: Vector
    theta: Vector
    cash_delta: Vector
    shocked_vega: Vector
    entry_factor: Vector
    reference: Vector


@dataclass(frozen=True, slots=True)
class UnderlyingRisk:
    """Risk of ``n_acct`` accounts in one underlying; every array has the account as first axis, money in cash.

    ``by_expiry`` has the axes (account, expiry, greek): expiries in the order of :func:`expiries_of`, then delta,
    gamma, vega, theta.
    """

    row_pnl: Vector
    scan: Vector
    certified_scan: Vector
    basis: Vector
    vega_term: Vector
    short_min: Vector
    concentration: Vector
    requirement: Vector
    worst_row: npt.NDArray[np.int64]
    delta: Vector
    gamma: Vector
    vega: Vector
    theta: Vector
    mark_to_market: Vector
    gross_notional: Vector
    by_expiry: Vector


def time_to_expiry(expiry_ts: int, ts: int) -> float:
    """Years from ``ts`` to ``expiry_ts``, never negative."""
    return max(expiry_ts - ts, 0) / YEAR_SEC


def surface_of(round_: Round, expiry_ts: int) -> Surface:
    """Slice of one expiry.

    Raises
    ------
    DomainError
        If the round does not list the expiry: nothing is valued from another date.
    """
    for surface in round_.surfaces:
        if surface.expiry_ts == expiry_ts:
            return surface
    raise DomainError(round_.underlying, f"expiry {expiry_ts} is not in the round of {round_.ts}")


def _empty(n: int, book: Book) -> dict[str, Vector]:
    arrays = {
        name: np.zeros(n)
        for name in (
            "mark", "delta", "gamma", "vega", "theta", "cash_delta", "shocked_vega", "entry_factor", "reference",
        )
    }  # fmt: skip
    arrays["row_pnl"] = np.zeros((len(book.rows), n))
    arrays["gap"] = np.zeros((len(book.intervals), n))
    return arrays


def certified_gap(step: float, price: tuple[Vector, Vector], delta: tuple[Vector, Vector]) -> Vector:
    """Largest distance of a convex value below its chord: ``h*(d1-c)*(c-d0)/(d1-d0)``.

    Parameters
    ----------
    step : float
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


def _price_options(
    out: dict[str, Vector],
    index: npt.NDArray[np.int64],
    instruments: Sequence[Instrument],
    surface: Surface,
    ts: int,
    params: UnderlyingParams,
    book: Book,
) -> None:
    """Fill the columns ``index`` (options of one expiry) of the per-unit arrays."""
    time = time_to_expiry(surface.expiry_ts, ts)
    strike = np.array([instruments[i].strike for i in index])
    is_call = np.array([instruments[i].kind == Kind.CALL for i in index])
    forward, rate = surface.forward, surface.rate
    discount = np.float64(np.exp(-rate * time))
    log_moneyness = np.log(strike / forward)
    sigma = svi.volatility(surface.svi, log_moneyness, time)
    root = np.sqrt(time)
    ones = np.ones_like(strike)
    base, _ = black76.price_and_delta(is_call, forward * ones, strike, sigma * root, discount * ones)
    unit = black76.greeks(is_call, forward * ones, strike, sigma, time * ones, rate * ones)
    out["mark"][index] = base
    out["delta"][index], out["gamma"][index] = unit.delta, unit.gamma
    out["vega"][index], out["theta"][index] = unit.vega, unit.theta
    out["cash_delta"][index] = unit.delta * forward
    out["shocked_vega"][index] = unit.vega * sigma * params.vol_up * vol_shock.term_factor(time)
    shocked = {vol: vol_shock.shocked_volatility(sigma, vol, time, params) for vol in (0, 1, 2)}
    values, deltas = [], []
    for row in book.rows:
        std = shocked[row.vol] * vol_shock.skew_factor(row.skew, log_moneyness, time) * root
        value, delta = black76.price_and_delta(
            is_call, forward * (1.0 + row.price) * ones, strike, std, discount * ones
        )
        values.append(value)
        deltas.append(delta)
    out["row_pnl"][:, index] = np.array(values) - base
    for j, (lo, hi) in enumerate(book.intervals):
        step = forward * (book.rows[hi].price - book.rows[lo].price)
        out["gap"][j, index] = certified_gap(step, (values[lo], values[hi]), (deltas[lo], deltas[hi]))


def _price_linear(out: dict[str, Vector], i: int, instrument: Instrument, round_: Round, book: Book) -> None:
    """Fill column ``i`` for a future or the perpetual."""
    if instrument.kind == Kind.PERP:
        discount, price = 1.0, round_.perp
    else:
        surface = surface_of(round_, instrument.expiry_ts)
        discount = float(np.exp(-surface.rate * time_to_expiry(surface.expiry_ts, round_.ts)))
        price = surface.forward
    out["mark"][i] = discount * price
    out["delta"][i] = discount
    out["cash_delta"][i] = discount * price
    out["entry_factor"][i] = discount
    out["reference"][i] = price
    out["row_pnl"][:, i] = discount * price * book.moves


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
        If an expiry is not in the round.
    """
    out = _empty(len(instruments), book)
    by_expiry: dict[int, list[int]] = {}
    for i, instrument in enumerate(instruments):
        if instrument.kind in (Kind.CALL, Kind.PUT):
            by_expiry.setdefault(instrument.expiry_ts, []).append(i)
        else:
            _price_linear(out, i, instrument, round_, book)
    for expiry_ts, members in by_expiry.items():
        surface = surface_of(round_, expiry_ts)
        _price_options(out, np.array(members), instruments, surface, round_.ts, params, book)
    return InstrumentRisk(**out)


def _by_expiry(quantity: Vector, per_unit: Vector, instruments: Sequence[Instrument], linear: bool) -> Vector:
    """Sum ``quantity*per_unit`` per expiry, shape (n_acct, n_expiries); futures only when ``linear``."""
    kinds = (Kind.CALL, Kind.PUT, Kind.FUTURE) if linear else (Kind.CALL, Kind.PUT)
    expiries = sorted({ins.expiry_ts for ins in instruments if ins.kind in kinds})
    member = np.zeros((len(instruments), len(expiries)))
    for i, instrument in enumerate(instruments):
        if instrument.kind in kinds:
            member[i, expiries.index(instrument.expiry_ts)] = per_unit[i]
    return quantity @ member


def expiries_of(instruments: Sequence[Instrument]) -> list[int]:
    """Return the expiries that greeks are reported for: 0 for what never expires, then rising."""
    return sorted({0, *(ins.expiry_ts for ins in instruments)})


def expiry_greeks(
    quantity: Vector, unit: InstrumentRisk, instruments: Sequence[Instrument], linked_units: Vector
) -> Vector:
    """Sum the greeks per expiry, shape (n_acct, n_expiries, 4); perpetuals and linked collateral under expiry 0."""
    expiries = expiries_of(instruments)
    member = np.zeros((len(instruments), len(expiries)))
    for i, instrument in enumerate(instruments):
        member[i, expiries.index(instrument.expiry_ts)] = 1.0
    per_unit = np.stack((unit.delta, unit.gamma, unit.vega, unit.theta), axis=-1)
    sums: Vector = np.einsum("ai,ie,ig->aeg", quantity, member, per_unit, optimize=True)
    sums[:, 0, 0] += linked_units
    return sums


def basis_charge(
    quantity: Vector, unit: InstrumentRisk, instruments: Sequence[Instrument], round_: Round, params: UnderlyingParams
) -> Vector:
    """``sum_e |N_e|*max(basisMin, exp(basisRate*T_e) - 1) + |q_perp*P|*perpBasis``, shape (n_acct,)."""
    expiries = sorted({ins.expiry_ts for ins in instruments if ins.kind != Kind.PERP})
    net = np.abs(_by_expiry(quantity, unit.cash_delta, instruments, linear=True))
    rates = np.array(
        [max(params.basis_min, np.expm1(params.basis_rate * time_to_expiry(e, round_.ts))) for e in expiries]
    )
    perp = np.array([ins.kind == Kind.PERP for ins in instruments], dtype=np.float64)
    charge: Vector = net @ rates + np.abs(quantity @ (perp * unit.cash_delta)) * params.perp_basis
    return charge


def vega_term(
    quantity: Vector, unit: InstrumentRisk, instruments: Sequence[Instrument], params: UnderlyingParams
) -> Vector:
    """``vegaTermRate*(sum_e |W_e| - |sum_e W_e|)``, shape (n_acct,)."""
    by_expiry = _by_expiry(quantity, unit.shocked_vega, instruments, linear=False)
    offset = np.abs(by_expiry).sum(axis=1) - np.abs(by_expiry.sum(axis=1))
    term: Vector = params.vega_term_rate * np.maximum(offset, 0.0)
    return term


def concentration_charge(cash_delta: Vector, vega: Vector, params: UnderlyingParams) -> Vector:
    """Quadratic charges above the free sizes ``N0`` and ``V0``, shape (n_acct,)."""
    over_delta = np.maximum(np.abs(cash_delta) - params.n0, 0.0)
    over_vega = np.maximum(np.abs(vega) - params.v0, 0.0)
    return params.conc_rate * over_delta**2 / params.n0 + params.conc_vega_rate * over_vega**2 / params.v0


def risk_of(
    round_: Round,
    instruments: Sequence[Instrument],
    quantity: Vector,
    entry: Vector,
    linked_units: Vector,
    params: UnderlyingParams,
    book: Book,
) -> tuple[UnderlyingRisk, InstrumentRisk]:
    """Compute requirement and greeks of every account in one underlying (risk-model section 4).

    Parameters
    ----------
    round_ : Round
        The round that values everything.
    instruments : sequence of Instrument, length n
        Distinct instruments.
    quantity, entry : ndarray, shape (n_acct, n)
        Signed quantity; entry price of linear instruments (ignored for options).
    linked_units : ndarray, shape (n_acct,)
        ``sum amount*ratio`` of collateral linked to the underlying.
    params : UnderlyingParams
    book : Book

    Returns
    -------
    UnderlyingRisk, InstrumentRisk
        Per account, and per unit.

    References
    ----------
    .. [1] contracts/risk/RiskEngine.sol, ``riskOf`` and ``detailOf``.
    """
    unit = price_instruments(round_, instruments, params, book)
    is_option = np.array([ins.kind in (Kind.CALL, Kind.PUT) for ins in instruments], dtype=bool)
    linked_cash = linked_units * round_.spot
    raw = quantity @ unit.row_pnl.T + linked_cash[:, None] * book.moves[None, :]
    row_pnl = raw * book.weights
    scan = np.maximum(-row_pnl.min(axis=1), 0.0)
    gaps = np.maximum(quantity, 0.0) @ unit.gap.T
    lows = [lo for lo, _ in book.intervals]
    highs = [hi for _, hi in book.intervals]
    interval_loss = np.maximum(-row_pnl[:, lows], -row_pnl[:, highs]) + gaps
    certified = np.maximum(scan, interval_loss.max(axis=1))
    basis = basis_charge(quantity, unit, instruments, round_, params)
    term = vega_term(quantity, unit, instruments, params)
    short_min = params.short_min_rate * round_.spot * np.maximum(-quantity, 0.0) @ is_option.astype(np.float64)
    vega = quantity @ unit.vega
    concentration = concentration_charge(quantity @ unit.cash_delta + linked_cash, vega, params)
    risk = UnderlyingRisk(
        row_pnl=row_pnl,
        scan=scan,
        certified_scan=certified,
        basis=basis,
        vega_term=term,
        short_min=short_min,
        concentration=concentration,
        requirement=np.maximum(certified + basis + term, short_min) + concentration,
        worst_row=row_pnl.argmin(axis=1),
        delta=quantity @ unit.delta + linked_units,
        gamma=quantity @ unit.gamma,
        vega=vega,
        theta=quantity @ unit.theta,
        mark_to_market=quantity @ unit.mark - (quantity * entry) @ unit.entry_factor,
        gross_notional=round_.spot * np.abs(quantity).sum(axis=1),
        by_expiry=expiry_greeks(quantity, unit, instruments, linked_units),
    )
    return risk, unit
