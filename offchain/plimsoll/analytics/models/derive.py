"""Derive PM2: 33 rows with static discounts, forward contingency, contingencies per notional.

Verified on published cases. Margins of that venue are net values (positive is excess); here they are turned into what
market equity must cover.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.models.account import ModelAccount, ModelMargin
from plimsoll.analytics.models.holdings import Holdings
from plimsoll.analytics.models.parameters import ModelParams, number, numbers, pairs
from plimsoll.analytics.models.shocks import vol_states
from plimsoll.constants import YEAR_SEC

NAME: Final = "derive"
EVIDENCE: Final = "verified on published cases"
Vector = npt.NDArray[np.float64]
SETTLEMENT_YEARS: Final = 1_800.0 / YEAR_SEC


@dataclass(frozen=True, slots=True)
class DeriveParams:
    """Parameters of one manager: rows, shocks, static discounts, contingencies (all ratios).

    ``wide_moves`` have the vol-up state only, ``moves`` all three; ``tails`` are (move, dampening), vol up.
    """

    wide_moves: tuple[float, ...] = numbers(-0.99, 10.0)
    moves: tuple[float, ...] = numbers(-0.99, 10.0)
    tails: tuple[tuple[float, float], ...] = pairs(-0.99, 10.0)
    vol_up: float = number(0.0, 5.0)
    vol_down: float = number(0.0, 1.0)
    vol_floor: float = number(0.0, 5.0)
    skew_scale: float = number(0.0, 2.0)
    skew_base: float = number(-2.0, 2.0)
    skew_min_width: float = number(1e-6, 10.0)
    skew_width: float = number(0.0, 10.0)
    skew_vol: float = number(0.0, 10.0)
    skew_vol_slope: float = number(-10.0, 10.0)
    maintenance_factor: float = number(0.0, 10.0)
    initial_factor: float = number(0.0, 10.0)
    long_base: float = number(0.0, 2.0)
    long_multiple: float = number(0.0, 10.0)
    long_add: float = number(0.0, 10.0)
    short_base: float = number(0.0, 2.0)
    short_multiple: float = number(0.0, 10.0)
    short_add: float = number(0.0, 10.0)
    forward_move: float = number(0.0, 1.0)
    forward_add: float = number(0.0, 20.0)
    forward_multiple: float = number(0.0, 20.0)
    peg_threshold: float = number(0.0, 1.0)
    peg_factor: float = number(0.0, 20.0)
    confidence_threshold: float = number(0.0, 1.0)
    confidence_rate: float = number(0.0, 20.0)
    perp_maintenance: float = number(0.0, 1.0)
    perp_initial: float = number(0.0, 1.0)
    option_maintenance: float = number(0.0, 1.0)
    option_initial: float = number(0.0, 1.0)
    haircut_maintenance: float = number(0.0, 1.0)
    haircut_initial: float = number(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class PmResult:
    """One manager: worst of rows and forward contingency (at most 0), and contingencies, cash."""

    rows: Vector
    skew: Vector
    forward: float
    worst: float
    maintenance_contingency: float
    initial_contingency: float


class _Book:
    """Options of one account by expiry, with what every row needs."""

    def __init__(self, held: Holdings, params: DeriveParams) -> None:
        self.held, self.params = held, params
        fixed = np.where(held.is_option, np.clip(1.0 - held.time / SETTLEMENT_YEARS, 0.0, 1.0), 0.0)
        self.fixed = held.forward * fixed
        self.expiries = [held.is_option & (held.expiry_ts == e) for e in np.unique(held.expiry_ts[held.is_option])]
        self.states = vol_states(held.sigma, held.time, params.vol_up, params.vol_down, params.vol_floor)
        self.linear = held.quantity * held.discount * held.forward * held.is_linear
        self.now = self.values(0.0, held.sigma)

    def values(self, move: float, sigma: Vector) -> Vector:
        """Value per expiry; only the part of a forward that is not fixed yet moves."""
        forward = (self.held.forward - self.fixed) * (1.0 + move) + self.fixed
        value = self.held.quantity * self.held.option_values(forward, sigma)
        return np.array([float(value[of].sum()) for of in self.expiries])

    def discounts(self, value: Vector) -> Vector:
        """Return the static discount of each expiry: one for values that are owned, one for those that are owed."""
        p, out = self.params, []
        for of, worth in zip(self.expiries, value, strict=True):
            time, rate = float(self.held.time[of].max()), float(self.held.rate[of].max())
            if worth >= 0.0:
                out.append(p.long_base * np.exp(-time * (rate * p.long_multiple + p.long_add)))
            else:
                owed = p.short_base * np.exp(time * (rate * p.short_multiple + p.short_add))
                out.append(min(np.exp(rate * time), owed))
        return np.array(out)

    def expiry_pnl(self, move: float, sigma: Vector) -> Vector:
        """Discounted value after the row less the value now, per expiry."""
        after = self.values(move, sigma)
        return np.asarray(self.discounts(after) * after - self.now)

    def row(self, move: float, state: str) -> float:
        """P&L of one row before dampening, without collateral."""
        return float(self.linear.sum() * move + self.expiry_pnl(move, self.states[state]).sum())

    def skew_row(self, linear: bool) -> float:
        """Every expiry loses what the skew moves it by, whichever the direction."""
        p, held = self.params, self.held
        root = np.sqrt(held.time)
        cap = p.skew_base * root + p.skew_scale
        width = np.maximum(p.skew_min_width, root * p.skew_width * (p.skew_vol + p.skew_vol_slope * root))
        k = np.log(np.where(held.is_option, held.strike, held.forward) / held.forward)
        k = k if linear else np.abs(k)
        multiple = np.maximum(1.0 + np.clip(k * cap / width, -np.abs(cap), np.abs(cap)), 0.0)
        return -float(np.abs(self.expiry_pnl(0.0, held.sigma * multiple)).sum())

    def forward_contingency(self) -> float:
        """Loss of each expiry at a small move, times a factor that grows with time."""
        p, total = self.params, 0.0
        moved = [self.values(sign * p.forward_move, self.held.sigma) - self.now for sign in (1.0, -1.0)]
        for of, up, down in zip(self.expiries, *moved, strict=True):
            factor = p.forward_add + p.forward_multiple * float(self.held.time[of].max())
            total += min(float(up), float(down), 0.0) * factor
        return total


def _net_shorts(held: Holdings) -> float:
    """Units short after netting calls and puts of one strike."""
    net: dict[tuple[int, float], float] = {}
    for i in np.flatnonzero(held.is_option):
        key = (int(held.expiry_ts[i]), float(held.strike[i]))
        net[key] = net.get(key, 0.0) + float(held.quantity[i])
    return sum(max(0.0, -quantity) for quantity in net.values())


def manager(held: Holdings, params: DeriveParams) -> PmResult:
    """Evaluate one underlying.

    Parameters
    ----------
    held : Holdings
        ``linked_value`` is collateral that cancels risk: it takes part in the rows.
    params : DeriveParams

    Returns
    -------
    PmResult
    """
    book = _Book(held, params)
    wanted = [(move, "up", 1.0) for move in params.wide_moves]
    wanted += [(move, state, 1.0) for move in params.moves for state in ("up", "flat", "down")]
    wanted += [(move, "up", damp) for move, damp in params.tails]
    rows = np.array([damp * (book.row(move, state) + held.linked_value * move) for move, state, damp in wanted])
    skew = np.array([book.skew_row(linear) for linear in (True, False)])
    forward = book.forward_contingency()
    perp = float(np.abs(held.quantity[held.is_linear]).sum()) * held.spot
    shorts = _net_shorts(held) * held.spot
    options = float(np.abs(held.quantity[held.is_option]).sum()) * held.spot
    doubt = max(0.0, 1.0 - held.confidence) if held.confidence < params.confidence_threshold else 0.0
    exposed = perp + options + held.linked_value
    return PmResult(
        rows=rows,
        skew=skew,
        forward=forward,
        worst=min(0.0, float(rows.min()), float(skew.min()), forward),
        maintenance_contingency=perp * params.perp_maintenance
        + shorts * params.option_maintenance
        + held.linked_value * params.haircut_maintenance,
        initial_contingency=perp * params.perp_initial
        + shorts * params.option_initial
        + held.linked_value * params.haircut_initial
        + doubt * params.confidence_rate * exposed,
    )


def margin(account: ModelAccount, params: ModelParams[DeriveParams]) -> ModelMargin:
    """Derive PM2 margin of an account.

    Parameters
    ----------
    account : ModelAccount
    params : ModelParams of DeriveParams

    Returns
    -------
    ModelMargin
        One manager per underlying, added up. Futures, which that venue does not have, are treated as perpetuals.
    """
    parts = [(params.of(h.name), manager(h, params.of(h.name))) for h in account.holdings]
    peg = max(0.0, params.default.peg_threshold - account.market.usdc_price) * params.default.peg_factor
    haircuts = account.haircuts(netted=0.0)
    held = sum(r.maintenance_contingency for _, r in parts)
    more = sum(r.initial_contingency for _, r in parts)
    return ModelMargin(
        NAME,
        initial=sum(-r.worst * (p.initial_factor + peg) for p, r in parts) + held + more + haircuts,
        maintenance=sum(-r.worst * p.maintenance_factor for p, r in parts) + held + haircuts,
        components={
            "worst": sum(-r.worst for _, r in parts),
            "forward": sum(-r.forward for _, r in parts),
            "skew": sum(-float(r.skew.min()) for _, r in parts),
            "maintenanceContingency": held,
            "initialContingency": more,
            "haircuts": haircuts,
        },
        notes=("futures are treated as perpetuals",) if _has_futures(account) else (),
    )


def _has_futures(account: ModelAccount) -> bool:
    return any(bool((h.is_linear & (h.expiry_ts > 0)).any()) for h in account.holdings)


def max_liquidation_fraction(
    buffer_margin: float, mark_to_market: float, discount: float, reserve: float = 0.0
) -> float:
    """Largest fraction that venue lets be liquidated: ``BM/(BM - MtM*d - R*(1 - d))``, within [0, 1].

    Parameters
    ----------
    buffer_margin : float
        Net buffer margin, negative when short of it.
    mark_to_market : float
        Value of the account.
    discount : float
        Auction price factor.
    reserve : float
        Cash that earlier bids paid in.

    Returns
    -------
    float
    """
    if buffer_margin >= 0.0:
        return 0.0
    divisor = buffer_margin - mark_to_market * discount - reserve * (1.0 - discount)
    return 1.0 if divisor >= buffer_margin else min(1.0, buffer_margin / divisor)
