"""OKX portfolio margin, MR1 to MR9.

Verified on the published examples: MR1 and MR6 of a linear position, the perpetual's branch of MR4, the combination,
IMR and the tiers of MR9. Documented, not verified: volatility shocks, MR2, the annualised branch of MR4, MR7's tiers
(read as marginal). The formula of MR3 is not public: the form of this project's own vega term stands in for it. MR5 is
a parallel shift of the rates of options and futures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.models.account import ModelAccount, ModelMargin
from plimsoll.analytics.models.holdings import Holdings
from plimsoll.analytics.models.parameters import ModelParams, number, numbers, pairs
from plimsoll.analytics.models.shocks import term_factors, vol_states
from plimsoll.mirror import black76

NAME: Final = "okx"
EVIDENCE: Final = "MR1, MR4 (perpetual), MR6, MR9, totals verified; the rest documented; MR3 assumed"
Vector = npt.NDArray[np.float64]
Tiers = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class OkxParams:
    """Parameters of one risk unit; tiers are (upper end in cash, multiplier or rate), the last end is never reached."""

    price_moves: tuple[float, ...] = numbers(0.0, 0.9)
    vol_up: float = number(0.0, 5.0)
    vol_down: float = number(0.0, 1.0)
    vega_rate: float = number(0.0, 1.0)
    perp_basis: float = number(0.0, 1.0)
    annual_basis: float = number(0.0, 5.0)
    rate_shift: float = number(0.0, 1.0)
    extreme_move: float = number(0.0, 0.9)
    extreme_share: float = number(0.0, 1.0)
    close_out_rate: float = number(0.0, 1.0)
    close_out_tiers: tuple[tuple[float, float], ...] = pairs(0.0, 1e15)
    borrow_rate: float = number(0.0, 1.0)
    depeg_tiers: tuple[tuple[float, float], ...] = pairs(0.0, 1e15)
    initial_factor: float = number(1.0, 10.0)


@dataclass(frozen=True, slots=True)
class RiskUnit:
    """Charges of one risk unit, cash, all at least 0."""

    mr1: float
    mr2: float
    mr3: float
    mr4: float
    mr5: float
    mr6: float
    mr7: float

    @property
    def maintenance(self) -> float:
        """``max(max(MR1, MR2, MR6) + MR3 + MR4 + MR5, MR7)``."""
        return max(max(self.mr1, self.mr2, self.mr6) + self.mr3 + self.mr4 + self.mr5, self.mr7)


def tiered(amount: float, tiers: Tiers) -> float:
    """Sum of ``rate*part`` over tiers: each part of an amount pays the rate of its own tier."""
    total, low = 0.0, 0.0
    for high, rate in tiers[:-1]:
        total += rate * max(0.0, min(amount, high) - low)
        low = high
    return total + tiers[-1][1] * max(0.0, amount - low)


def initial_of(maintenance: float, borrow: float, factor: float) -> float:
    """IMR from MMR: ``factor*MMR + borrow``."""
    return factor * maintenance + borrow


def _loss(pnl: float) -> float:
    return max(0.0, -pnl)


def _theta(held: Holdings) -> float:
    """P&L of 24 hours at constant forwards and volatilities."""
    strike = np.where(held.is_option, held.strike, 1.0)
    later = np.maximum(held.time - 1.0 / 365.0, 0.0)
    discount = np.exp(-held.rate * later)
    value, _ = black76.price_and_delta(held.is_call, held.forward, strike, held.sigma * np.sqrt(later), discount)
    return float(held.quantity @ np.where(held.is_option, value - held.unit_mark, 0.0))


def _vega_term(held: Holdings, params: OkxParams) -> float:
    shocked = held.quantity * held.vega() * held.sigma * params.vol_up * term_factors(held.time)
    by_expiry = held.by_expiry(shocked)
    return params.vega_rate * max(0.0, float(np.abs(by_expiry).sum()) - abs(float(by_expiry.sum())))


def _rate_loss(held: Holdings, shift: float) -> float:
    dated = held.mark * np.where(held.time > 0.0, 1.0, 0.0)
    pnl = [float(dated @ np.expm1(-sign * shift * held.time)) for sign in (1.0, -1.0)]
    return _loss(min(pnl))


def risk_unit(held: Holdings, params: OkxParams, linked_value: float) -> RiskUnit:
    """Charges of one underlying.

    Parameters
    ----------
    held : Holdings
    params : OkxParams
    linked_value : float
        Collateral that takes part in the price moves (spot-derivatives offset), cash.

    Returns
    -------
    RiskUnit
    """
    states = vol_states(held.sigma, held.time, params.vol_up, params.vol_down, 0.0)

    def row(move: float, state: str) -> float:
        return held.pnl(move, states[state]) + linked_value * move

    moves = sorted({sign * move for move in params.price_moves for sign in (1.0, -1.0)})
    deltas = held.quantity * held.delta * held.spot
    basis = np.where(held.bucket_times() > 0.0, params.annual_basis * held.bucket_times(), params.perp_basis)
    raw = params.close_out_rate * float(np.abs(deltas).sum())
    return RiskUnit(
        mr1=_loss(min(row(move, state) for move in moves for state in states)),
        mr2=_loss(_theta(held)),
        mr3=_vega_term(held, params),
        mr4=float(np.abs(held.by_expiry(deltas)) @ basis),
        mr5=_rate_loss(held, params.rate_shift),
        mr6=params.extreme_share * _loss(min(row(s * params.extreme_move, "flat") for s in (1.0, -1.0))),
        mr7=tiered(raw, params.close_out_tiers),
    )


def margin(account: ModelAccount, params: ModelParams[OkxParams]) -> ModelMargin:
    """OKX portfolio margin of an account.

    Parameters
    ----------
    account : ModelAccount
    params : ModelParams of OkxParams

    Returns
    -------
    ModelMargin
        Risk units add up. Linked collateral takes part in MR1 and MR6; other collateral counts after its haircut and,
        as a stablecoin that is not the cash, in MR9. Negative cash is borrowed (MR8).
    """
    units = [risk_unit(h, params.of(h.name), h.linked_value) for h in account.holdings]
    common = params.default
    tokens = account.market.tokens
    stable = sum(
        amount * account.market.price_of(symbol)
        for symbol, amount in account.portfolio.collateral.items()
        if tokens[symbol].linked is None and symbol != "USDC"
    )
    depeg = tiered(stable, common.depeg_tiers)
    borrow = common.borrow_rate * max(0.0, -account.portfolio.cash)
    haircuts = account.haircuts(netted=0.0)
    maintenance = sum(unit.maintenance for unit in units) + depeg
    names = ("mr1", "mr2", "mr3", "mr4", "mr5", "mr6", "mr7")
    return ModelMargin(
        NAME,
        initial=initial_of(maintenance, borrow, common.initial_factor) + haircuts,
        maintenance=maintenance + haircuts,
        components={name: sum(getattr(unit, name) for unit in units) for name in names}
        | {"mr8": borrow, "mr9": depeg, "haircuts": haircuts},
        notes=("MR3 is assumed; MR2 and MR7 only bind where they are largest",),
    )
