"""Derive standard margin: position by position, or the maximum loss of an expiry where that is better.

Documented, not verified: no worked example is public. Futures, which that venue does not have, pay the rates of the
perpetual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.models.account import ModelAccount, ModelMargin
from plimsoll.analytics.models.holdings import Holdings
from plimsoll.analytics.models.parameters import ModelParams, number

NAME: Final = "derive-standard"
EVIDENCE: Final = "documented, not verified"
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DeriveStandardParams:
    """Rates of one underlying; ``unpaired_*`` are multiples of the forward per net short call."""

    short_rate: float = number(0.0, 1.0)
    short_floor: float = number(0.0, 1.0)
    short_maintenance: float = number(0.0, 1.0)
    put_mark_rate: float = number(0.0, 1.0)
    put_initial_multiple: float = number(0.0, 10.0)
    unpaired_initial: float = number(0.0, 10.0)
    unpaired_maintenance: float = number(0.0, 10.0)
    perp_initial: float = number(0.0, 1.0)
    perp_maintenance: float = number(0.0, 1.0)


def short_option(
    call: bool, spot: float, strike: float, mark: float, units: float, params: DeriveStandardParams
) -> tuple[float, float]:
    """Return initial and maintenance margin of one short option, net values (negative).

    Parameters
    ----------
    call : bool
    spot, strike, mark : float
        Cash per unit.
    units : float
        Positive number sold.
    params : DeriveStandardParams

    Returns
    -------
    float, float
    """
    value = -mark * units
    otm = max(0.0, strike - spot if call else spot - strike) / spot
    initial = value - max(params.short_rate - otm, params.short_floor) * spot * units
    if call:
        return initial, value - params.short_maintenance * spot * units
    maintenance = value - max(params.short_maintenance * spot * units, params.put_mark_rate * abs(value))
    return min(initial, params.put_initial_multiple * maintenance), maintenance


def _maximum_loss(held: Holdings, of: npt.NDArray[np.bool_], params: DeriveStandardParams) -> tuple[float, float]:
    """Worst payoff over 0 and all strikes, less a charge for calls that nothing pairs, net values."""
    quantity, strike, call = held.quantity[of], held.strike[of], held.is_call[of]
    payoffs = []
    for price in (0.0, *strike):
        intrinsic = np.where(call, np.maximum(price - strike, 0.0), np.maximum(strike - price, 0.0))
        payoffs.append(float(quantity @ intrinsic))
    short_calls = max(0.0, -float(quantity[call].sum())) * float(held.forward[of].max())
    worst = min(0.0, *payoffs)
    return worst - params.unpaired_initial * short_calls, worst - params.unpaired_maintenance * short_calls


def expiry_margin(held: Holdings, of: npt.NDArray[np.bool_], params: DeriveStandardParams) -> tuple[float, float]:
    """Return initial and maintenance margin of the options of one expiry, net values: the better of two ways."""
    alone = [0.0, 0.0]
    for i in np.flatnonzero(of & (held.quantity < 0.0)):
        both = short_option(
            bool(held.is_call[i]),
            held.spot,
            float(held.strike[i]),
            float(held.unit_mark[i]),
            -float(held.quantity[i]),
            params,
        )
        alone = [alone[0] + both[0], alone[1] + both[1]]
    together = _maximum_loss(held, of, params)
    return max(alone[0], together[0]), max(alone[1], together[1])


def _underlying(held: Holdings, params: DeriveStandardParams) -> tuple[float, float, float]:
    """Return what equity must cover for options, initial and maintenance, and the notional of linear positions."""
    initial = maintenance = 0.0
    for expiry in np.unique(held.expiry_ts[held.is_option]):
        of = held.is_option & (held.expiry_ts == expiry)
        value = float(held.mark[of].sum())
        net_initial, net_maintenance = expiry_margin(held, of, params)
        initial += value - net_initial
        maintenance += value - net_maintenance
    linear = float((np.abs(held.quantity) * held.forward)[held.is_linear].sum())
    return initial, maintenance, linear


def margin(account: ModelAccount, params: ModelParams[DeriveStandardParams]) -> ModelMargin:
    """Derive standard margin of an account.

    Parameters
    ----------
    account : ModelAccount
    params : ModelParams of DeriveStandardParams

    Returns
    -------
    ModelMargin
        Long options count only against the shorts of their own expiry; collateral after its full haircut.
    """
    parts = [(params.of(h.name), _underlying(h, params.of(h.name))) for h in account.holdings]
    options = [sum(found[i] for _, found in parts) for i in (0, 1)]
    haircuts = account.haircuts()
    linear_initial = sum(p.perp_initial * found[2] for p, found in parts)
    linear_maintenance = sum(p.perp_maintenance * found[2] for p, found in parts)
    return ModelMargin(
        NAME,
        initial=options[0] + linear_initial + haircuts,
        maintenance=options[1] + linear_maintenance + haircuts,
        components={"options": options[0], "linear": linear_initial, "haircuts": haircuts},
    )
