"""Reverse stress: the smallest joint spot and volatility move that reaches a margin threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.stress.moved import Move, margins_after
from plimsoll.analytics.stress.shock import Shock
from plimsoll.analytics.told import Tell, silent
from plimsoll.mirror.market_sheaf import SheafMargins
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]

#: Name -> how far the account is from the threshold, cash; below zero is beyond it, as for the contracts.
THRESHOLDS: Final[dict[str, Callable[[SheafMargins], Vector]]] = {
    "initial": lambda m: m.equity - m.initial_margin,
    "maintenance": lambda m: m.equity - m.maintenance_margin,
    "zero": lambda m: m.market_equity,
}
DIRECTIONS: Final = 32
STEPS: Final = 24
MAX_SIZE: Final = 6.0
#: To which a crossing is found, ranges.
EXACT: Final = 1e-9
#: Parts into which a crossing's interval is divided at a time.
PARTS: Final = 8
_REFINEMENTS: Final = 4


@dataclass(frozen=True, slots=True)
class ReverseStress:
    """Smallest move found; ``size`` counts ranges, ``moves`` are those of each underlying.

    ``size`` is None when nothing inside the search reaches the threshold; 0 when it is reached already. An account that
    holds nothing whose price moves is where it is: it reaches nothing that it has not reached already.
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
            "moves": {name: shock.to_json() for name, shock in self.moves.items()},
            "searchedTo": MAX_SIZE,
        }


@dataclass(frozen=True, slots=True)
class _Bracket:
    """Where a ray meets a threshold: not beyond it at ``low``, beyond it at ``high``."""

    angle: float
    low: float
    high: float


class _Search:
    """Margin along rays of the plane (price move in price ranges, vol move in vol ranges), in logs."""

    def __init__(self, market: Market, portfolio: Portfolio, params: Params) -> None:
        self.market, self.portfolio, self.params = market, portfolio, params
        # The thresholds share the rays that are walked to the end.
        self.known: dict[tuple[tuple[float, ...], float], SheafMargins] = {}
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

    def margins(self, points: Sequence[tuple[float, float]]) -> SheafMargins:
        """Margins of the account at points (angle, size)."""
        moves = [Move(self.shocks(angle, size)) for angle, size in points]
        return margins_after(self.market, self.portfolio, self.params, moves)

    def walk(self, angles: Sequence[float], limit: float) -> SheafMargins:
        """Margins along rays: ``STEPS`` sizes up to the limit on each, one ray after another."""
        key = (tuple(angles), limit)
        if key not in self.known:
            sizes = np.linspace(0.0, limit, STEPS + 1)[1:].tolist()
            self.known[key] = self.margins([(angle, size) for angle in angles for size in sizes])
        return self.known[key]

    def brackets(
        self, angles: Sequence[float], limit: float, distance: Callable[[SheafMargins], Vector]
    ) -> list[_Bracket]:
        """First crossing of each ray that has one below the limit, to the resolution of the steps."""
        below = (distance(self.walk(angles, limit)) < 0.0).reshape(len(angles), STEPS)
        steps = np.linspace(0.0, limit, STEPS + 1)
        return [
            _Bracket(angle, float(steps[row.argmax()]), float(steps[row.argmax() + 1]))
            for angle, row in zip(angles, below, strict=True)
            if row.any()
        ]

    def nearest(
        self, brackets: Sequence[_Bracket], distance: Callable[[SheafMargins], Vector]
    ) -> tuple[float, float] | None:
        """Size and angle of the smallest crossing; brackets that begin beyond another's end are dropped on the way."""
        live = list(brackets)
        while live and max(bracket.high - bracket.low for bracket in live) > EXACT:
            nearest = min(bracket.high for bracket in live)
            live = [bracket for bracket in live if bracket.low < nearest]
            inner = [np.linspace(bracket.low, bracket.high, PARTS + 1) for bracket in live]
            points = [(b.angle, float(size)) for b, sizes in zip(live, inner, strict=True) for size in sizes[1:-1]]
            below = (distance(self.margins(points)) < 0.0).reshape(len(live), PARTS - 1)
            # Its own end is below the threshold already.
            firsts = [int(np.append(row, True).argmax()) for row in below]
            live = [
                _Bracket(bracket.angle, float(sizes[first]), float(sizes[first + 1]))
                for bracket, sizes, first in zip(live, inner, firsts, strict=True)
            ]
        return min(((bracket.high, bracket.angle) for bracket in live), default=None)

    def smallest(self, distance: Callable[[SheafMargins], Vector]) -> tuple[float, float] | None:
        """Size and angle of the smallest move that reaches a threshold, or None."""
        coarse = [2.0 * math.pi * i / DIRECTIONS for i in range(DIRECTIONS)]
        best: tuple[float, float] | None = None
        # Shorter steps may see what longer ones stepped over: again, until they see nothing nearer.
        while True:
            limit = MAX_SIZE if best is None else best[0]
            found = self.nearest(self.brackets(coarse, limit, distance), distance)
            if found is None or (best is not None and found[0] >= best[0] - EXACT):
                break
            best = found
        if best is None:
            return None
        width = 2.0 * math.pi / DIRECTIONS
        for _ in range(_REFINEMENTS):
            width *= 0.5
            beside = (best[1] - width, best[1] + width)
            found = self.nearest(self.brackets(beside, best[0], distance), distance)
            if found is not None and found[0] < best[0]:
                best = found
        return best


def reverse_stress(market: Market, portfolio: Portfolio, params: Params, tell: Tell = silent) -> list[ReverseStress]:
    """Search the smallest joint move for initial margin, maintenance margin and zero equity.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
        Its ranges are the units: a size of 1 straight down is a log move of ``ln(1 + priceRange)`` in every price.
    tell : callable, optional
        Is told how far the search is.

    Returns
    -------
    list of ReverseStress
        One per threshold.

    Notes
    -----
    Rays in ``DIRECTIONS`` directions, ``STEPS`` steps each up to the best size so far, the nearest crossing by division
    of its interval, again with the steps that this leaves, then ever finer directions round the best. The crossing is
    exact to about 1e-9; that no smaller one exists is known to the resolution of directions and steps only.
    """
    search = _Search(market, portfolio, params)
    now = margins_after(market, portfolio, params, [Move({})])
    out = []
    for number, (name, distance) in enumerate(THRESHOLDS.items(), 1):
        tell(f"reverse stress: {name}, {number} of {len(THRESHOLDS)}")
        if distance(now)[0] < 0.0:
            out.append(ReverseStress(name, 0.0, {}))
            continue
        best = search.smallest(distance) if search.held else None
        moves = {} if best is None else search.shocks(best[1], best[0])
        out.append(ReverseStress(name, None if best is None else best[0], moves))
    return out
