"""Risk of many accounts in one underlying; mirror of contracts/risk/RiskEngine.sol.

Every instrument is priced once; accounts are then products of a quantity matrix with the per-unit arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.cutoffs import NO_CUTOFF, cutoffs_of, scales_at
from plimsoll.mirror.exposure import Exposure, Holdings, expiries_of, exposure_of
from plimsoll.mirror.requirement import Components, components

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class UnderlyingRisk:
    """Risk of ``n_acct`` accounts in one underlying; every array has the account as first axis, money in cash.

    Components are those of the whole set; ``requirement`` is the largest over cut-offs and ``cutoff`` the expiry of
    that cut-off, 0 when none. ``row_pnl`` is weighted but for the skew rows, whose weight is 0. ``by_expiry`` has the
    axes (account, expiry, greek): expiries in the order of :func:`expiries_of`, then delta, gamma, vega, theta.
    """

    row_pnl: Vector
    scan: Vector
    certified_scan: Vector
    basis: Vector
    vega_term: Vector
    skew_term: Vector
    short_min: Vector
    concentration: Vector
    requirement: Vector
    cutoff: npt.NDArray[np.int64]
    worst_row: npt.NDArray[np.int64]
    delta: Vector
    gamma: Vector
    vega: Vector
    theta: Vector
    mark_to_market: Vector
    gross_notional: Vector
    by_expiry: Vector


def expiry_greeks(held: Holdings) -> Vector:
    """Sum the greeks per expiry, shape (n_acct, n_expiries, 4); perpetuals and linked collateral under expiry 0."""
    expiries, unit = expiries_of(held.instruments), held.unit
    member = (held.expiry_ts[:, None] == np.array(expiries)[None, :]).astype(np.float64)
    per_unit = np.stack((unit.delta, unit.gamma, unit.vega, unit.theta), axis=-1)
    by_expiry = (member[:, :, None] * per_unit[:, None, :]).reshape(len(per_unit), 4 * len(expiries))
    sums: Vector = (held.quantity @ by_expiry).reshape(len(held.quantity), len(expiries), 4)
    sums[:, 0, 0] += held.linked_units
    sums[:, 0, 1] += held.linked_gamma
    return sums


def largest_over_cutoffs(held: Exposure, whole: Components) -> tuple[Vector, npt.NDArray[np.int64]]:
    """Return the largest requirement over cut-offs and the cut-off it belongs to, the first of equals.

    Parameters
    ----------
    held : Exposure
    whole : Components
        Of the whole set, which is the first of the cut-offs.

    Returns
    -------
    requirement : ndarray, shape (n_acct,)
    cutoff : ndarray of int, shape (n_acct,)
        0 when the whole set needs most.
    """
    ts = held.ts
    largest = whole.requirement
    found = np.full(len(largest), NO_CUTOFF, dtype=np.int64)
    for cutoff in cutoffs_of(held.expiries, ts)[1:]:
        required = components(held, scales_at(cutoff, held.expiries, ts)).requirement
        more = required > largest
        largest = np.where(more, required, largest)
        found[more] = cutoff
    return largest, found


def _row_pnl(held: Holdings) -> Vector:
    linked_cash = held.linked_units * held.round_.spot
    pnl: Vector = held.quantity @ held.unit.row_pnl.T + linked_cash[:, None] * held.book.moves - held.bends
    pnl[:, : held.book.nodes] *= held.book.weights
    return pnl


def risk_of(held: Holdings) -> tuple[UnderlyingRisk, Exposure]:
    """Compute requirement and greeks of every account in one underlying (risk-model section 4).

    Parameters
    ----------
    held : Holdings

    Returns
    -------
    UnderlyingRisk, Exposure
        What one underlying alone needs, and what CROSS adds up.

    References
    ----------
    .. [1] contracts/risk/RiskEngine.sol, ``riskOf`` and ``detailOf``.
    """
    exposure, unit, quantity = exposure_of(held), held.unit, held.quantity
    whole = components(exposure, np.ones(len(exposure.expiries)))
    requirement, cutoff = largest_over_cutoffs(exposure, whole)
    row_pnl = _row_pnl(held)
    risk = UnderlyingRisk(
        row_pnl=row_pnl,
        scan=whole.scan,
        certified_scan=whole.certified_scan,
        basis=whole.basis,
        vega_term=whole.vega_term,
        skew_term=whole.skew_term,
        short_min=whole.short_min,
        concentration=whole.concentration,
        requirement=requirement,
        cutoff=cutoff,
        worst_row=row_pnl[:, : held.book.nodes].argmin(axis=1),
        delta=quantity @ unit.delta + held.linked_units,
        gamma=quantity @ unit.gamma + held.linked_gamma,
        vega=quantity @ unit.vega,
        theta=quantity @ unit.theta,
        mark_to_market=quantity @ unit.mark - (quantity * held.entry) @ unit.entry_factor,
        gross_notional=held.round_.spot * np.abs(quantity).sum(axis=1),
        by_expiry=expiry_greeks(held),
    )
    return risk, exposure
