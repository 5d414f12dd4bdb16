"""One slice per expiry, inside the domain of the oracle by construction and inside its quotes, or none.

Every shape needs at least one quote more than it has numbers, no arbitrage, and every mark inside its quotes: raw SVI
of five numbers first; then whichever fits best of the last accepted slice at another level (one number), SSVI (three)
and a flat volatility (one). Where none is left the last accepted slice stays, and the confidence of the round says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.market.fit import few_numbers, five_numbers
from plimsoll.market.fit.clean import WING_STD, Quotes
from plimsoll.market.fit.neighbours import NO_LIMITS, Limits
from plimsoll.market.fit.slice_check import ARBITRAGE_COIN, arbitrage_of, durrleman, excess_of
from plimsoll.mirror.settlement_window import variance_time
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Svi

Vector = npt.NDArray[np.float64]

CHECK_STD: Final = WING_STD
"""Warnings cover the range that the fit counts on; acceptance covers every strike that may be traded."""
_CHECK_POINTS: Final = 61


class Shape(StrEnum):
    """How many numbers a slice was given, or that it is the last accepted one."""

    FIVE = "five"
    LEVEL = "level"
    THREE = "three"
    FLAT = "flat"
    HELD = "held"


NUMBERS: Final = {
    Shape.FIVE: five_numbers.NUMBERS,
    Shape.LEVEL: few_numbers.ONE,
    Shape.THREE: few_numbers.THREE,
    Shape.FLAT: few_numbers.ONE,
}


@dataclass(frozen=True, slots=True)
class Prior:
    """The last accepted slice of an expiry.

    Attributes
    ----------
    svi : Svi
    ts : int
        Time of the round that it was fitted to.
    rate : float
        Carry from spot to forward, per year, at that time.
    """

    svi: Svi
    ts: int
    rate: float

    def at(self, expiry_ts: int, ts: int) -> Svi:
        """Return the slice as time has run out since, with the volatilities it had."""
        share = variance_time(expiry_ts - ts) / variance_time(expiry_ts - self.ts)
        return Svi(self.svi.a * share, self.svi.b * share, self.svi.rho, self.svi.m, self.svi.sigma)


@dataclass(frozen=True, slots=True)
class SliceFit:
    """A slice and how well it fits; errors are in volatility (0.01 is one vol point).

    Attributes
    ----------
    expiry_ts : int
        Unix seconds.
    svi : Svi
        Inside the oracle's domain.
    rms, max_error : float
        Root mean square and largest error over the used quotes, each counted alike.
    weighted_rms : float
        The same with the vega weights of the fit.
    quotes, quoted : int
        Rows used; rows among them with both a bid and an ask.
    butterfly : float
        Smallest Durrleman ``g`` within ``CHECK_STD`` of the money; negative means a butterfly arbitrage.
    shape : Shape
        How many numbers it has.
    age_sec : int
        Since a held slice was fitted.
    excess : float
        Volatility by which the marks of a held slice lie outside the quotes; 0 for every fitted one.
    """

    expiry_ts: int
    svi: Svi
    rms: float
    max_error: float
    weighted_rms: float
    quotes: int
    quoted: int
    butterfly: float
    shape: Shape = Shape.FIVE
    age_sec: int = 0
    excess: float = 0.0


def fit_slice(quotes: Quotes, start: Svi | None = None, limits: Limits = NO_LIMITS) -> SliceFit | None:
    """Fit one expiry.

    Parameters
    ----------
    quotes : Quotes
        Usable rows, and the bounds of all listed instruments.
    start : Svi, optional
        Last accepted slice of the same expiry, at this time; it settles what the quotes leave open.
    limits : Limits
        Slices of neighbouring expiries to stay between.

    Returns
    -------
    SliceFit or None
        Deterministic for the same input. None when no shape has quotes enough, lies inside them and between the
        neighbours, and is free of arbitrage.
    """
    atm = float(np.interp(0.0, quotes.log_moneyness, quotes.iv)) if quotes.iv.size else 0.0
    for svi in _five(quotes, atm, start, limits):
        if _acceptable(svi, quotes, limits):
            return _report(quotes, svi, Shape.FIVE)
    others = _fewer(quotes, atm, start)
    fewer = [_report(quotes, svi, shape) for shape, svi in others if _acceptable(svi, quotes, limits)]
    return min(fewer, key=lambda fit: fit.weighted_rms, default=None)


def hold_slice(prior: Prior, expiry_ts: int, ts: int, quotes: Quotes | None) -> SliceFit:
    """Keep the last accepted slice.

    Parameters
    ----------
    prior : Prior
        Accepted at an earlier round.
    expiry_ts, ts : int
        Expiry, and time of the round; unix seconds.
    quotes : Quotes or None
        What it is measured against.

    Returns
    -------
    SliceFit
        Of shape ``HELD``.
    """
    svi = prior.at(expiry_ts, ts)
    if quotes is None:
        butterfly = float(np.min(durrleman(svi, _check_points(svi))))
        return SliceFit(expiry_ts, svi, 0.0, 0.0, 0.0, 0, 0, butterfly, Shape.HELD, ts - prior.ts)
    return _report(quotes, svi, Shape.HELD, ts - prior.ts)


def _five(quotes: Quotes, atm: float, start: Svi | None, limits: Limits) -> Iterator[Svi]:
    """Slices of five numbers: the best one, then the best that heeds every quote."""
    if quotes.quoted > NUMBERS[Shape.FIVE]:
        problem = five_numbers.FiveNumbers(quotes, atm, start, limits)
        yield problem.fit(heeds=False)
        yield problem.fit(heeds=True)


def _fewer(quotes: Quotes, atm: float, start: Svi | None) -> Iterator[tuple[Shape, Svi]]:
    """Slices of fewer numbers, each with a quote more than it has numbers."""
    if start is not None and quotes.quoted > NUMBERS[Shape.LEVEL]:
        yield Shape.LEVEL, few_numbers.level_of(quotes, atm, start)
    if quotes.quoted > NUMBERS[Shape.THREE]:
        yield Shape.THREE, few_numbers.three_numbers(quotes, atm)
    if quotes.quoted > NUMBERS[Shape.FLAT]:
        yield Shape.FLAT, few_numbers.flat(quotes, atm)


def _acceptable(svi: Svi, quotes: Quotes, limits: Limits) -> bool:
    inside = excess_of(svi, quotes.bands, quotes.years) == 0.0 and arbitrage_of(svi) <= ARBITRAGE_COIN
    return inside and limits.hold(svi, quotes.years)


def butterflies_of(fits: Sequence[SliceFit]) -> list[str]:
    """Name the slices with a butterfly arbitrage, one sentence each; empty when there is none."""
    return [
        f"expiry {f.expiry_ts}: butterfly arbitrage, smallest Durrleman g {f.butterfly:.3f} below 0"
        for f in fits
        if f.butterfly < 0.0
    ]


def _check_points(svi: Svi) -> Vector:
    std = math.sqrt(max(float(total_variance(svi, np.zeros(1))[0]), 1e-12))
    return np.linspace(-CHECK_STD * std, CHECK_STD * std, _CHECK_POINTS)


def _report(quotes: Quotes, svi: Svi, shape: Shape, age_sec: int = 0) -> SliceFit:
    error = np.sqrt(total_variance(svi, quotes.log_moneyness) / quotes.years) - quotes.iv
    square = quotes.weight**2
    return SliceFit(
        expiry_ts=quotes.expiry_ts,
        svi=svi,
        rms=float(np.sqrt(np.mean(error**2))),
        max_error=float(np.max(np.abs(error))),
        weighted_rms=float(np.sqrt(np.sum(square * error**2) / np.sum(square))),
        quotes=int(error.size),
        quoted=quotes.quoted,
        butterfly=float(np.min(durrleman(svi, _check_points(svi)))),
        shape=shape,
        age_sec=age_sec,
        excess=excess_of(svi, quotes.bands, quotes.years),
    )
