"""SPAN: 16 scenarios, spread charges and credits, short option minimum.

The arithmetic is checked against McMillan's published arrays. Ranges and rates of a listed product are the clearing
house's; those shipped here take the price ranges of the risk model so that the comparison is of methods, not of sizes.
There is no delivery charge: everything settles in cash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.models.account import ModelAccount, ModelMargin
from plimsoll.analytics.models.holdings import Holdings
from plimsoll.analytics.models.parameters import ModelParams, number

NAME: Final = "span"
EVIDENCE: Final = "arithmetic verified on published arrays"
Vector = npt.NDArray[np.float64]
#: Price moves of the pairs (vol up, vol down), in units of the price scan range.
_STEPS: Final = (0.0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1.0, -1.0)


@dataclass(frozen=True, slots=True)
class SpanParams:
    """Scan ranges (relative), extreme rows, charges.

    ``intra_rate`` is per unit of delta spread over two expiries, of spot; ``inter_credit`` the share of the price risk
    that a spread over two underlyings gives back; ``short_min`` of spot per short option; ``initial_factor`` what
    initial margin is of maintenance.
    """

    price_scan: float = number(0.0, 0.5)
    vol_scan: float = number(0.0, 5.0)
    extreme_multiple: float = number(1.0, 5.0)
    extreme_cover: float = number(0.0, 1.0)
    intra_rate: float = number(0.0, 1.0)
    inter_credit: float = number(0.0, 1.0)
    short_min: float = number(0.0, 1.0)
    initial_factor: float = number(1.0, 5.0)


def scan_risk(rows: Sequence[Sequence[float]] | Vector) -> tuple[float, int]:
    """Largest loss over the 16 rows and its number from 1, from gains per row summed over positions.

    Parameters
    ----------
    rows : array, shape (n_positions, 16)
        Gains of every position with its sign.

    Returns
    -------
    float, int
        Scan risk, never negative; active row.
    """
    total = np.asarray(rows, dtype=np.float64).sum(axis=0)
    worst = int(total.argmin())
    return max(0.0, -float(total[worst])), worst + 1


def risk_array(held: Holdings, params: SpanParams) -> Vector:
    """Gains of every position under the 16 rows, shape (n_positions, 16)."""
    states = (held.sigma * (1.0 + params.vol_scan), held.sigma * max(0.0, 1.0 - params.vol_scan))
    rows = [held.unit_pnl(step * params.price_scan, sigma) for step in _STEPS for sigma in states]
    extreme = params.extreme_multiple * params.price_scan
    rows += [params.extreme_cover * held.unit_pnl(sign * extreme, held.sigma) for sign in (1.0, -1.0)]
    return np.array(rows).T * held.quantity[:, None]


def _short_minimum(held: Holdings, rate: float) -> float:
    shorts: dict[tuple[int, float, bool], float] = {}
    for expiry, strike, call, quantity in zip(
        held.expiry_ts[held.is_option],
        held.strike[held.is_option],
        held.is_call[held.is_option],
        held.quantity[held.is_option],
        strict=True,
    ):
        key = (int(expiry), float(strike), bool(call))
        shorts[key] = shorts.get(key, 0.0) + float(quantity)
    return rate * held.spot * sum(max(0.0, -quantity) for quantity in shorts.values())


def _intra_charge(held: Holdings, rate: float) -> float:
    """Delta spreads between expiries: what long and short deltas of different expiries offset."""
    deltas = held.by_expiry(held.quantity * held.delta)
    spread = min(float(np.maximum(deltas, 0.0).sum()), float(np.maximum(-deltas, 0.0).sum()))
    return rate * held.spot * spread


def _inter_credit(parts: Sequence[tuple[Holdings, float]], params: ModelParams[SpanParams]) -> float:
    """Credit for opposite net deltas of two underlyings: share of the price risk of what is matched, pair by pair."""
    left = [float((h.quantity * h.delta).sum()) * h.spot for h, _ in parts]
    share = [risk / abs(delta) if delta != 0.0 else 0.0 for (_, risk), delta in zip(parts, left, strict=True)]
    credit = 0.0
    for i in range(len(parts)):
        for j in range(i + 1, len(parts)):
            if left[i] * left[j] >= 0.0:
                continue
            matched = min(abs(left[i]), abs(left[j]))
            rate = min(params.of(parts[i][0].name).inter_credit, params.of(parts[j][0].name).inter_credit)
            credit += rate * matched * (share[i] + share[j])
            left[i] -= np.sign(left[i]) * matched
            left[j] -= np.sign(left[j]) * matched
    return credit


def margin(account: ModelAccount, params: ModelParams[SpanParams]) -> ModelMargin:
    """SPAN requirement of an account.

    Parameters
    ----------
    account : ModelAccount
    params : ModelParams of SpanParams

    Returns
    -------
    ModelMargin
        ``max(scan + intra - inter, short option minimum)``; the net option value is in the account's equity.
        Collateral counts after its full haircut and takes no part in the rows.
    """
    parts = [(h, scan_risk(risk_array(h, params.of(h.name)))[0]) for h in account.holdings]
    scan = sum(risk for _, risk in parts)
    intra = sum(_intra_charge(h, params.of(h.name).intra_rate) for h in account.holdings)
    inter = _inter_credit(parts, params)
    minimum = sum(_short_minimum(h, params.of(h.name).short_min) for h in account.holdings)
    required = max(scan + intra - inter, minimum)
    haircuts = account.haircuts()
    return ModelMargin(
        NAME,
        initial=params.default.initial_factor * required + haircuts,
        maintenance=required + haircuts,
        components={
            "scan": scan,
            "intraSpread": intra,
            "interCredit": 0.0 - inter,
            "shortOptionMinimum": minimum,
            "haircuts": haircuts,
        },
    )
