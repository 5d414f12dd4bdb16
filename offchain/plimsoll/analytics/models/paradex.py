"""Paradex-style portfolio margin: scan of 24 rows against a delta floor.

The delta floor is verified on one published case. The 24 rows are not published in full: eight price moves by three
volatility states are assumed. Fee and funding provisions are rates of the linear notional.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.analytics.models.account import ModelAccount, ModelMargin
from plimsoll.analytics.models.holdings import Holdings
from plimsoll.analytics.models.parameters import ModelParams, number
from plimsoll.analytics.models.shocks import vol_states

NAME: Final = "paradex"
EVIDENCE: Final = "delta floor verified on one case; rows assumed"
_STEPS: Final = (-1.0, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class ParadexParams:
    """Ranges and rates of one underlying."""

    price_range: float = number(0.0, 0.9)
    vol_up: float = number(0.0, 5.0)
    vol_down: float = number(0.0, 1.0)
    vol_floor: float = number(0.0, 5.0)
    net_delta_rate: float = number(0.0, 1.0)
    hedged_delta_rate: float = number(0.0, 1.0)
    maintenance_share: float = number(0.0, 1.0)
    fee_rate: float = number(0.0, 1.0)
    funding_rate: float = number(0.0, 1.0)


def delta_floor(deltas: list[float], spot: float, params: ParadexParams) -> float:
    """``(rate*|net delta| + rate*hedged delta)*S``; hedged is what long and short deltas offset."""
    longs = sum(max(0.0, d) for d in deltas)
    shorts = sum(max(0.0, -d) for d in deltas)
    net, hedged = abs(longs - shorts), min(longs, shorts)
    return (params.net_delta_rate * net + params.hedged_delta_rate * hedged) * spot


def _underlying(held: Holdings, params: ParadexParams) -> tuple[float, float, float]:
    """Scan, delta floor and provisions, cash."""
    states = vol_states(held.sigma, held.time, params.vol_up, params.vol_down, params.vol_floor)
    rows = [held.pnl(step * params.price_range, sigma) for step in _STEPS for sigma in states.values()]
    floor = delta_floor([float(d) for d in held.quantity * held.delta], held.spot, params)
    notional = float((np.abs(held.quantity) * held.forward)[held.is_linear].sum())
    return max(0.0, -min(rows, default=0.0)), floor, (params.fee_rate + params.funding_rate) * notional


def margin(account: ModelAccount, params: ModelParams[ParadexParams]) -> ModelMargin:
    """Paradex-style margin of an account.

    Parameters
    ----------
    account : ModelAccount
    params : ModelParams of ParadexParams

    Returns
    -------
    ModelMargin
        Underlyings add up; collateral counts after its full haircut and takes no part in the rows.
    """
    parts = [_underlying(h, params.of(h.name)) for h in account.holdings]
    net = sum(max(scan, floor) for scan, floor, _ in parts)
    provisions = sum(part[2] for part in parts)
    haircuts = account.haircuts()
    return ModelMargin(
        NAME,
        initial=net + provisions + haircuts,
        maintenance=params.default.maintenance_share * net + provisions + haircuts,
        components={
            "scan": sum(part[0] for part in parts),
            "deltaFloor": sum(part[1] for part in parts),
            "provisions": provisions,
            "haircuts": haircuts,
        },
    )
