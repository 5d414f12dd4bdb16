"""Flat rates: every position by itself, at a share of the price of its underlying.

The rule that retail venues margin naked options by. It knows neither the underlying's range nor the size of a position,
which is what the comparison shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.models.account import ModelAccount, ModelMargin
from plimsoll.analytics.models.holdings import Holdings
from plimsoll.analytics.models.parameters import ModelParams, number

NAME: Final = "flat-rates"
EVIDENCE: Final = "rule of retail venues; rates illustrative"
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FlatParams:
    """Rates of one underlying, shares of spot for short options and of the price for linear positions."""

    short_rate: float = number(0.0, 1.0)
    short_floor: float = number(0.0, 1.0)
    short_maintenance: float = number(0.0, 1.0)
    put_factor: float = number(0.0, 10.0)
    linear_initial: float = number(0.0, 1.0)
    linear_maintenance: float = number(0.0, 1.0)


def short_rates(call: bool, spot: float, strike: float, mark: float, params: FlatParams) -> tuple[float, float]:
    """Return initial and maintenance margin of one short option unit, cash."""
    otm = max(0.0, strike - spot if call else spot - strike) / spot
    initial = max(params.short_rate - otm, params.short_floor) * spot
    if call:
        return initial, params.short_maintenance * spot
    maintenance = params.short_maintenance * max(spot, mark)
    return max(initial, params.put_factor * maintenance), maintenance


def _underlying(held: Holdings, params: FlatParams) -> tuple[Vector, Vector]:
    """Return options and linear positions, each as (initial, maintenance)."""
    short = np.zeros(2)
    for i in np.flatnonzero(held.is_option & (held.quantity < 0.0)):
        rates = short_rates(bool(held.is_call[i]), held.spot, float(held.strike[i]), float(held.unit_mark[i]), params)
        short += -float(held.quantity[i]) * np.array(rates)
    notional = float((np.abs(held.quantity) * held.forward)[held.is_linear].sum())
    return short, notional * np.array([params.linear_initial, params.linear_maintenance])


def margin(account: ModelAccount, params: ModelParams[FlatParams]) -> ModelMargin:
    """Flat-rate margin of an account.

    Parameters
    ----------
    account : ModelAccount
    params : ModelParams of FlatParams

    Returns
    -------
    ModelMargin
        A long option is no collateral, so its value must be there as well; collateral after its full haircut.
    """
    parts = [_underlying(h, params.of(h.name)) for h in account.holdings]
    options, linear = (np.sum([part[i] for part in parts], axis=0) if parts else np.zeros(2) for i in (0, 1))
    uncounted = sum(float(np.maximum(h.mark[h.is_option], 0.0).sum()) for h in account.holdings)
    haircuts = account.haircuts()
    initial, maintenance = options + linear + uncounted + haircuts
    return ModelMargin(
        NAME,
        initial=float(initial),
        maintenance=float(maintenance),
        components={
            "options": float(options[0]),
            "linear": float(linear[0]),
            "longOptions": uncounted,
            "haircuts": haircuts,
        },
    )
