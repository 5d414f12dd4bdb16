"""Back-test of the requirement on real option chains: does the margin of one day cover the loss to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.backtest.coverage import LikelihoodRatio, conditional_coverage, too_many, traffic_light
from plimsoll.analytics.backtest.procyclicality import Procyclicality, procyclicality
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.market.chain_file import ChainSnapshot, load_chain
from plimsoll.market.fit.rounds import SnapshotFit, fit_snapshot
from plimsoll.mirror.margin_engine import MarginResult, evaluate_many
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Token
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
#: Pairs of snapshots further apart than this are left out, and counted.
MAX_GAP_SEC: Final = 2 * DAY_SEC
#: (kind, days, moneyness, quantity): a book of one underlying, on the nearest listed expiry and strike.
Recipe = tuple[tuple[Kind, float, float, float], ...]
_C, _P, _F = Kind.CALL, Kind.PUT, Kind.PERP
RECIPES: Final[Mapping[str, Recipe]] = {
    "long perpetual": ((_F, 0.0, 0.0, 1.0),),
    "short perpetual": ((_F, 0.0, 0.0, -1.0),),
    "short put": ((_P, 28.0, 0.90, -1.0),),
    "short call": ((_C, 28.0, 1.10, -1.0),),
    "short strangle": ((_P, 28.0, 0.85, -1.0), (_C, 28.0, 1.15, -1.0)),
    "short straddle, a week": ((_P, 7.0, 1.0, -1.0), (_C, 7.0, 1.0, -1.0)),
    "long straddle": ((_P, 28.0, 1.0, 1.0), (_C, 28.0, 1.0, 1.0)),
    "iron condor": ((_P, 28.0, 0.8, 1.0), (_P, 28.0, 0.9, -1.0), (_C, 28.0, 1.1, -1.0), (_C, 28.0, 1.2, 1.0)),
    "butterfly, short": ((_C, 14.0, 0.95, -1.0), (_C, 14.0, 1.0, 2.0), (_C, 14.0, 1.05, -1.0)),
    "calendar": ((_C, 60.0, 1.0, 1.0), (_C, 14.0, 1.0, -1.0)),
    "reverse calendar": ((_C, 60.0, 1.0, -1.0), (_C, 14.0, 1.0, 1.0)),
    "covered call": ((_F, 0.0, 0.0, 1.0), (_C, 28.0, 1.1, -1.0)),
    "protected perpetual": ((_F, 0.0, 0.0, 1.0), (_P, 28.0, 0.9, 1.0)),
    "risk reversal": ((_P, 28.0, 0.9, -1.0), (_C, 28.0, 1.1, 1.0)),
}


@dataclass(frozen=True, slots=True)
class BookTest:
    """One book against one requirement.

    Attributes
    ----------
    exceedances : tuple of (str, float)
        Day, and the loss as a multiple of the requirement.
    kupiec, independence : LikelihoodRatio
    light : str
    """

    observations: int
    expected: float
    exceedances: tuple[tuple[str, float], ...]
    kupiec: LikelihoodRatio
    independence: LikelihoodRatio
    light: str

    @property
    def passes(self) -> bool:
        """Whether exceedances are not too many and the light is green."""
        return not too_many(len(self.exceedances), self.expected, self.kupiec.p_value) and self.light == "green"

    def to_json(self) -> dict[str, object]:
        """Build the entry of the report."""
        return {
            "observations": self.observations,
            "expected": self.expected,
            "count": len(self.exceedances),
            "exceedances": [{"date": day, "lossOverRequirement": ratio} for day, ratio in self.exceedances],
            "kupiec": self.kupiec.to_json(),
            "independence": self.independence.to_json(),
            "trafficLight": self.light,
            "passes": self.passes,
        }


@dataclass(frozen=True, slots=True)
class ChainBacktest:
    """All books of one underlying.

    Attributes
    ----------
    tests : mapping of str to (BookTest, BookTest)
        Initial and maintenance requirement, by book.
    cycle : mapping of str to Procyclicality
        Of the maintenance requirement over spot.
    largest : mapping of str to float
        Largest loss over the maintenance requirement.
    dates : tuple of str
    requirement, loss : mapping of str to ndarray
        Maintenance requirement and loss of every pair, over spot.
    skipped : int
        Pairs left out because they are too far apart.
    """

    tests: Mapping[str, tuple[BookTest, BookTest]]
    cycle: Mapping[str, Procyclicality]
    largest: Mapping[str, float]
    dates: tuple[str, ...]
    requirement: Mapping[str, Vector]
    loss: Mapping[str, Vector]
    skipped: int

    def to_json(self) -> dict[str, object]:
        """Build the entry of the report."""
        return {
            "pairs": len(self.dates),
            "first": self.dates[0],
            "last": self.dates[-1],
            "skipped": self.skipped,
            "books": {
                name: {
                    "initial": tests[0].to_json(),
                    "maintenance": tests[1].to_json(),
                    "largestLossOverMaintenance": self.largest[name],
                    "procyclicality": self.cycle[name].to_json(),
                }
                for name, tests in self.tests.items()
            },
        }


def _date(ts: int) -> str:
    return str(np.datetime64(ts, "s").astype("datetime64[D]"))


def _market(round_: Round) -> Market:
    return Market(round_.ts, {"USDC": Token("USDC", 1.0, 0.0)}, {round_.underlying: round_})


def book_of(recipe: Recipe, snapshot: ChainSnapshot, round_: Round, alive_until: int) -> Portfolio:
    """Resolve a recipe on the listed expiries and strikes; options live until the next snapshot at least.

    Parameters
    ----------
    recipe : Recipe
    snapshot : ChainSnapshot
    round_ : Round
    alive_until : int
        Time of the next snapshot.

    Returns
    -------
    Portfolio
        Mode SINGLE, no cash, linear positions entered at the mark; no two legs on one instrument.

    Raises
    ------
    InputError
        When no expiry or strike is left.
    """
    surfaces = [s for s in round_.surfaces if s.expiry_ts > alive_until]
    if not surfaces:
        raise InputError(snapshot.source, f"{_date(round_.ts)}: no expiry beyond the next snapshot")
    positions: dict[tuple[Kind, int, float], Position] = {}
    for kind, days, moneyness, quantity in recipe:
        if not kind.has_expiry:
            positions[(kind, 0, 0.0)] = Position(round_.underlying, kind, 0, round_.perp, quantity)
            continue
        surface = min(surfaces, key=lambda s: abs(s.expiry_ts - round_.ts - days * DAY_SEC))
        strikes = np.array(snapshot.strikes(surface.expiry_ts))
        near = strikes[np.argsort(np.abs(strikes - moneyness * surface.forward), kind="stable")]
        free = [float(k) for k in near if (kind, surface.expiry_ts, float(k)) not in positions]
        if not free:
            raise InputError(snapshot.source, f"{_date(round_.ts)}: too few strikes for a book of {len(recipe)} legs")
        strike = free[0]
        positions[(kind, surface.expiry_ts, strike)] = Position(
            round_.underlying, kind, surface.expiry_ts, strike, quantity
        )
    return Portfolio(Mode.SINGLE, 0.0, {}, tuple(positions.values()))


def _test(dates: Sequence[str], losses: Vector, requirement: Vector, coverage: float) -> BookTest:
    hits = losses > requirement
    tail = 1.0 - coverage
    pof, independence, _ = conditional_coverage(hits, tail)
    named = tuple((dates[int(i)], float(losses[i] / requirement[i])) for i in np.flatnonzero(hits))
    light = traffic_light(int(hits.sum()), hits.size, tail)
    return BookTest(hits.size, hits.size * tail, named, pof, independence, light)


class _Walk:
    """Requirement and loss of every book over consecutive pairs of snapshots."""

    def __init__(self, params: Params) -> None:
        self.params = params
        self.dates: list[str] = []
        self.initial: dict[str, list[float]] = {name: [] for name in RECIPES}
        self.maintenance: dict[str, list[float]] = {name: [] for name in RECIPES}
        self.loss: dict[str, list[float]] = {name: [] for name in RECIPES}
        self.spot: list[float] = []

    def add(self, snapshot: ChainSnapshot, fit: SnapshotFit, following: ChainSnapshot) -> None:
        """Margin today's books today, revalue them on the next snapshot."""
        round_ = fit.round
        books = [book_of(recipe, snapshot, round_, following.ts) for recipe in RECIPES.values()]
        held = {p.expiry_ts for book in books for p in book.positions if p.expiry_ts}
        later = fit_snapshot(following, required_expiries=held, previous=fit).round
        before = evaluate_many(_market(round_), books, self.params)
        after = evaluate_many(_market(later), books, self.params)
        self.dates.append(_date(following.ts))
        self.spot.append(round_.spot)
        for name, now, then in zip(RECIPES, before, after, strict=True):
            self._note(name, now, then)

    def _note(self, name: str, now: MarginResult, then: MarginResult) -> None:
        self.initial[name].append(now.initial_margin)
        self.maintenance[name].append(now.maintenance_margin)
        self.loss[name].append(now.market_equity - then.market_equity)


