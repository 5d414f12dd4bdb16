"""Reverse stress: the smallest joint spot and volatility move that reaches a margin threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq

from plimsoll.analytics.stress.shock import Shock, shocked_market
from plimsoll.mirror.margin_engine import MarginResult, evaluate
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

#: Name -> how far the account is from the threshold, cash; it is reached at zero.
THRESHOLDS: Final[dict[str, Callable[[MarginResult], float]]] = {
    "initial": lambda m: m.equity - m.initial_margin,
    "maintenance": lambda m: m.equity - m.maintenance_margin,
    "zero": lambda m: m.market_equity,
}
DIRECTIONS: Final = 32
STEPS: Final = 24
MAX_SIZE: Final = 6.0
#: To which a crossing is found, ranges.
EXACT: Final = 1e-9
_REFINEMENTS: Final = 4


@dataclass(frozen=True, slots=True)
class ReverseStress:
    """Smallest move found; ``size`` counts ranges, ``moves`` are those of each underlying.

    ``size`` is None when nothing inside the search reaches the threshold; 0 when it is reached already.
    """

    threshold: str
    size: float | None
    moves: Mapping[str, Shock]

    def to_json(self) -> dict[str, object]:
        """Build the entry of the report."""
        return {
            "threshold": self.threshold,
            "reached": self.size is not None,
            "size": self.size,
            "moves": {name: {"price": s.price, "vol": s.vol} for name, s in self.moves.items()},
            "searchedTo": MAX_SIZE,
        }


class _Search:
    """Margin along rays of the plane (price move in price ranges, vol move in vol ranges), in logs."""

    def __init__(self, market: Market, portfolio: Portfolio, params: Params) -> None:
        self.market, self.portfolio, self.params = market, portfolio, params
        # The thresholds share their rays, and a ray that reaches nothing is walked to its end for each of them.
        self.known: dict[tuple[float, float], MarginResult] = {}
        self.held = {p.underlying for p in portfolio.positions} | {
            str(market.tokens[s].linked) for s in portfolio.collateral if market.tokens[s].linked is not None
        }

    def shocks(self, angle: float, size: float) -> dict[str, Shock]:
        """Return the moves at a point: each underlying by its own ranges."""
        out = {}
        for name in sorted(self.held):
            own = self.params.for_underlying(name)
            price = math.expm1(size * math.cos(angle) * math.log1p(own.price_range))
            vol = math.expm1(size * math.sin(angle) * math.log1p(max(own.vol_up, 0.1)))
            out[name] = Shock(price, min(vol, 19.0))
        return out

    def margin(self, angle: float, size: float) -> MarginResult:
        """Margin of the account at a point."""
        at = (angle, size)
        if at not in self.known:
            moved = shocked_market(self.market, self.shocks(angle, size))
            self.known[at] = evaluate(moved, self.portfolio, self.params)
        return self.known[at]

    def crossing(self, angle: float, low: float, high: float, distance: Callable[[MarginResult], float]) -> float:
        """Size at which ``distance`` falls to zero between ``low`` (above) and ``high`` (at or below)."""
        # Continuous with kinks: a bracketing method keeps what bisection promises in a third of the looks.
        return float(brentq(lambda size: distance(self.margin(angle, size)), low, high, xtol=EXACT))

    def first(self, angle: float, limit: float, distance: Callable[[MarginResult], float]) -> float | None:
        """Smallest crossing of a ray below ``limit``, to the resolution of the steps."""
        previous = 0.0
        for size in np.linspace(0.0, limit, STEPS + 1)[1:]:
            if distance(self.margin(angle, float(size))) <= 0.0:
                return self.crossing(angle, previous, float(size), distance)
            previous = float(size)
        return None


def reverse_stress(market: Market, portfolio: Portfolio, params: Params) -> list[ReverseStress]:
    """Search the smallest joint move for initial margin, maintenance margin and zero equity.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
        Its ranges are the units: a size of 1 straight down is a log move of ``ln(1 + priceRange)`` in every price.

    Returns
    -------
    list of ReverseStress
        One per threshold.

    Notes
    -----
    Rays in ``DIRECTIONS`` directions, ``STEPS`` steps each up to the best size so far, bisection at the first
    crossing, then ever finer directions round the best. The crossing is exact to about 1e-9; that no smaller one
    exists is known to the resolution of directions and steps only.
    """
    search = _Search(market, portfolio, params)
    now = evaluate(market, portfolio, params)
    coarse = [2.0 * math.pi * i / DIRECTIONS for i in range(DIRECTIONS)]
    out = []
    for name, distance in THRESHOLDS.items():
        if distance(now) <= 0.0:
            out.append(ReverseStress(name, 0.0, {}))
            continue
        best: tuple[float, float] | None = None
        for angle in coarse:
            size = search.first(angle, MAX_SIZE if best is None else best[0], distance)
            if size is not None:
                best = (size, angle)
        if best is None:
            out.append(ReverseStress(name, None, {}))
            continue
        width = 2.0 * math.pi / DIRECTIONS
        for _ in range(_REFINEMENTS):
            width *= 0.5
            for angle in (best[1] - width, best[1] + width):
                size = search.first(angle, best[0], distance)
                if size is not None and size < best[0]:
                    best = (size, angle)
        out.append(ReverseStress(name, best[0], search.shocks(best[1], best[0])))
    return out
