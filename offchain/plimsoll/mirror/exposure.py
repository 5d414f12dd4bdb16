"""What accounts hold in one underlying, expiry by expiry, in the form that every formula of section 4 reads.

Everything here grows in proportion to the positions of its expiry, so that a fading hedge is a factor per expiry and
nothing is priced twice. Axis order: (account, expiry, row).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.scenario_book import Book
from plimsoll.mirror.settlement_window import time_to_expiry, window_of
from plimsoll.mirror.unit_risk import InstrumentRisk, price_instruments
from plimsoll.model import Instrument, Round
from plimsoll.params import UnderlyingParams

Vector = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Holdings:
    """Positions of many accounts in one underlying, and what one unit of each instrument does.

    Attributes
    ----------
    instruments : sequence of Instrument, length n
        Distinct.
    quantity, entry : ndarray, shape (n_acct, n)
        Signed quantity; entry price of linear instruments (ignored for options).
    linked_units : ndarray, shape (n_acct,)
        ``sum amount*ratio`` of collateral linked to the underlying, and what units liquidity is at the spot.
    bends : ndarray, shape (n_acct, n_rows)
        What liquidity loses at each row beyond those units.
    linked_gamma : ndarray, shape (n_acct,)
        How its units change with the spot.
    unit : InstrumentRisk
        Per-unit arrays of the same instruments.
    """

    round_: Round
    params: UnderlyingParams
    book: Book
    instruments: Sequence[Instrument]
    unit: InstrumentRisk
    quantity: Vector
    entry: Vector
    linked_units: Vector
    bends: Vector
    linked_gamma: Vector

    def of(self, accounts: Index) -> Holdings:
        """Return the positions of some of the accounts."""
        return replace(
            self,
            quantity=self.quantity[accounts],
            entry=self.entry[accounts],
            linked_units=self.linked_units[accounts],
            bends=self.bends[accounts],
            linked_gamma=self.linked_gamma[accounts],
        )

    @property
    def is_option(self) -> npt.NDArray[np.bool_]:
        """Which instruments are options."""
        return np.array([ins.is_option for ins in self.instruments], dtype=bool)

    @property
    def expiry_ts(self) -> Index:
        """Expiry of each instrument, 0 for the perpetual."""
        return np.array([ins.expiry_ts for ins in self.instruments], dtype=np.int64)


def holdings_of(
    round_: Round,
    instruments: Sequence[Instrument],
    quantity: Vector,
    entry: Vector,
    linked_units: Vector,
    params: UnderlyingParams,
    book: Book,
    bends: Vector | None = None,
    linked_gamma: Vector | None = None,
) -> Holdings:
    """Price the instruments once; see ``Holdings``. Without ``bends`` no collateral bends."""
    unit = price_instruments(round_, instruments, params, book)
    bends = np.zeros((len(linked_units), len(book.rows))) if bends is None else bends
    linked_gamma = np.zeros(len(linked_units)) if linked_gamma is None else linked_gamma
    return Holdings(round_, params, book, instruments, unit, quantity, entry, linked_units, bends, linked_gamma)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Accounts of one underlying by expiry; losses are positive and weighted, money in cash.

    Attributes
    ----------
    ts : int
        Time of the round, of all rounds where there are several.
    spot : float or ndarray, shape (n_acct,)
        One for everybody, or of each account's own round.
    expiries : tuple of int, length n_expiries
        0 first: perpetual and linked collateral, which never expire.
    node : ndarray, shape (n_acct, n_expiries, n_nodes)
        Loss at every row of the scan.
    certified : ndarray, shape (n_acct, n_expiries, 2*n_intervals)
        Bound of the loss inside an interval: loss of its lower ends, then of its upper ends, and the gaps.
    worst_vol : ndarray, shape (n_acct, n_expiries, 2*n_steps)
        The same for each pair of neighbouring prices, in the worst vol state of the expiry.
    skew : ndarray, shape (n_acct, n_expiries, n_places)
        What the worse side of a place's skew pair loses beyond the place's own row.
    cash_delta, basis, vega, short_units : ndarray, shape (n_acct, n_expiries)
        Net cash delta, basis charge, net vega, option units sold.
    """

    ts: int
    spot: float | Vector
    params: UnderlyingParams
    book: Book
    expiries: tuple[int, ...]
    node: Vector
    certified: Vector
    worst_vol: Vector
    skew: Vector
    cash_delta: Vector
    basis: Vector
    vega: Vector
    short_units: Vector

    def of(self, accounts: Index) -> Exposure:
        """Return the exposure of some of the accounts."""
        names = ("node", "certified", "worst_vol", "skew", "cash_delta", "basis", "vega", "short_units")
        return replace(self, **{name: getattr(self, name)[accounts] for name in names})


