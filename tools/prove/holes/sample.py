"""Markets to search in: one or two underlyings, one to four expiries, an hour to a year, volatility 20 to 150 %."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
YEAR: Final = 31_536_000.0
DAY: Final = 86_400.0
TENOR: Final = (3_600.0, YEAR)
VOL: Final = (0.20, 1.50)
#: Strikes may be traded within these multiples of the forward.
STRIKES: Final = (0.125, 8.0)
SPOTS: Final = {"ETH": 2_000.0, "BTC": 60_000.0, "SOL": 100.0}


@dataclass(frozen=True)
class Expiry:
    """One expiry: whole seconds to it, volatility at the money, and how its total variance bends (SVI)."""

    tau: int
    volatility: float
    bend: float = 0.0
    rho: float = 0.0

    @property
    def years(self) -> float:
        """Time to expiry."""
        return self.tau / YEAR

    @property
    def variance_years(self) -> float:
        """Time that the total variance belongs to: the payoff is a mean over the last half hour."""
        return (self.tau - 1_200.0) / YEAR if self.tau >= 1_800 else self.tau / 3.0 / YEAR

    @property
    def svi(self) -> dict[str, float]:
        """Raw SVI; ``b`` is a share of the total variance at the money, so every draw is a valid slice."""
        w = self.volatility**2 * self.variance_years
        b = self.bend * w
        return {"a": w - b * 0.3, "b": b, "rho": self.rho, "m": 0.0, "sigma": 0.3}

    def deviation(self, k: Vector) -> Vector:
        """Root of the total variance at log-moneyness ``k``."""
        s = self.svi
        return np.sqrt(s["a"] + s["b"] * (s["rho"] * k + np.sqrt(k**2 + s["sigma"] ** 2)))

    def strikes(self, reach: float, rng: np.random.Generator) -> Vector:
        """Multiples of the forward: the range and its tails evenly, the centre by standard deviations."""
        inside = 1.0 + reach * np.linspace(-1.1, 1.1, 14)
        outside = np.geomspace(max(STRIKES[0], 1.0 - 3.1 * reach), min(STRIKES[1], 1.0 + 3.3 * reach), 14)
        near = np.exp(self.deviation(np.zeros(1)) * np.linspace(-3.0, 3.0, 13))
        found = np.concatenate([inside, outside, near]) * np.exp(rng.normal(0.0, 0.01, 41))
        return np.unique(np.clip(found, *STRIKES).round(6))


@dataclass(frozen=True)
class Sample:
    """A market: the expiries of each underlying."""

    underlyings: dict[str, tuple[Expiry, ...]]


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def draw_expiry(rng: np.random.Generator) -> Expiry:
    """Draw one expiry; half of them have a flat surface."""
    bend, rho = (rng.uniform(0.0, 2.0), rng.uniform(-0.7, 0.7)) if rng.random() < 0.5 else (0.0, 0.0)
    return Expiry(round(_log_uniform(rng, *TENOR)), _log_uniform(rng, *VOL), bend, rho)


def _distinct(expiries: list[Expiry]) -> tuple[Expiry, ...]:
    """Sort by date, at least an hour apart."""
    found: list[Expiry] = []
    for expiry in sorted(expiries, key=lambda e: e.tau):
        earliest = found[-1].tau + 3_600 if found else 0
        found.append(replace(expiry, tau=max(expiry.tau, earliest)))
    return tuple(found)


def draw(rng: np.random.Generator, symbols: tuple[str, ...], count: int) -> Sample:
    """Draw a market of some underlyings with a number of expiries each."""
    return Sample({symbol: _distinct([draw_expiry(rng) for _ in range(count)]) for symbol in symbols})


def _moved(expiry: Expiry, rng: np.random.Generator, step: float) -> Expiry:
    tau = float(np.clip(expiry.tau * math.exp(rng.normal(0.0, step)), *TENOR))
    volatility = float(np.clip(expiry.volatility * math.exp(rng.normal(0.0, step)), *VOL))
    bend = float(np.clip(expiry.bend + rng.normal(0.0, step), 0.0, 2.0))
    return Expiry(round(tau), volatility, bend, float(np.clip(expiry.rho + rng.normal(0.0, step), -0.7, 0.7)))


def neighbour(sample: Sample, rng: np.random.Generator, step: float) -> Sample:
    """Return a market near another: tenors, volatilities and smiles moved a little."""
    return Sample({s: _distinct([_moved(e, rng, step) for e in es]) for s, es in sample.underlyings.items()})
