"""The search of one family: linear programs from random scenarios, climbing to each portfolio's own worst one.

A step solves for the portfolio of requirement 1 that loses most in a scenario, looks where on the dense set that
portfolio loses most, and solves again for that scenario, until nothing gets worse. Markets are random at first,
then neighbours of the worst market so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from plimsoll.params import Params
from tools.prove.holes.families import COVER, DOWN_TAIL, SKEWS, VOLS, Grid, beyond, inside
from tools.prove.holes.program import Program
from tools.prove.holes.requirement import cross, single
from tools.prove.holes.sample import Sample, draw, neighbour
from tools.prove.holes.units import Units, units_of

Vector = npt.NDArray[np.float64]
Choice = tuple[tuple[int, ...], ...]
#: Loss over promised cover, where, and the quantities.
Climbed = tuple[float, Choice, list[Vector]]
FAMILIES: Final = tuple(COVER)
STATES: Final = np.array([-1.0, 0.0, 1.0])
#: A requirement below this share of the quantities is rounding of the solver, not a find.
NOTHING: Final = 1e-6


@dataclass(frozen=True)
class Find:
    """The worst portfolio so far: its loss over promised cover, where it loses, and everything to rebuild it."""

    ratio: float
    sample: Sample
    units: list[Units]
    quantities: list[Vector]
    scenario: str
    family: str
    requirement: float


class Scene(Protocol):
    """A dense set of scenarios over some underlyings."""

    def random(self, rng: np.random.Generator) -> Choice:
        """Return a scenario to start from."""

    def pnl(self, choice: Choice) -> list[Vector]:
        """P&L of every column, divided by the cover of the scenario."""

    def worst(self, quantities: list[Vector]) -> tuple[float, Choice]:
        """Largest covered loss of a portfolio, and where it is."""

    def describe(self, choice: Choice) -> str:
        """Name a scenario for people."""


class Parallel:
    """One vol state and one skew for all expiries: families price, vol, skew and tail."""

    def __init__(self, units: Units, moves: Vector, vols: Vector, skews: Vector, factor: Vector) -> None:
        self.grid = Grid(units, moves, vols, skews)
        self.factor = np.broadcast_to(factor, (vols.size, skews.size, moves.size))

    def random(self, rng: np.random.Generator) -> Choice:
        """Any scenario, every one as likely."""
        return (tuple(int(rng.integers(n)) for n in self.factor.shape),)

    def pnl(self, choice: Choice) -> list[Vector]:
        """One row of the grid."""
        vol, skew, move = choice[0]
        same = [vol] * len(self.grid.expiries)
        return [self.grid.column(same, skew, move) * self.factor[vol, skew, move]]

    def worst(self, quantities: list[Vector]) -> tuple[float, Choice]:
        """Largest entry of the grid."""
        losses = -self.grid.together(quantities[0]) * self.factor
        at = np.unravel_index(int(losses.argmax()), losses.shape)
        return float(losses[at]), (tuple(int(i) for i in at),)

    def describe(self, choice: Choice) -> str:
        """Move, vol state, skew."""
        vol, skew, move = choice[0]
        g = self.grid
        return f"price {g.moves[move]:+.4f}, vol state {g.vols[vol]:+.2f}, skew {g.skews[skew]:+.3f}"


class Apart:
    """Every expiry in a vol state of its own: the family expiries."""

    def __init__(self, units: Units) -> None:
        self.grid = Grid(units, inside(units), VOLS, np.zeros(1))

    def random(self, rng: np.random.Generator) -> Choice:
        """Draw a price, and each expiry up, flat or down."""
        vols = rng.choice([0, VOLS.size // 2, VOLS.size - 1], len(self.grid.expiries))
        return ((int(rng.integers(self.grid.moves.size)),), tuple(map(int, vols)))

    def pnl(self, choice: Choice) -> list[Vector]:
        """One price, a state per expiry."""
        return [self.grid.column(list(choice[1]), 0, choice[0][0]) / COVER["expiries"]]

    def worst(self, quantities: list[Vector]) -> tuple[float, Choice]:
        """Expiries do not interact: the worst state of each at every price."""
        parts = [pnl[:, 0, :] for pnl in self.grid.pnl(quantities[0])]
        losses = sum((-part.min(axis=0) for part in parts), -quantities[0][0] * self.grid.moves)
        move = int(losses.argmax())
        vols = tuple(int(part[:, move].argmin()) for part in parts)
        return float(losses[move]) / COVER["expiries"], ((move,), vols)

    def describe(self, choice: Choice) -> str:
        """Move and states."""
        states = ", ".join(f"{VOLS[vol]:+.2f}" for vol in choice[1])
        return f"price {self.grid.moves[choice[0][0]]:+.4f}, vol states {states}"


class Joint:
    """Two underlyings in CROSS: the same fraction of each range and one vol state, or each on its own.

    What moves apart is covered by the share of the plain sum, so its loss counts ``stressShare`` times.
    """

    def __init__(self, units: list[Units], share: float) -> None:
        fractions = np.unique(np.concatenate([inside(u) / u.layout.reach for u in units]).round(12))
        self.grids = [Grid(u, fractions * u.layout.reach, VOLS, np.zeros(1)) for u in units]
        self.share = share

    def random(self, rng: np.random.Generator) -> Choice:
        """Together in two of three cases."""
        spots = [(int(rng.integers(VOLS.size)), int(rng.integers(self.grids[0].moves.size))) for _ in self.grids]
        return tuple(spots[:1] * len(spots) if rng.random() < 2 / 3 else spots)

    def _factor(self, choice: Choice) -> float:
        return 1.0 if len(set(choice)) == 1 else self.share

    def pnl(self, choice: Choice) -> list[Vector]:
        """Each underlying's own place."""
        return [
            g.column([vol] * len(g.expiries), 0, move) * self._factor(choice)
            for g, (vol, move) in zip(self.grids, choice, strict=True)
        ]

    def worst(self, quantities: list[Vector]) -> tuple[float, Choice]:
        """Return the larger of the worst joint place and the sum of own worst places."""
        losses = [-g.together(q)[:, 0, :] for g, q in zip(self.grids, quantities, strict=True)]
        total = sum(losses, np.zeros(losses[0].shape))
        at = tuple(int(i) for i in np.unravel_index(int(total.argmax()), total.shape))
        own = [tuple(int(i) for i in np.unravel_index(int(x.argmax()), x.shape)) for x in losses]
        apart = self.share * float(sum(x.max() for x in losses))
        if apart > float(total[at]):
            return apart, tuple(own)
        return float(total[at]), tuple([at] * len(losses))

    def describe(self, choice: Choice) -> str:
        """Move and state of each."""
        places = [
            f"{g.units.symbol} {g.moves[move]:+.4f} at {VOLS[vol]:+.2f}"
            for g, (vol, move) in zip(self.grids, choice, strict=True)
        ]
        return "; ".join(places)


