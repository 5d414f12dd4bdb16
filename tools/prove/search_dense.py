"""A second search for holes, which shares nothing with ``make search-holes`` but the question and the mirror.

Prices are Black-76 written here from the page of the risk model; scenarios are a dense set of prices, volatilities and
skews; portfolios are found by differential evolution over quantities instead of linear programs, and margined by the
mirror as any account is. A figure is the worst loss over what is promised to be covered: at most 1 passes, or the exit
code is 1.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plimsoll.mirror.margin_engine import evaluate_many
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
NOW: Final = 1_770_000_000
DAY_SEC: Final = 86_400
YEAR_SEC: Final = 365 * DAY_SEC
#: Before the window opens, time to expiry less twenty minutes is the time of the variance.
MEAN_SEC: Final = 1_200
SPOTS: Final = {"ETH": 2_000.0, "BTC": 80_000.0}
#: How much of the requirement a loss may be (section 10.1).
COVERS: Final = {"price": 1.0, "vol": 1.0, "skew": 1.35, "tail": 1.0, "expiries": 1.45, "cross": 1.0}
DOWN_TAIL: Final = 1.15
#: What rounding of sums may leave above a promise.
ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Option:
    """One listed option with what its shocks need."""

    symbol: str
    expiry: int
    is_call: bool
    strike: float
    surface: Surface

    def value(self, params: Params, moves: Vector, vol: float, skew: float) -> Vector:
        """Value at every price move, with a volatility between down (-1) and up (1) and a skew."""
        p = params.for_underlying(self.symbol)
        tenor_sec = self.expiry - NOW
        root = np.sqrt((tenor_sec - MEAN_SEC) / YEAR_SEC)
        s, k = self.surface.svi, np.log(self.strike / self.surface.forward)
        total = s.a + s.b * (s.rho * (k - s.m) + np.sqrt((k - s.m) ** 2 + s.sigma**2))
        sigma = np.sqrt(total) / root
        longest = max(tenor_sec, DAY_SEC)
        factor = (30 * DAY_SEC / longest) ** (0.30 if tenor_sec <= 30 * DAY_SEC else 0.13)
        up = max(p.vol_floor, sigma * (1.0 + p.vol_up * factor))
        down = sigma * max(0.0, 1.0 - p.vol_down * factor)
        shocked = sigma + vol * (up - sigma) if vol >= 0.0 else sigma - vol * (down - sigma)
        felt = np.clip(k / (0.6 * np.sqrt(longest / YEAR_SEC)), -1.0, 1.0)
        std = shocked * (1.0 + skew * felt) * root
        forward = self.surface.forward * (1.0 + moves)
        d1 = np.log(forward / self.strike) / std + std / 2.0
        call = forward * ndtr(d1) - self.strike * ndtr(d1 - std)
        discount = np.exp(-self.surface.rate * tenor_sec / YEAR_SEC)
        found: Vector = discount * (call if self.is_call else call - forward + self.strike)
        return found


@dataclass(frozen=True)
class Case:
    """A market, the instruments of a search (perpetuals first), and the losses of one of each per scenario."""

    market: Market
    mode: Mode
    positions: tuple[Position, ...]
    #: Loss of one unit in every scenario over what it may be of the requirement: (scenarios, instruments).
    losses: Vector


def _round(rng: np.random.Generator, symbol: str, tenors: list[int]) -> Round:
    surfaces = []
    for tenor in sorted(tenors):
        years, level = (tenor - MEAN_SEC) / YEAR_SEC, rng.uniform(0.25, 1.3)
        variance, tilt = level * level * years, rng.uniform(-0.6, 0.3)
        width = max(0.05, float(np.sqrt(variance)))
        # Half of the variance at the money from the wings, whose slope stays free of arbitrage.
        svi = Svi(variance / 2.0, min(variance / 2.0 / width, 1.0), tilt, 0.0, width)
        surfaces.append(Surface(NOW + tenor, SPOTS[symbol] * np.exp(0.04 * years), 0.04, svi))
    return Round(symbol, NOW, SPOTS[symbol], SPOTS[symbol], 1.0, tuple(surfaces))


def _options(rng: np.random.Generator, found: Round, count: int) -> list[Option]:
    options = []
    for surface in found.surfaces:
        reach = min(3.0 * max(float(np.sqrt(2.0 * surface.svi.a)), 0.08), 1.1)
        # Strikes of a ladder, each a little off its place, so that no two are the same.
        for place in (np.arange(count) + rng.uniform(0.1, 0.9, count)) / count:
            strike = round(surface.forward * float(np.exp(reach * (2.0 * place - 1.0))), 2)
            options.append(Option(found.underlying, surface.expiry_ts, bool(rng.integers(2)), strike, surface))
    return options


def _scenarios(family: str, reach: float) -> tuple[Vector, list[tuple[float, float]]]:
    """Price moves, and pairs of volatility and skew."""
    inside = np.linspace(-reach, reach, 61)
    if family == "tail":
        up = np.linspace(reach, 3.0 * reach, 25)
        return np.concatenate([np.maximum(-up[::-1], -0.95), up]), [(v, 0.0) for v in (-1.0, 0.0, 0.5, 1.0)]
    if family == "skew":
        return inside, list(product((-1.0, -0.5, 0.0, 0.5, 1.0), (-0.25, -0.12, 0.12, 0.25)))
    states = (-1.0, 0.0, 1.0) if family in ("price", "expiries") else tuple(np.linspace(-1.0, 1.0, 9))
    return inside, [(float(v), 0.0) for v in states]


def draw(rng: np.random.Generator, family: str, params: Params) -> Case:
    """Draw a market and instruments as a family needs them."""
    symbols = ("ETH", "BTC") if family == "cross" else ("ETH",)
    count = 2 if family == "expiries" else 1
    tenors = [int(x) for x in np.exp(rng.uniform(np.log(0.3), np.log(300.0), count)) * DAY_SEC]
    if count == 2 and tenors[0] == tenors[1]:
        tenors[1] += DAY_SEC
    rounds = {symbol: _round(rng, symbol, tenors) for symbol in symbols}
    options = [o for symbol in symbols for o in _options(rng, rounds[symbol], 4 if len(symbols) * count == 2 else 7)]
    market = Market(NOW, {"USDC": Token("USDC", 1.0, 0.0)}, rounds)
    # One of each is worth about as much as one of the first underlying.
    scale = {symbol: SPOTS["ETH"] / SPOTS[symbol] for symbol in symbols}
    positions = [Position(s, Kind.PERP, 0, SPOTS[s], scale[s]) for s in symbols] + [
        Position(o.symbol, Kind.CALL if o.is_call else Kind.PUT, o.expiry, o.strike, scale[o.symbol]) for o in options
    ]
    return Case(market, Mode.CROSS if family == "cross" else Mode.SINGLE, tuple(positions), _losses(
        family, params, symbols, options, scale
    ))  # fmt: skip


def _losses(
    family: str, params: Params, symbols: tuple[str, ...], options: list[Option], scale: dict[str, float]
) -> Vector:
    grids = {s: _scenarios(family, params.for_underlying(s).price_range) for s in symbols}
    shocks = grids[symbols[0]][1]
    columns = [[-scale[s] * SPOTS[s] * grids[s][0] for _ in shocks] for s in symbols]
    for o in options:
        moves = grids[o.symbol][0]
        now = o.value(params, np.zeros(1), 0.0, 0.0)
        columns.append([scale[o.symbol] * (now - o.value(params, moves, vol, skew)) for vol, skew in shocks])
    table = np.array(columns)  # instruments, shocks, moves
    if family == "expiries":
        dates = sorted({o.expiry for o in options})
        own = np.array([[o.expiry == date for o in options] for date in dates])
        rows = []
        for states in product(range(len(shocks)), repeat=len(dates)):
            parts = [table[1:, state] * mine[:, None] for state, mine in zip(states, own, strict=True)]
            rows.append(np.concatenate([table[:1, 0], sum(parts)]))
        table = np.stack(rows, axis=1)
    weight = np.ones(table.shape[1:]) / COVERS[family]
    if family == "tail":
        reach = params.for_underlying(symbols[0]).price_range
        weight *= reach / np.abs(grids[symbols[0]][0])
        weight[[vol < 0.0 for vol, _ in shocks]] /= DOWN_TAIL
    found: Vector = (table * weight).reshape(len(columns), -1).T
    return found


def requirements(case: Case, quantities: Vector, params: Params) -> Vector:
    """Return the initial margin of portfolios, by the mirror."""
    folios = [
        Portfolio(case.mode, 0.0, {}, tuple(
            Position(p.underlying, p.kind, p.expiry_ts, p.price, p.quantity * float(q))
            for p, q in zip(case.positions, row, strict=True) if q != 0.0
        ))
        for row in quantities
    ]  # fmt: skip
    return np.array([found.initial_margin for found in evaluate_many(case.market, folios, params)])


def ratios(case: Case, quantities: Vector, params: Params) -> Vector:
    """Worst loss over what is promised to be covered."""
    worst = (quantities @ case.losses.T).max(axis=1)
    found: Vector = worst / np.maximum(requirements(case, quantities, params), 1e-9)
    return found


def evolve(
    rng: np.random.Generator, case: Case, params: Params, generations: int, size: int = 40
) -> tuple[float, Vector]:
    """Differential evolution: the largest ratio found, and its portfolio."""
    n = len(case.positions)
    people = rng.normal(size=(size, n)) * (rng.random((size, n)) < 0.6)
    people[np.abs(people).sum(axis=1) == 0.0, 0] = 1.0
    scores = ratios(case, people, params)
    for _ in range(generations):
        a, b, c = (people[rng.permutation(size)] for _ in range(3))
        best = people[scores.argmax()]
        base = np.where(rng.random((size, 1)) < 0.5, best, a)
        trial = np.where(rng.random((size, n)) < 0.8, base + rng.uniform(0.3, 0.9) * (b - c), people)
        trial[np.abs(trial).max(axis=1) < 1e-6, 0] = 1.0
        # Only proportions matter.
        trial /= np.abs(trial).max(axis=1, keepdims=True)
        found = ratios(case, trial, params)
        better = found > scores
        people[better], scores[better] = trial[better], found[better]
    return float(scores.max()), people[scores.argmax()]


def search(family: str, markets: int, generations: int, seed: int, params: Params | None = None) -> float:
    """Worst ratio of a family over some random markets."""
    rng, chosen = np.random.default_rng(seed), params or Params()
    cases = (draw(rng, family, chosen) for _ in range(markets))
    return max(evolve(rng, case, chosen, generations)[0] for case in cases)


def main(arguments: list[str] | None = None) -> int:
    """Search every family and say what was found."""
    parser = argparse.ArgumentParser(prog="make search-dense", description=__doc__)
    parser.add_argument("--markets", type=int, default=60, help="markets of each family (default 60)")
    parser.add_argument("--generations", type=int, default=150, help="of a portfolio's evolution (default 150)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    worst = 0.0
    for family in COVERS:
        found = search(family, options.markets, options.generations, options.seed)
        print(f"{family:<9} {found:.4f}", flush=True)
        worst = max(worst, found)
    return int(worst > 1.0 + ROUNDING)


if __name__ == "__main__":
    sys.exit(main())