def chain_backtest(
    snapshots: Sequence[ChainSnapshot],
    params: Params,
    coverage: float = 0.99,
    progress: Callable[[str], None] | None = None,
) -> ChainBacktest:
    """Walk standard books of one underlying through its option chains.

    Parameters
    ----------
    snapshots : sequence of ChainSnapshot
        One underlying, rising in time.
    params : Params
    coverage : float
        Claimed by both requirements.
    progress : callable, optional
        Told every tenth day.

    Returns
    -------
    ChainBacktest
        Marks before and after are those of the surfaces fitted to each snapshot, as the oracle would post them.

    Raises
    ------
    InputError
        When fewer than two exceedances are expected, or requirements vanish.
    """
    if not 0.9 <= coverage <= 0.9999:
        raise InputError("--coverage", f"{coverage:g} is outside [0.9, 0.9999]")
    pairs = [(a, b) for a, b in pairwise(snapshots) if b.ts - a.ts <= MAX_GAP_SEC]
    need = int(np.ceil(2.0 / (1.0 - coverage) - 1e-9))
    if len(pairs) < need:
        source = snapshots[0].source if snapshots else "chains"
        raise InputError(source, f"{len(pairs)} pairs of snapshots are too little history, {need} are needed")
    walk = _Walk(params)
    for number, (snapshot, following) in enumerate(pairs):
        walk.add(snapshot, fit_snapshot(snapshot), following)
        if progress is not None:
            progress(f"{snapshot.currency} {walk.dates[-1]}: {number + 1} of {len(pairs)}")
    return _summary(walk, coverage, len(snapshots) - 1 - len(pairs))


def _summary(walk: _Walk, coverage: float, skipped: int) -> ChainBacktest:
    spot = np.array(walk.spot)
    tests, cycle, largest, requirement, loss = {}, {}, {}, {}, {}
    for name in RECIPES:
        losses, needed = np.array(walk.loss[name]), np.array(walk.maintenance[name])
        if not (needed > 0.0).all() or not np.isfinite(losses).all():
            raise InputError(name, "a requirement is zero or a loss is not a finite number")
        initial = _test(walk.dates, losses, np.array(walk.initial[name]), coverage)
        tests[name] = (initial, _test(walk.dates, losses, needed, coverage))
        cycle[name] = procyclicality(needed / spot)
        largest[name] = float((losses / needed).max())
        requirement[name], loss[name] = needed / spot, losses / spot
    return ChainBacktest(tests, cycle, largest, tuple(walk.dates), requirement, loss, skipped)


def load_chains(path: Path, currency: str) -> list[ChainSnapshot]:
    """Read the snapshots of one underlying.

    Raises
    ------
    InputError
        When there are none.
    """
    found = [snapshot for snapshot in load_chain(path) if snapshot.currency == currency]
    if not found:
        raise InputError(path.name, f"holds no snapshot of {currency}")
    return found
