"""The requirement of given quantities, from the unit arrays: what the linear program is checked against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.prove.holes.units import ExpiryUnits, Units

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """What CROSS adds up over underlyings of one layout, and the charges that it sums."""

    certified: Vector
    non_parallel: Vector
    charges: float
    short_min: float

    def total(self, rate: float) -> float:
        """Section 4's formula without concentration, which small books do not reach."""
        certified = max(0.0, float(self.certified.max(initial=0.0)))
        apart = max(0.0, float(self.non_parallel.max(initial=0.0)))
        return max(certified + rate * (apart - certified) + self.charges, self.short_min)

    def __add__(self, other: Rows) -> Rows:
        """Rows node by node, charges summed."""
        return Rows(
            self.certified + other.certified,
            self.non_parallel + other.non_parallel,
            self.charges + other.charges,
            self.short_min + other.short_min,
        )


def _expiry_rows(e: ExpiryUnits, units: Units, q: Vector) -> tuple[list[Vector], list[float]]:
    """Per end of each step: loss with gap in each of its vol states; the gap is that of net long calls."""
    long, layout = np.maximum(q, 0.0), units.layout
    losses = {s: -(pnl @ q) * layout.weights for s, pnl in e.pnl.items()}
    gaps = {s: gap @ long for s, gap in e.gap.items()}
    by_state, worst = [], []
    for number, step in enumerate(layout.steps):
        widest = max(layout.weights[step.low], layout.weights[step.high])
        for end in (step.low, step.high):
            found = np.array([losses[s][end] + widest * gaps[s][number] for s in step.states])
            by_state.append(found)
            worst.append(float(found.max(initial=-np.inf)))
    return by_state, worst


def rows_of(units: Units, q: Vector, scales: list[float]) -> Rows:
    """Rows and charges of one underlying; ``scales`` is what each expiry keeps at a cut-off."""
    layout, p, starts = units.layout, units.params, units.starts
    linear = [-q[0] * layout.moves[end] * layout.weights[end] for step in layout.steps for end in (step.low, step.high)]
    states = [step.states for step in layout.steps for _ in (0, 1)]
    certified = [np.full(len(s), x) for s, x in zip(states, linear, strict=True)]
    apart = np.array([x if s else -np.inf for s, x in zip(states, linear, strict=True)])
    charges, skew, short = abs(q[0]) * p.perp_basis, np.zeros(len(layout.places)), 0.0
    for e, first, last, scale in zip(units.expiries, starts[:-1], starts[1:], scales, strict=True):
        held = q[first:last] * scale
        by_state, worst = _expiry_rows(e, units, held)
        certified = [a + b for a, b in zip(certified, by_state, strict=True)]
        apart = apart + np.array(worst)
        charges += max(abs(e.delta @ held), abs(e.cash_leg @ held)) * e.charge
        skew += np.maximum(0.0, -(e.skew @ held).min(axis=1))
        short += float(np.maximum(-held[1:], 0.0).sum())
    charges += p.skew_rate * float(skew.max(initial=0.0))
    return Rows(np.concatenate(certified), apart, charges, p.short_min_rate * short)


def cutoffs(parts: list[Units]) -> list[int]:
    """Seconds to each cut-off: none (-1), then every expiry nearer than a day."""
    return [-1, *sorted({e.slice.expiry.tau for u in parts for e in u.expiries if e.omega > 0.0})]


def scales_at(units: Units, cutoff: int) -> list[float]:
    """``1 - omega`` of what expires at or before a cut-off, 1 of everything else."""
    return [1.0 - e.omega if e.slice.expiry.tau <= cutoff else 1.0 for e in units.expiries]


def single(units: Units, q: Vector) -> float:
    """``R_u`` per unit of spot."""
    found = [rows_of(units, q, scales_at(units, t)) for t in cutoffs([units])]
    return max(rows.total(units.params.vega_term_rate) for rows in found)


def cross(parts: list[Units], quantities: list[Vector], share: float) -> float:
    """CROSS of underlyings of one layout, quantities in units of each own spot."""
    rate = max(u.params.vega_term_rate for u in parts)
    totals = []
    for t in cutoffs(parts):
        rows = [rows_of(u, q, scales_at(u, t)) for u, q in zip(parts, quantities, strict=True)]
        joint = rows[0]
        for more in rows[1:]:
            joint = joint + more
        plain = sum(r.total(u.params.vega_term_rate) for r, u in zip(rows, parts, strict=True))
        totals.append(share * plain + (1.0 - share) * joint.total(rate))
    return max(totals)