def expiries_of(instruments: Sequence[Instrument]) -> list[int]:
    """Return the expiries that exposures and greeks are kept for: 0 for what never expires, then rising."""
    return sorted({0, *(ins.expiry_ts for ins in instruments)})


def _net_gaps(quantity: Vector, members: Index, instruments: Sequence[Instrument], unit: InstrumentRisk) -> Vector:
    """Gaps of what is long after netting calls and puts of one strike, shape (n_acct, n_intervals)."""
    strikes = np.array([instruments[i].strike for i in members])
    _, first, group = np.unique(strikes, return_index=True, return_inverse=True)
    netting = np.zeros((len(members), len(first)))
    netting[np.arange(len(members)), group] = 1.0
    long = np.maximum(quantity[:, members] @ netting, 0.0)
    gaps: Vector = long @ unit.gap[:, members[first]].T
    return gaps


@dataclass(slots=True)
class _Losses:
    """The three families of loss rows of one expiry, before and after they are added up."""

    node: Vector
    certified: Vector
    worst_vol: Vector


def _losses(pnl: Vector, gaps: Vector, linear: Vector, bends: float | Vector, book: Book) -> _Losses:
    """Loss rows of one expiry.

    Parameters
    ----------
    pnl : ndarray, shape (n_acct, n_nodes)
        Of options, before weights.
    gaps : ndarray, shape (n_acct, n_intervals)
    linear : ndarray, shape (n_acct,)
        What a relative move of 1 earns on everything linear.
    bends : float or ndarray, shape (n_acct, n_nodes)
        What is lost beside it, in every vol state alike. Between two prices it is below the chord.
    book : Book
    """
    weights, moves = book.weights, book.moves[: book.nodes]
    option = -pnl * weights
    straight = -linear[:, None] * (moves * weights) + bends * weights
    # A bound of the interval: the gaps carry the larger weight of its two ends.
    gap = gaps * np.maximum(weights[book.lows], weights[book.highs])
    ends = [option[:, rows] + gap for rows in (book.lows, book.highs)]
    worst = [np.maximum.reduceat(end, book.steps, axis=1) for end in ends]
    starts = (book.lows[book.steps], book.highs[book.steps])
    return _Losses(
        node=option + straight,
        certified=np.hstack([end + straight[:, rows] for end, rows in zip(ends, (book.lows, book.highs), strict=True)]),
        worst_vol=np.hstack([end + straight[:, rows] for end, rows in zip(worst, starts, strict=True)]),
    )


def _basis(net: Vector, value: Vector, expiry_ts: int, round_: Round, params: UnderlyingParams) -> Vector:
    """``max(|N_e|, |N_e - value_e|)*max(basisMin, exp(basisRate*T_e) - 1)``; the perpetual has a rate of its own."""
    if not expiry_ts:
        return np.abs(net) * params.perp_basis
    rate = max(params.basis_min, float(np.expm1(params.basis_rate * time_to_expiry(expiry_ts, round_.ts))))
    cash_leg = np.abs(net - value) * window_of(round_, expiry_ts).open
    return np.maximum(np.abs(net), cash_leg) * rate


@dataclass(slots=True)
class ExpirySums:
    """Positions of one expiry added up, before weights; every array has the account as first axis.

    Attributes
    ----------
    pnl : ndarray, shape (n_acct, n_rows)
        Of options.
    gaps : ndarray, shape (n_acct, n_intervals)
        Of what is long after netting calls and puts of one strike.
    linear, net, value, vega, short_units : ndarray, shape (n_acct,)
        Cash delta of what is linear and of everything, mark less entry, vega, option units sold that are open.
    """

    pnl: Vector
    gaps: Vector
    linear: Vector
    net: Vector
    value: Vector
    vega: Vector
    short_units: Vector


