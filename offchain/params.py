"""Risk parameters: every name and default of the risk model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

BookName = Literal["default", "span"]


@dataclass(frozen=True, slots=True)
class UnderlyingParams:
    """Parameters of one underlying; ratios unless stated, ``n0`` and ``v0`` in cash (``v0`` per 1.00 of vol)."""

    price_range: float = 0.25
    vol_up: float = 0.50
    vol_down: float = 0.25
    vol_floor: float = 0.40
    basis_min: float = 0.003
    basis_rate: float = 0.05
    perp_basis: float = 0.002
    vega_term_rate: float = 0.5
    short_min_rate: float = 0.01
    conc_rate: float = 0.1
    conc_vega_rate: float = 0.1
    n0: float = 50e6
    v0: float = 5e6


@dataclass(frozen=True, slots=True)
class AccountParams:
    """Parameters that act on the whole account; those from ``buffer`` on belong to liquidation."""

    mm_factor: float = 0.8
    im_factor: float = 1.0
    peg_threshold: float = 0.99
    peg_slope: float = 4.0
    conf_threshold: float = 0.55
    conf_rate: float = 1.0
    rho_high: float = 0.9
    rho_low: float = 0.4
    stress_share: float = 0.6
    buffer: float = 0.15
    fee_rate: float = 0.01
    bonus_share: float = 0.25
    fund_per_hour: float = 0.2


#: Defaults that differ between underlyings (risk-model sections 3 and 4).
UNDERLYING_DEFAULTS: Final[Mapping[str, UnderlyingParams]] = {
    "ETH": UnderlyingParams(price_range=0.18),
    "BTC": UnderlyingParams(price_range=0.16, n0=100e6),
}


@dataclass(frozen=True, slots=True)
class Params:
    """All parameters: account-wide, for every underlying (``overrides_all``), for one (``overrides``)."""

    account: AccountParams = AccountParams()
    book: BookName = "default"
    overrides_all: Mapping[str, float] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def for_underlying(self, name: str) -> UnderlyingParams:
        """Parameters of ``name``: its defaults, then the general, then its own overrides."""
        base = UNDERLYING_DEFAULTS.get(name, UnderlyingParams())
        return replace(base, **{**self.overrides_all, **self.overrides.get(name, {})})
