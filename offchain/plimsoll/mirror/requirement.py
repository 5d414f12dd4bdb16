"""The requirement of one underlying: components, and the formula that joins them (risk-model section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.exposure import Exposure
from plimsoll.params import UnderlyingParams

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Components:
    """Components of a set of positions, cash, shape (n_acct,); ``any_vol`` is the scan with every expiry's own vol.

    The rows they were read from are kept, because CROSS adds the rows of several underlyings.
    """

    node: Vector
    certified_rows: Vector
    worst_vol_rows: Vector
    scan: Vector
    certified_scan: Vector
    any_vol: Vector
    basis: Vector
    vega_term: Vector
    skew_term: Vector
    short_min: Vector
    concentration: Vector

    @property
    def without_size(self) -> Vector:
        """``max(certifiedScan + basis + vegaTerm + skewTerm, shortMin)``, which grows in proportion to the set."""
        covered = self.certified_scan + self.basis + self.vega_term + self.skew_term
        return np.maximum(covered, self.short_min)

    @property
    def requirement(self) -> Vector:
        """The same and the concentration charge."""
        return self.without_size + self.concentration


def worst(*rows: Vector) -> Vector:
    """Largest loss over all rows of each account, never below 0."""
    found = np.zeros(len(rows[0]))
    for part in rows:
        found = np.maximum(found, part.max(axis=1, initial=0.0))
    return found


def _over(size: Vector, free: float, rate: float) -> Vector:
    """``rate*max(0, size - free)^2/free``, never more than the size itself."""
    return np.minimum(rate * np.maximum(size - free, 0.0) ** 2 / free, size)


def concentration_charge(net_delta: Vector, certified_scan: Vector, vega: Vector, params: UnderlyingParams) -> Vector:
    """Quadratic charges above the free sizes ``N0`` and ``V0``; what is lost at the range counts as size too."""
    size = np.maximum(np.abs(net_delta), certified_scan / params.price_range)
    return _over(size, params.n0, params.conc_rate) + _over(np.abs(vega), params.v0, params.conc_vega_rate)


def _summed(by_expiry: Vector, scale: Vector) -> Vector:
    """Add up the expiries, each by its share."""
    total: Vector = (by_expiry * scale.reshape(1, -1, *(1,) * (by_expiry.ndim - 2))).sum(axis=1)
    return total


def components(held: Exposure, scale: Vector) -> Components:
    """Compute every component of section 4.

    Parameters
    ----------
    held : Exposure
    scale : ndarray, shape (n_expiries,)
        Share of each expiry's positions that counts.

    Returns
    -------
    Components
    """
    params = held.params
    node, certified, any_vol = (_summed(rows, scale) for rows in (held.node, held.certified, held.worst_vol))
    scan = worst(node)
    certified_scan = np.maximum(scan, worst(certified))
    non_parallel = np.maximum(certified_scan, worst(any_vol))
    skew = _summed(held.skew, scale).max(axis=1, initial=0.0)
    return Components(
        node=node,
        certified_rows=certified,
        worst_vol_rows=any_vol,
        scan=scan,
        certified_scan=certified_scan,
        any_vol=non_parallel,
        basis=_summed(held.basis, scale),
        vega_term=params.vega_term_rate * (non_parallel - certified_scan),
        skew_term=params.skew_rate * skew,
        short_min=params.short_min_rate * held.spot * _summed(held.short_units, scale),
        concentration=concentration_charge(
            _summed(held.cash_delta, scale), certified_scan, _summed(held.vega, scale), params
        ),
    )