@dataclass(slots=True)
class ExpiryExposure:
    """Exposure of one expiry, every array with the account as first axis."""

    losses: _Losses
    skew: Vector
    cash_delta: Vector
    basis: Vector
    vega: Vector
    short_units: Vector


def expiry_exposure(
    sums: ExpirySums,
    expiry_ts: int,
    linked: tuple[float | Vector, float | Vector],
    round_: Round,
    params: UnderlyingParams,
    book: Book,
) -> ExpiryExposure:
    """Weigh what was added up of one expiry.

    Parameters
    ----------
    sums : ExpirySums
    expiry_ts : int
        0 for what never expires.
    linked : tuple
        Linked collateral, which belongs to what never expires: its cash, shape (n_acct,), and what it loses beyond
        that at each node, shape (n_acct, n_nodes); 0 stands for none.
    round_ : Round
        Says the time, and whether a settlement window is open.
    params : UnderlyingParams
    book : Book

    Returns
    -------
    ExpiryExposure
    """
    linked_cash, bends = linked
    plus, minus = ([pair[side] for pair in book.skew_pairs] for side in (0, 1))
    worse = np.minimum(sums.pnl[:, plus], sums.pnl[:, minus])
    return ExpiryExposure(
        losses=_losses(sums.pnl[:, : book.nodes], sums.gaps, sums.linear + linked_cash, bends, book),
        skew=np.maximum(sums.pnl[:, book.skew_nodes] - worse, 0.0),
        cash_delta=sums.net + linked_cash,
        basis=_basis(sums.net, sums.value, expiry_ts, round_, params),
        vega=sums.vega,
        short_units=sums.short_units,
    )


def _sums(held: Holdings, expiry_ts: int) -> ExpirySums:
    """Add up the positions of one expiry."""
    unit, is_option = held.unit, held.is_option
    every = np.flatnonzero(held.expiry_ts == expiry_ts)
    options, linears = every[is_option[every]], every[~is_option[every]]
    quantity = held.quantity[:, options]
    linear = held.quantity[:, linears] @ unit.cash_delta[linears]
    net = quantity @ unit.cash_delta[options] + linear
    value = (held.quantity[:, every] * (unit.mark[every] - held.entry[:, every] * unit.entry_factor[every])).sum(axis=1)
    return ExpirySums(
        pnl=quantity @ unit.row_pnl[:, options].T,
        gaps=_net_gaps(held.quantity, options, held.instruments, unit),
        linear=linear,
        net=net,
        value=value,
        vega=quantity @ unit.vega[options],
        short_units=np.maximum(-quantity, 0.0) @ unit.open_share[options],
    )


def joined_exposure(
    parts: Sequence[ExpiryExposure],
    expiries: Sequence[int],
    ts: int,
    spot: float | Vector,
    params: UnderlyingParams,
    book: Book,
) -> Exposure:
    """Put expiries side by side; ``parts`` are in the order of ``expiries``."""
    return Exposure(
        ts=ts,
        spot=spot,
        params=params,
        book=book,
        expiries=tuple(expiries),
        node=np.stack([part.losses.node for part in parts], axis=1),
        certified=np.stack([part.losses.certified for part in parts], axis=1),
        worst_vol=np.stack([part.losses.worst_vol for part in parts], axis=1),
        skew=np.stack([part.skew for part in parts], axis=1),
        cash_delta=np.stack([part.cash_delta for part in parts], axis=1),
        basis=np.stack([part.basis for part in parts], axis=1),
        vega=np.stack([part.vega for part in parts], axis=1),
        short_units=np.stack([part.short_units for part in parts], axis=1),
    )


def exposure_of(held: Holdings) -> Exposure:
    """Add up the positions of every account by expiry.

    Parameters
    ----------
    held : Holdings

    Returns
    -------
    Exposure
    """
    expiries, round_ = expiries_of(held.instruments), held.round_
    linked = held.linked_units * round_.spot, held.bends[:, : held.book.nodes]
    parts = [
        expiry_exposure(_sums(held, ts), ts, (0.0, 0.0) if ts else linked, round_, held.params, held.book)
        for ts in expiries
    ]
    return joined_exposure(parts, expiries, round_.ts, round_.spot, held.params, held.book)
