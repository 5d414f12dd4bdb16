"""Derive PM2: rows with static discounts, skew rows, forward contingency, contingencies per notional and per token.

Margins of that venue are net values (positive is excess); here they are turned into what market equity must cover. The
formulas are those of its published contracts, and its published test cases are computed anew by
``tests/python/analytics/test_derive_cases.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.models.account import ModelAccount, ModelMargin
from plimsoll.analytics.models.holdings import Holdings
from plimsoll.analytics.models.parameters import ModelParams, named_pairs, number, rows
from plimsoll.analytics.models.shocks import DAY, Term, vol_states
from plimsoll.constants import YEAR_SEC
from plimsoll.errors import DomainError

NAME: Final = "derive"
EVIDENCE: Final = "formulas public; published cases verified, see docs/reference/margin-models.md"
Vector = npt.NDArray[np.float64]
SETTLEMENT_YEARS: Final = 1_800.0 / YEAR_SEC
SKEWS: Final = ("linear", "absolute")
STATES: Final = ("up", "flat", "down", *SKEWS)


@dataclass(frozen=True, slots=True)
class DeriveParams:
    """Parameters of one manager: rows, shocks, static discounts, contingencies (all ratios), within the venue's bounds.

    ``rows`` are (move, state, dampening); the states ``linear`` and ``absolute`` are skew rows, which ``skew_linear_*``
    and ``skew_absolute_*`` belong to. ``forward_up`` and ``forward_down`` are moves, the second one negative.
    ``haircuts`` are (maintenance, further initial) by token; ``haircut_*`` those of linked tokens that are not named
    there. Unlinked ones have the haircut of the market file as maintenance, and nothing further.
    """

    rows: tuple[tuple[float, str, float], ...] = rows(-0.99, 10.0, 10.0, *STATES)
    vol_up: float = number(0.0, 10.0)
    vol_down: float = number(0.0, 10.0)
    vol_floor: float = number(0.0, 20.0)
    short_power: float = number(0.0, 10.0)
    long_power: float = number(0.0, 10.0)
    least_days: float = number(1e-6, 400.0)
    skew_linear_scale: float = number(0.0, 10.0)
    skew_linear_base: float = number(-10.0, 10.0)
    skew_absolute_scale: float = number(0.0, 10.0)
    skew_absolute_base: float = number(-10.0, 10.0)
    skew_min_width: float = number(0.0, 10.0)
    skew_width: float = number(0.0, 10.0)
    skew_vol: float = number(0.0, 10.0)
    skew_vol_slope: float = number(-20.0, 20.0)
    maintenance_factor: float = number(0.5, 10.0)
    initial_factor: float = number(0.5, 10.0)
    long_base: float = number(0.0, 4.0)
    long_multiple: float = number(0.0, 10.0)
    long_add: float = number(0.0, 10.0)
    short_base: float = number(0.0, 4.0)
    short_multiple: float = number(0.0, 10.0)
    short_add: float = number(0.0, 10.0)
    forward_up: float = number(0.0, 2.0)
    forward_down: float = number(-1.0, 0.0)
    forward_add: float = number(0.0, 20.0)
    forward_multiple: float = number(0.0, 20.0)
    peg_threshold: float = number(0.0, 100.0)
    peg_factor: float = number(0.0, 10.0)
    confidence_threshold: float = number(0.0, 1.0)
    confidence_rate: float = number(0.0, 20.0)
    perp_maintenance: float = number(0.0, 3.0)
    perp_initial: float = number(0.0, 3.0)
    option_maintenance: float = number(0.0, 2.0)
    option_initial: float = number(0.0, 2.0)
    haircut_maintenance: float = number(0.0, 1.0)
    haircut_initial: float = number(0.0, 1.0)
    haircuts: Mapping[str, tuple[float, float]] = named_pairs(0.0, 1.0)

    @property
    def term(self) -> Term:
        """How shocks of volatility fall with time."""
        return Term(self.short_power, self.long_power, self.least_days * DAY)

    def doubt(self, confidence: float, notional: float) -> float:
        """Charge for prices that are not sure: ``(1 - confidence)*rate*notional`` below the threshold."""
        return (1.0 - confidence) * self.confidence_rate * notional if confidence < self.confidence_threshold else 0.0


@dataclass(frozen=True, slots=True)
class PmResult:
    """One manager, cash.

    Attributes
    ----------
    rows : ndarray
        P&L of every row, in the order of the parameters.
    skew : float
        Worst of the skew rows, at most 0.
    forward : float
        Forward contingency, at most 0.
    worst : float
        Worst of them all, at most 0.
    maintenance_contingency, initial_contingency : float
        Charges on perpetuals and options; the second comes on top of the first.
    doubt : float
        Charge for prices that are not sure, of initial margin.
    haircut_maintenance, haircut_initial : float
        Of linked collateral; the second comes on top of the first.
    option_value : float
        Options at that venue's marks, whose rates are never negative.
    """

    rows: Vector
    skew: float
    forward: float
    worst: float
    maintenance_contingency: float
    initial_contingency: float
    doubt: float
    haircut_maintenance: float
    haircut_initial: float
    option_value: float


class _Book:
    """Options of one account by expiry, with what every row needs."""

    def __init__(self, held: Holdings, params: DeriveParams) -> None:
        # That venue takes a negative rate as none.
        rate = np.maximum(held.rate, 0.0)
        held = replace(held, rate=rate, discount=np.where(held.is_option, np.exp(-rate * held.time), held.discount))
        self.held, self.params = held, params
        fixed = np.where(held.is_option, np.clip(1.0 - held.time / SETTLEMENT_YEARS, 0.0, 1.0), 0.0)
        self.fixed = held.forward * fixed
        self.expiries = [held.is_option & (held.expiry_ts == e) for e in np.unique(held.expiry_ts[held.is_option])]
        shocks = (params.vol_up, params.vol_down, params.vol_floor)
        self.states = vol_states(held.sigma, held.time, *shocks, params.term)
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
        """P&L of one row before dampening, without collateral; in a skew row every expiry loses what it moves by."""
        linear = float(self.linear.sum()) * move
        if state in SKEWS:
            return linear - float(np.abs(self.expiry_pnl(0.0, self.held.sigma * self.tilt(state == "linear"))).sum())
        return linear + float(self.expiry_pnl(move, self.states[state]).sum())

    def tilt(self, linear: bool) -> Vector:
        """Return what a skew row multiplies volatilities by.

        Notes
        -----
        A cap may be negative, where a long expiry turns its sign: then it bounds nothing, as in the venue's contract.
        """
        p, held = self.params, self.held
        root = np.sqrt(held.time)
        scale, base = (
            (p.skew_linear_scale, p.skew_linear_base) if linear else (p.skew_absolute_scale, p.skew_absolute_base)
        )
        cap = base * root + scale
        width = np.maximum(p.skew_min_width, root * p.skew_width * (p.skew_vol + p.skew_vol_slope * root))
        if (width[held.is_option] <= 0.0).any():
            raise DomainError(NAME, "the width of the skew is 0 for some expiry: skewMinWidth must be above 0")
        k = np.log(np.where(held.is_option, held.strike, held.forward) / held.forward)
        k = k if linear else np.abs(k)
        slope = k * cap / np.where(held.is_option, width, 1.0)
        return np.maximum(1.0 + np.where(k >= 0.0, np.minimum(cap, slope), np.maximum(-cap, slope)), 0.0)

    def forward_contingency(self) -> float:
        """Loss of each expiry at a small move up or down, times a factor that grows with time."""
        p, total = self.params, 0.0
        moved = [self.values(move, self.held.sigma) - self.now for move in (p.forward_up, p.forward_down)]
        for of, up, down in zip(self.expiries, *moved, strict=True):
            factor = p.forward_add + p.forward_multiple * float(self.held.time[of].max())
            total += min(float(up), float(down), 0.0) * factor
        return total

    def doubt(self) -> float:
        """Charge for perpetuals and options whose prices are not sure; the least sure price counts."""
        held, params = self.held, self.params
        has_perp = bool((held.quantity[held.is_linear] != 0.0).any())
        sure = min(held.confidence, held.perp_confidence) if has_perp else held.confidence
        total = params.doubt(sure, float(np.abs(held.quantity[held.is_linear]).sum()) * held.spot)
        for of in self.expiries:
            notional = float(np.abs(held.quantity[of]).sum()) * held.spot
            total += params.doubt(min(sure, float(held.expiry_confidence[of].min())), notional)
        return total


def _net_shorts(held: Holdings) -> float:
    """Units short after netting calls and puts of one strike."""
    net: dict[tuple[int, float], float] = {}
    for i in np.flatnonzero(held.is_option):
        key = (int(held.expiry_ts[i]), float(held.strike[i]))
        net[key] = net.get(key, 0.0) + float(held.quantity[i])
    return sum(max(0.0, -quantity) for quantity in net.values())


def manager(held: Holdings, params: DeriveParams, stable_price: float = 1.0) -> PmResult:
    """Evaluate one underlying.

    Parameters
    ----------
    held : Holdings
        ``linked`` is collateral that cancels risk: it takes part in the rows.
    params : DeriveParams
    stable_price : float
        Price of the cash token; that venue values collateral in it.

    Returns
    -------
    PmResult

    Raises
    ------
    DomainError
        When the skew has no width.
    """
    book = _Book(held, params)
    linked = held.linked_value / stable_price
    found = np.array([damp * (book.row(move, state) + linked * move) for move, state, damp in params.rows])
    skew = min((float(pnl) for pnl, row in zip(found, params.rows, strict=True) if row[1] in SKEWS), default=0.0)
    forward = book.forward_contingency()
    perp = float(np.abs(held.quantity[held.is_linear]).sum()) * held.spot
    shorts = _net_shorts(held) * held.spot
    otherwise = (params.haircut_maintenance, params.haircut_initial)
    values = [token.value / stable_price for token in held.linked]
    cuts = [params.haircuts.get(token.symbol, otherwise) for token in held.linked]
    sure = [min(token.confidence, held.confidence) for token in held.linked]
    return PmResult(
        rows=found,
        skew=min(skew, 0.0),
        forward=forward,
        worst=min(0.0, float(found.min()), forward),
        maintenance_contingency=perp * params.perp_maintenance + shorts * params.option_maintenance,
        initial_contingency=perp * params.perp_initial + shorts * params.option_initial,
        doubt=book.doubt() + sum(params.doubt(c, value) for c, value in zip(sure, values, strict=True)),
        haircut_maintenance=sum(value * cut[0] for value, cut in zip(values, cuts, strict=True)),
        haircut_initial=sum(value * cut[1] for value, cut in zip(values, cuts, strict=True)),
        option_value=float(book.now.sum()),
    )


@dataclass(frozen=True, slots=True)
class _Unlinked:
    """Collateral without an underlying: haircuts and charge for doubt, cash."""

    maintenance: float = 0.0
    initial: float = 0.0
    doubt: float = 0.0
    value: float = 0.0


def _unlinked(account: ModelAccount, params: DeriveParams) -> _Unlinked:
    """Haircuts of collateral that takes no part in the rows; no price is surer than the spot the account lives by."""
    market = account.market
    held = [h.confidence for h in account.holdings] or [r.confidence for r in market.rounds.values()]
    maintenance = initial = doubt = total = 0.0
    for symbol, amount in account.portfolio.collateral.items():
        token = market.tokens[symbol]
        if token.linked is not None:
            continue
        value = amount * market.price_of(symbol) / market.usdc_price
        cut = params.haircuts.get(symbol, (token.haircut, 0.0))
        total += value
        maintenance += value * cut[0]
        initial += value * cut[1]
        doubt += params.doubt(min(token.confidence, *held), value)
    return _Unlinked(maintenance, initial, doubt, total)


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
        ``ownMarks`` is what market equity here counts above that venue's: collateral in cash and not in its
        stablecoin, and options at negative rates.

    Raises
    ------
    DomainError
        When the skew has no width.
    """
    market = account.market
    stable = market.usdc_price
    parts = [(params.of(h.name), h, manager(h, params.of(h.name), stable)) for h in account.holdings]
    peg = max(0.0, params.default.peg_threshold - stable) * params.default.peg_factor
    other = _unlinked(account, params.default)
    linked = sum(h.linked_value for h in account.holdings)
    own = (linked + other.value * stable) * (1.0 - 1.0 / stable)
    own += sum(float(h.mark[h.is_option].sum()) - r.option_value for _, h, r in parts)
    held = sum(r.maintenance_contingency for _, _, r in parts)
    more = sum(r.initial_contingency for _, _, r in parts)
    haircuts = other.maintenance + sum(r.haircut_maintenance for _, _, r in parts)
    further = other.initial + sum(r.haircut_initial for _, _, r in parts)
    doubt = other.doubt + sum(r.doubt for _, _, r in parts)
    return ModelMargin(
        NAME,
        initial=sum(-r.worst * (p.initial_factor + peg) for p, _, r in parts)
        + (held + more + haircuts + further + doubt + own),
        maintenance=sum(-r.worst * p.maintenance_factor for p, _, r in parts) + (held + haircuts + own),
        components={
            "worst": sum(-r.worst for _, _, r in parts),
            "forward": sum(-r.forward for _, _, r in parts),
            "skew": sum(-r.skew for _, _, r in parts),
            "maintenanceContingency": held,
            "initialContingency": more,
            "confidence": doubt,
            "haircuts": haircuts,
            "initialHaircuts": further,
            "ownMarks": own,
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
