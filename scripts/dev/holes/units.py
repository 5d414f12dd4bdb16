"""What one unit of every instrument of an underlying does under every row: the arrays behind the requirement.

Columns of an underlying are the perpetual, then for each expiry its future and its calls. A put is a call and a
future. Everything is per unit of spot, so that one program serves every price level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offchain.params import BookSpec, UnderlyingParams
from scripts.dev.holes.layout import Layout, layout_of
from scripts.dev.holes.pricing import Slice
from scripts.dev.holes.sample import DAY, Expiry

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ExpiryUnits:
    """Arrays of one expiry over its future and calls (column 0 is the future).

    ``pnl`` maps a vol state to P&L (prices, columns), ``gap`` a vol state to (steps, columns) of long options,
    ``skew`` is half the difference of the pairs (places, columns); ``charge`` is the basis rate.
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


def _gaps(part: Slice, layout: Layout, state: float) -> Vector:
    """How far a long call may lie below its chord, for every step of the ladder."""
    pnl, delta = part.moved(layout.moves, state)
    found = np.zeros((len(layout.steps), part.strikes.size))
    for number, step in enumerate(layout.steps):
        h = layout.moves[step.high] - layout.moves[step.low]
        chord = (pnl[step.high] - pnl[step.low]) / h
        above, below = delta[step.high] - chord, chord - delta[step.low]
        width = delta[step.high] - delta[step.low]
        found[number] = np.where(width > 1e-15, h * above * below / np.maximum(width, 1e-15), 0.0)
    return np.maximum(found, 0.0)


def _with_future(future: Vector, calls: Vector) -> Vector:
    return np.concatenate([future[..., None], calls], axis=-1)


def expiry_units(expiry: Expiry, strikes: Vector, p: UnderlyingParams, layout: Layout) -> ExpiryUnits:
    """Arrays of one expiry, forward equal to spot and no discount (a rate scales an expiry as a whole)."""
    part = Slice(expiry, strikes, p)
    states = sorted({s for found in layout.states for s in found})
    none = np.zeros(len(layout.steps))
    skew = [
        0.5 * (part.moved(np.array([x]), s, layout.skew)[0] - part.moved(np.array([x]), s, -layout.skew)[0])[0]
        for x, s in layout.places
    ]
    return ExpiryUnits(
        slice=part,
        pnl={s: _with_future(layout.moves, part.moved(layout.moves, s)[0]) for s in states},
        gap={s: _with_future(none, _gaps(part, layout, s)) for s in states},
        skew=_with_future(np.zeros(len(skew)), np.array(skew).reshape(len(skew), strikes.size)),
        delta=np.r_[1.0, part.delta],
        cash_leg=np.r_[1.0, part.delta - part.value],
        charge=max(p.basis_min, float(np.exp(p.basis_rate * expiry.years)) - 1.0),
        omega=float(np.clip((DAY - expiry.tau) / (22.0 * 3_600.0), 0.0, 1.0)),
    )


def units_of(
    symbol: str, expiries: tuple[Expiry, ...], strikes: list[Vector], p: UnderlyingParams, book: BookSpec
) -> Units:
    """Arrays of one underlying at its own price range."""
    layout = layout_of(book, p.price_range)
    return Units(symbol, p, layout, tuple(expiry_units(e, k, p, layout) for e, k in zip(expiries, strikes, strict=True)))
