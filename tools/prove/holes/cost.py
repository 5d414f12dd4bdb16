"""Capital cost of a book: what standard and market-maker books need beside what the promises demand.

The figure is the geometric mean, over twenty books, of the requirement over the least that would keep every promise for
that book (its worst loss in each family over the promised cover). 1 would be a requirement without waste; rows and
rates that ask for more charge everybody for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.params import Params
from tools.prove.holes.requirement import single
from tools.prove.holes.sample import DAY, Expiry
from tools.prove.holes.search import scene_of
from tools.prove.holes.units import Units, units_of

Vector = npt.NDArray[np.float64]
SYMBOL: Final = "ETH"
#: Days, volatility at the money, bend and lean of the smile.
SURFACE: Final = ((2.0, 0.65, 0.8, -0.1), (9.0, 0.60, 0.6, -0.1), (30.0, 0.60, 0.5, -0.15), (90.0, 0.62, 0.4, -0.15),
                  (180.0, 0.65, 0.3, -0.2))  # fmt: skip
#: A leg is (number of the expiry, strike over forward, quantity); -1 is the perpetual.
Leg = tuple[int, float, float]
STANDARD: Final[dict[str, tuple[Leg, ...]]] = {
    "short call": ((2, 1.10, -1.0),),
    "short put": ((2, 0.90, -1.0), (-1, 0.0, -1.0)),
    "short straddle": ((2, 1.00, -2.0), (-1, 0.0, 1.0)),
    "short strangle": ((2, 1.15, -1.0), (2, 0.85, -1.0), (-1, 0.0, 1.0)),
    "long straddle": ((2, 1.00, 2.0), (-1, 0.0, -1.0)),
    "long strangle": ((2, 1.15, 1.0), (2, 0.85, 1.0), (-1, 0.0, -1.0)),
    "call spread": ((2, 1.00, 1.0), (2, 1.10, -1.0)),
    "put spread sold": ((2, 0.95, -1.0), (2, 0.85, 1.0)),
    "iron condor": ((2, 0.80, 1.0), (2, 0.90, -1.0), (2, 1.10, -1.0), (2, 1.20, 1.0)),
    "butterfly": ((2, 0.90, 1.0), (2, 1.00, -2.0), (2, 1.10, 1.0)),
    "calendar": ((2, 1.00, -1.0), (3, 1.00, 1.0)),
    "diagonal": ((1, 1.05, -1.0), (3, 1.00, 1.0)),
    "covered call": ((2, 1.10, -1.0), (-1, 0.0, 1.0)),
    "collar": ((2, 0.90, 1.0), (2, 1.10, -1.0)),
    "risk reversal": ((3, 0.85, -1.0), (3, 1.15, 1.0), (-1, 0.0, -1.0)),
}


@dataclass(frozen=True)
class Cost:
    """Requirement of one book and what the promises demand for it, per unit of spot."""

    name: str
    requirement: float
    demanded: float

    @property
    def ratio(self) -> float:
        """What is asked for over what is needed."""
        return self.requirement / self.demanded


def _market_maker(seed: int) -> tuple[Leg, ...]:
    """Twenty options over all expiries, delta hedged to within a twentieth."""
    rng = np.random.default_rng([7, seed])
    legs = [
        (int(rng.integers(len(SURFACE))), round(float(np.exp(rng.normal(0.0, 0.15))), 3), float(rng.normal()))
        for _ in range(20)
    ]
    return tuple(legs)


def expiries() -> tuple[Expiry, ...]:
    """Return the market of the books."""
    return tuple(Expiry(round(days * DAY), vol, bend, rho) for days, vol, bend, rho in SURFACE)


def book_units(legs: tuple[Leg, ...], params: Params) -> tuple[Units, Vector]:
    """Arrays and quantities of one book."""
    used = sorted({e for e, _, _ in legs if e >= 0})
    strikes = [np.unique([k for at, k, _ in legs if at == e]) for e in used]
    every = expiries()
    units = units_of(
        SYMBOL, tuple(every[e] for e in used), strikes, params.for_underlying(SYMBOL), params.book_of(SYMBOL)
    )
    q = np.zeros(units.starts[-1])
    for at, strike, quantity in legs:
        if at < 0:
            q[0] += quantity
        else:
            number = used.index(at)
            q[units.starts[number] + 1 + int(np.searchsorted(strikes[number], strike))] += quantity
    return units, q


def _hedged(units: Units, q: Vector) -> Vector:
    """Take the delta out with the perpetual."""
    delta = sum(e.delta @ q[f : f + e.delta.size] for e, f in zip(units.expiries, units.starts[:-1], strict=True))
    return np.concatenate([[-0.95 * float(delta)], q[1:]])


def books(params: Params) -> list[tuple[str, Units, Vector]]:
    """Fifteen standard books and five of market makers."""
    found = [(name, *book_units(legs, params)) for name, legs in STANDARD.items()]
    for seed in range(1, 6):
        units, q = book_units(_market_maker(seed), params)
        found.append((f"market maker {seed}", units, _hedged(units, q)))
    return found


def demanded(units: Units, q: Vector) -> float:
    """Largest loss of a book over the share that each family's promise asks the requirement to cover."""
    families = ("vol", "skew", "tail", "expiries")
    return max(scene_of(family, [units], 1.0).worst([q])[0] for family in families)


def costs(params: Params) -> list[Cost]:
    """Return the requirement of every book, and the least that would keep the promises for it."""
    return [Cost(name, single(units, q), demanded(units, q)) for name, units, q in books(params)]


def capital_cost(found: list[Cost]) -> float:
    """Geometric mean of requirement over what the promises demand."""
    return float(np.exp(np.mean([np.log(cost.ratio) for cost in found])))
