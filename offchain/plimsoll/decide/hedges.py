"""What a bidder would have to hedge of an account that it takes over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plimsoll.mirror.margin_engine import MarginResult


@dataclass(frozen=True, slots=True)
class Hedge:
    """Risk of one whole account, in cash: value of its deltas, and what 1.00 of volatility moves; both unsigned."""

    delta_value: float
    vega_value: float


def hedge_of(result: MarginResult, spots: Mapping[str, float]) -> Hedge:
    """Return what there is to hedge in an account.

    Parameters
    ----------
    result : MarginResult
        Margin by the mirror, with greeks.
    spots : Mapping[str, float]
        Spot by underlying, cash.

    Returns
    -------
    Hedge
        Underlyings add up: one hedges nothing of another.
    """
    parts = result.underlyings
    delta_value = sum(abs(part.delta) * spots[name] for name, part in parts.items())
    return Hedge(delta_value, sum(abs(part.vega) for part in parts.values()))