def _tail_factor(units: Units, moves: Vector) -> Vector:
    """Weight of a loss at every (state, skew, price) beyond the range."""
    weight = units.layout.reach / np.abs(moves)
    return np.stack([weight / DOWN_TAIL, weight, weight])[:, None, :]


def scene_of(family: str, units: list[Units], share: float) -> Scene:
    """Dense scenarios of a family."""
    one = units[0]
    if family == "cross":
        return Joint(units, share)
    if family == "expiries":
        return Apart(one)
    if family == "tail":
        moves = beyond(one)
        return Parallel(one, moves, STATES, np.zeros(1), _tail_factor(one, moves))
    vols = STATES if family == "price" else VOLS
    skews = SKEWS if family == "skew" else np.zeros(1)
    return Parallel(one, inside(one), vols, skews, np.array(1.0 / COVER[family]))


class Hunt:
    """The search of one family with one book."""

    def __init__(self, family: str, params: Params, seed: int, starts: int = 4) -> None:
        self.family, self.params, self.starts = family, params, starts
        self.rng = np.random.default_rng([seed, FAMILIES.index(family)])
        self.share = params.account.stress_share
        self.best: Find | None = None

    def _units(self, sample: Sample, strikes: dict[str, list[Vector]] | None = None) -> list[Units]:
        found = []
        for symbol, expiries in sample.underlyings.items():
            p = self.params.for_underlying(symbol)
            own = strikes[symbol] if strikes else [e.strikes(p.price_range, self.rng) for e in expiries]
            found.append(units_of(symbol, expiries, own, p, self.params.book_of(symbol)))
        return found

    def _requirement(self, units: list[Units], quantities: list[Vector]) -> float:
        if self.family == "cross":
            return cross(units, quantities, self.share)
        return single(units[0], quantities[0])

    def _climb(self, scene: Scene, program: Program, units: list[Units], choice: Choice) -> Climbed:
        """Solve, move to the portfolio's own worst scenario, solve again."""
        best = (0.0, choice, [np.zeros(u.starts[-1]) for u in units])
        for _ in range(12):
            quantities = program.worst(scene.pnl(choice))
            if quantities is None:
                return best
            required = self._requirement(units, quantities)
            size = max(float(np.abs(q).max()) for q in quantities)
            if required < NOTHING * size:
                return best
            loss, at = scene.worst(quantities)
            if loss / required <= best[0] * (1.0 + 1e-6):
                return best
            best = (loss / required, at, quantities)
            if at == choice:
                return best
            choice = at
        return best

    def judge(self, sample: Sample, strikes: dict[str, list[Vector]] | None = None) -> None:
        """Search one market; remember the worst find."""
        units = self._units(sample, strikes)
        scene = scene_of(self.family, units, self.share)
        program = Program(units, self.share if self.family == "cross" else None)
        for _ in range(self.starts):
            choice = scene.random(self.rng)
            ratio, at, quantities = self._climb(scene, program, units, choice)
            if self.best is None or ratio > self.best.ratio:
                required = self._requirement(units, quantities)
                self.best = Find(ratio, sample, units, quantities, scene.describe(at), self.family, required)

    def _refined(self, find: Find) -> dict[str, list[Vector]]:
        """Strikes close to those that the worst portfolio uses, besides them."""
        found: dict[str, list[Vector]] = {}
        for units, q in zip(find.units, find.quantities, strict=True):
            own = []
            for e, first in zip(units.expiries, units.starts[:-1], strict=True):
                used = e.slice.strikes[np.abs(q[first + 1 : first + e.delta.size]) > 1e-9]
                near = np.concatenate(
                    [used * f for f in (0.98, 0.99, 0.995, 1.0, 1.005, 1.01, 1.02)] + [e.slice.strikes]
                )
                kept = np.unique(np.clip(near, 0.125, 8.0).round(6))
                own.append(kept[:: max(1, kept.size // 80)])
            found[units.symbol] = own
        return found

    def sample(self) -> Sample:
        """Draw a market as the family needs it."""
        if self.family == "cross":
            symbols = tuple(self.rng.choice(["ETH", "BTC", "SOL"], 2, replace=False))
            return draw(self.rng, symbols, int(self.rng.choice((1, 2), p=(0.7, 0.3))))
        # What one expiry can hide is found in many quick markets; more expiries are slow and seldom worse.
        chances = (0.0, 0.7, 0.2, 0.1) if self.family == "expiries" else (0.7, 0.2, 0.05, 0.05)
        return draw(self.rng, ("ETH",), int(self.rng.choice((1, 2, 3, 4), p=chances)))

    def run(self, markets: int) -> Find:
        """Two markets in three are random, the rest neighbours of the worst; at last its strikes are refined."""
        near = markets // 3
        for _ in range(markets - near):
            self.judge(self.sample())
        for number in range(near):
            self.judge(neighbour(self._worst().sample, self.rng, 0.3 / (1 + number / 4)))
        for _ in range(2):
            self.judge(self._worst().sample, self._refined(self._worst()))
        return self._worst()

    def _worst(self) -> Find:
        """Return what the first market leaves and every later one may replace."""
        if self.best is None:
            raise RuntimeError("no market was judged yet")
        return self.best
