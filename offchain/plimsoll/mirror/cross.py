"""CROSS: what underlyings need together (risk-model section 5); mirror of the same in contracts/risk.

A share of the plain sum, and the rest of what the underlyings need when all of them move by the same multiple of
their own range in the same vol state. Underlyings whose books have different nodes get no offset.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.cutoffs import cutoffs_of, scales_at
from plimsoll.mirror.exposure import Exposure
from plimsoll.mirror.requirement import Components, components, worst

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def _joint(parts: Sequence[Components], rates: Vector) -> Vector:
    """``R_joint`` of underlyings of one layout; ``rates`` is the vega term's rate of each account."""

    def added(name: str) -> Vector:
        total: Vector = np.sum([getattr(part, name) for part in parts], axis=0)
        return total

    certified = worst(added("node"), added("certified_rows"))
    any_vol = np.maximum(certified, worst(added("worst_vol_rows")))
    covered = certified + added("basis") + rates * (any_vol - certified) + added("skew_term")
    return np.maximum(covered, added("short_min")) + added("concentration")


def _layouts(held: Sequence[Exposure]) -> list[list[int]]:
    """Group the underlyings whose nodes are the same multiples of their ranges."""
    groups: dict[object, list[int]] = {}
    for i, exposure in enumerate(held):
        groups.setdefault(exposure.book.layout, []).append(i)
    return list(groups.values())


def cross_requirement(held: Sequence[Exposure], touched: Flags, stress_share: float) -> Vector:
    """``stressShare*sum_u R_u + (1 - stressShare)*R_joint``, the largest over cut-offs common to all underlyings.

    Parameters
    ----------
    held : sequence of Exposure, length n_underlyings
    touched : ndarray of bool, shape (n_underlyings, n_acct)
        Whether an account holds anything in an underlying: only then does its vega term's rate count.
    stress_share : float

    Returns
    -------
    ndarray, shape (n_acct,)
        Cash.
    """
    groups = _layouts(held)
    rates = np.array([exposure.params.vega_term_rate for exposure in held])[:, None] * touched
    cutoffs = sorted({cutoff for exposure in held for cutoff in cutoffs_of(exposure.expiries, exposure.ts)})
    largest = np.zeros(touched.shape[1])
    for cutoff in cutoffs:
        parts = [components(exposure, scales_at(cutoff, exposure.expiries, exposure.ts)) for exposure in held]
        plain = np.sum([part.requirement for part in parts], axis=0)
        joint = np.sum([_joint([parts[u] for u in group], rates[group].max(axis=0)) for group in groups], axis=0)
        largest = np.maximum(largest, stress_share * plain + (1.0 - stress_share) * joint)
    return largest
